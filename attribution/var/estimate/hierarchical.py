"""A question whose prior is hierarchical, and rows, in; weighted independent draws out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.core import niw
from attribution.core.laws import evidence
from attribution.core.laws.hierarchy import Hierarchy, hierarchy, named, points, residual_rates
from attribution.core.laws.importance import Proposal, draw, natural_mode, proposal, sharpened
from attribution.core.niw import factors
from attribution.core.standard import Standard
from attribution.errors import DiagnosticsError, SpecError
from attribution.model.spec import ModelSpec
from attribution.sampling.diagnostics import weight_size
from attribution.var.estimate.conjugate import own_lags, standardised
from attribution.var.reduced import Batch

PILOT = 4000
"""Draws on which the proposal is fitted and judged."""
ENOUGH = 0.3
"""Effective share of the pilot below which the proposal is matched to weighted draws."""
LEAST_SHARE = 0.01
"""Effective share of the pilot below which there is no point in going on."""


@dataclass(eq=False)  # it goes on where its last batch ended
class HierarchicalForm:
    """Draws of all hyperparameters with importance weights, and of (B, Σ) given each."""

    variables: tuple[str, ...]
    time: pd.DatetimeIndex
    constant: bool
    chains: int
    notes: Mapping[str, object]
    hierarchy: Hierarchy
    proposal: Proposal
    listed: np.ndarray
    standard: Standard
    rng: np.random.Generator
    peak: np.ndarray

    @property
    def mode(self) -> tuple[np.ndarray, np.ndarray]:
        r"""Coefficients (regressor, variable) and Σ at their modes given those of the rest.

        .. math:: \bar B, \qquad \frac{S}{\nu + n + 1} \quad \text{at the hyperparameters' mode}
        """
        problem, at, n = self.hierarchy.problem, self.peak[None], len(self.variables)
        root = evidence.scale_roots(at, problem)[0]
        mean = evidence.draw_coefficients(at, np.zeros((1, n, n)), problem, self.rng.spawn(1)[0])
        covariance = root @ root.T / (self.hierarchy.dof + n + 1.0)
        return self.standard.coefficients(mean[0]), self.standard.covariance(covariance)

    def batch(self, draws: int) -> Batch:
        """Draw hyperparameters, weights and factors now; coefficients where they are asked for."""
        problem, n = self.hierarchy.problem, len(self.variables)
        lead = (self.chains, draws)
        hyper, weight = draw(self.hierarchy, self.proposal, self.chains * draws, self.rng)
        roots = evidence.scale_roots(hyper, problem)
        factor = roots @ factors(np.eye(n), self.hierarchy.dof, self.chains * draws, self.rng)

        def coefficients(chosen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
            drawn: np.ndarray = evidence.draw_coefficients(
                hyper[chosen], np.ascontiguousarray(factor[chosen]), problem, rng
            )
            return self.standard.coefficients(drawn)

        return Batch(
            factor=self.standard.impact(factor).reshape(*lead, n, n),
            coefficients=coefficients,
            weight=weight.reshape(lead),
            scale=self._scale(hyper, lead),
            hyper={
                name: values.reshape(*lead, *values.shape[1:])
                for name, values in self._named(hyper).items()
            },
        )

    def _scale(self, hyper: np.ndarray, lead: tuple[int, int]) -> np.ndarray | None:
        if not len(self.listed):
            return None
        scale = np.ones((len(hyper), len(self.time)))
        scale[:, self.listed] = self._named(hyper)["outlier_scale"]
        return scale.reshape(*lead, -1)

    def _named(self, hyper: np.ndarray) -> dict[str, np.ndarray]:
        return in_units(named(self.hierarchy, hyper), self.standard)


MODE_OF = "the joint density of tightness, dummies, decay, residual variances and outlier scales"
"""The coordinates in which the mode is one; residual scales are reported as square roots."""


def in_units(found: dict[str, np.ndarray], standard: Standard) -> dict[str, np.ndarray]:
    """Return hyperparameters with residual scales in the units of the data."""
    scale = found.get("residual_scale")
    return found if scale is None else {**found, "residual_scale": scale * standard.unit}


def hierarchical_form(
    spec: ModelSpec,
    frame: pd.DataFrame,
    rng: np.random.Generator,
    *,
    chains: int,
    listed: np.ndarray,
    spread: np.ndarray | None = None,
) -> HierarchicalForm:
    """Fit the proposal to the posterior of the hyperparameters.

    Parameters
    ----------
    frame : (time, variable); the estimation rows, lags included.
    listed : positions among the estimation days of those with a scale of their own.
    spread : (variable,); centre of the bounds on the residual scales, or those scales themselves
        where they are not inferred; those of the series' own autoregressions if None.

    Raises
    ------
    DiagnosticsError
        If the posterior is not peaked at its mode, or too few proposals carry the weight.

    References
    ----------
    giannone2015; lenza2022
    """
    system, prior = spec.system, spec.prior
    standard, series = standardised(spec, frame)
    response, regressors = niw.design(series, lags=system.lags, constant=system.constant)
    inferred = prior.infers("residual_scales")
    if spread is None:  # the published bounds leave the first rows out, a given prior does not
        spread = niw.autoregressive_spread(series[system.lags if inferred else 0 :])
    else:
        spread = np.asarray(spread, float) / standard.unit
    if inferred:
        _refuse_small(spec, spread * standard.unit, len(response))

    def dummy(name: str, given: float | None) -> float | bool:
        return True if prior.infers(name) else given or False

    problem = hierarchy(
        response,
        regressors,
        spread=spread,
        level=series[: system.lags].mean(axis=0),
        own_lag=own_lags(spec),
        lags=system.lags,
        constant=system.constant,
        decay=None if prior.infers("decay") else prior.decay,
        intercept_scale=prior.intercept_scale,
        tightness=None if prior.infers("tightness") else prior.tightness,
        scales=None if inferred else spread,
        sum_of_coefficients=dummy("sum_of_coefficients", prior.sum_of_coefficients),
        single_unit_root=dummy("single_unit_root", prior.single_unit_root),
        outliers=listed,
        unit=standard.unit,
    )
    fitted, share = _proposed(spec, problem, len(listed), rng)
    mode, height = natural_mode(problem)
    peak = points(problem, mode[None])
    return HierarchicalForm(
        variables=system.variables,
        time=pd.DatetimeIndex(frame.index[system.lags :]),
        constant=system.constant,
        chains=chains,
        notes=_notes(problem, peak, height, share, standard),
        hierarchy=problem,
        proposal=fitted,
        listed=listed,
        standard=standard,
        rng=rng,
        peak=peak[0],
    )


def _refuse_small(spec: ModelSpec, spread: np.ndarray, days: int) -> None:
    """Refuse residual scales so small that the law of ψ says more about them than the days do."""
    _, rate = residual_rates()
    for name, own in zip(spec.system.variables, spread, strict=True):
        if rate / own**2 > 0.5 * days:
            raise SpecError(
                f"model '{spec.name}': the residual scale of '{name}' is {own:.2g}, and the"
                " published law of hierarchical scales keeps them near 0.02 in the unit of the"
                " series; multiply the series by 100 or more, or set hierarchical = false"
            )


def _proposed(
    spec: ModelSpec, problem: Hierarchy, listed: int, rng: np.random.Generator
) -> tuple[Proposal, float]:
    """Fit the proposal, sharpened where too few of its draws carry the weight; and their share."""
    fitted = proposal(problem)
    share = _share(problem, fitted, rng)
    if share < ENOUGH:
        fitted = sharpened(problem, fitted, PILOT, rng)
        share = _share(problem, fitted, rng)
    if share < LEAST_SHARE:
        raise DiagnosticsError(
            f"model '{spec.name}': of {PILOT} draws of the hyperparameters {share * PILOT:.0f}"
            f" carry the weight, with {listed} days of their own scale; set hierarchical ="
            " false, or list fewer outliers"
        )
    return fitted, share


def _share(problem: Hierarchy, fitted: Proposal, rng: np.random.Generator) -> float:
    return weight_size(draw(problem, fitted, PILOT, rng)[1]) / PILOT


def _notes(
    problem: Hierarchy, peak: np.ndarray, height: float, share: float, standard: Standard
) -> dict[str, object]:
    found = in_units(named(problem, peak), standard)
    log_unit, n = np.log(standard.unit), len(standard.unit)
    # densities of the data and of the scales ψ are those of both in their own units
    inferred = log_unit[problem.problem.free[3 : 3 + n]]
    moved = problem.problem.days * log_unit.sum() + 2.0 * inferred.sum()
    return {
        "hyperparameter_mode": {name: values[0].tolist() for name, values in found.items()},
        "hyperparameter_mode_of": MODE_OF,
        "log_posterior_at_mode": height - float(moved),
        "importance_effective_share": share,
    }
