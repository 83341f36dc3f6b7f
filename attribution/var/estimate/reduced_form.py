r"""Reduced forms on which rotations stand, days with scales of their own among them.

===================  =============================  =========================================
law                  prior                          draws
===================  =============================  =========================================
gaussian             given                          independent, closed form
gaussian             hierarchical                   independent, weighted
gaussian, outliers   given                          chains
gaussian, outliers   hierarchical                   independent, weighted
student_t            given                          chains
common_volatility    given                          chains
===================  =============================  =========================================

.. math:: u_t = s_t P \eta_t

Under ``student_t`` the draws are put so that :math:`E\,s_t^2 = 1`: :math:`PP'` is the covariance
of an ordinary day, not the scale matrix of the t.  Under ``common_volatility`` it is the
covariance of a day of average log variance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from attribution.core import niw
from attribution.core.laws.scaled import ScaleChain, ScaleLaw, Swept, Whitened, whiten
from attribution.core.standard import Standard
from attribution.errors import DataError, SpecError, nearest
from attribution.model.scheme import ROTATION_INVARIANT
from attribution.model.spec import ModelSpec
from attribution.var.estimate.conjugate import (
    CHAINS,
    conjugate_form,
    conjugate_prior,
    estimation_sample,
    standardised,
)
from attribution.var.estimate.hierarchical import hierarchical_form
from attribution.var.reduced import Batch, ReducedForm

BURN_IN = {"gaussian": 200, "student_t": 500, "common_volatility": 2000}
"""Sweeps before the first draw, from starts that are draws of the prior."""
THIN = {"gaussian": 1, "student_t": 2, "common_volatility": 5}
"""Sweeps between two draws: what they cost beside the identification that follows is little."""


def scale_law(law: str, dof: float | None) -> ScaleLaw:
    r"""Return the law of the scales with its priors.

    .. math::
        \nu - 2.1 \sim \Gamma(2, 0.1), \qquad (1 + \phi)/2 \sim \mathrm{Beta}(20, 1.5), \qquad
        \sigma \sim N^+(0, 0.3^2), \qquad h_1 \sim N(0, \sigma^2/(1 - \phi^2))

    The first allows anything from a Cauchy-like day to the normal law, the others a volatility
    that persists for days to years and may be constant.

    References
    ----------
    juarez2010; kim1998; kastner2014
    """
    if law == "student_t":
        return ScaleLaw(dof=dof)
    return ScaleLaw(volatility_scale=0.3 if law == "common_volatility" else 0.0)


@dataclass(eq=False)  # it goes on where its last batch ended
class ScaledForm:
    """Chains over scales, (B, Σ) and the parameters of the scales' law.

    Attributes
    ----------
    law : name in the model file.
    data : the whitened rows that all chains share.
    standard : the coordinates of those rows, and the way back.
    sweepers : one a chain, each where its last batch ended.
    listed : positions of the days with a scale of their own.
    """

    variables: tuple[str, ...]
    time: pd.DatetimeIndex
    constant: bool
    chains: int
    notes: Mapping[str, object]
    law: str
    data: Whitened
    standard: Standard
    sweepers: tuple[ScaleChain, ...]
    listed: np.ndarray

    def batch(self, draws: int) -> Batch:
        """Advance every chain; coefficients were drawn with the rest and are handed out."""
        swept = [chain.sweep(self.data, draws, thin=THIN[self.law]) for chain in self.sweepers]
        units = np.array([unit_variance(states.parameters) for states in swept])
        n, k = len(self.variables), len(self.data.center)
        restored = [self.data.restore(states.roots, states.turns) for states in swept]
        factor = np.array([root for root, _ in restored])
        slopes: np.ndarray = np.array([b for _, b in restored]).reshape(-1, k, n)

        def coefficients(chosen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
            return self.standard.coefficients(slopes[chosen])

        return Batch(
            factor=self.standard.impact(factor * units[..., None, None]),
            coefficients=coefficients,
            weight=np.ones((self.chains, draws)),
            scale=np.array([states.scales for states in swept]) / units[..., None],
            hyper=self._hyper(swept),
        )

    def _hyper(self, swept: list[Swept]) -> dict[str, np.ndarray]:
        parameters = np.array([states.parameters for states in swept])
        found: dict[str, np.ndarray] = {}
        if self.law == "student_t":
            found["dof"] = parameters[..., 0]
        if self.law == "common_volatility":
            found |= {"persistence": parameters[..., 1], "volatility": parameters[..., 2]}
        if len(self.listed):
            found["outlier_scale"] = np.array([states.outlier_scales for states in swept])
        return found


def unit_variance(parameters: np.ndarray) -> np.ndarray:
    """Return the standard deviation (draw,) of a scale's Student part, one without it."""
    dof = parameters[:, 0]
    with np.errstate(invalid="ignore"):
        return np.where(np.isinf(dof), 1.0, np.sqrt(dof / (dof - 2.0)))


def scaled_form(
    spec: ModelSpec,
    frame: pd.DataFrame,
    rng: np.random.Generator,
    *,
    chains: int,
    listed: np.ndarray,
    spread: np.ndarray | None = None,
) -> ScaledForm:
    """Start the chains at draws of the scales from their prior and burn them in.

    Parameters
    ----------
    frame : (time, variable); the estimation rows, lags included.
    listed : positions among the estimation days of those with a scale of their own.
    spread : (variable,); residual scales of the prior, estimated if not given.

    References
    ----------
    chan2020; kastner2014; lenza2022
    """
    system, law = spec.system, spec.errors.law
    standard, series = standardised(spec, frame)
    given = None if spread is None else spread / standard.unit
    prior = conjugate_prior(spec, series, spread=given)
    data = whiten(prior, *niw.design(series, lags=system.lags, constant=system.constant))
    scales = scale_law(law, spec.errors.dof)
    sweepers = tuple(ScaleChain(len(data.rows), scales, listed, own) for own in rng.spawn(chains))
    burnt = [chain.sweep(data, 1, thin=BURN_IN[law]) for chain in sweepers]
    notes: dict[str, object] = {"burn_in": BURN_IN[law], "thin": THIN[law]}
    if law == "common_volatility":
        notes["block_acceptance"] = float(np.mean([states.accepted for states in burnt]))
    return ScaledForm(
        variables=system.variables,
        time=pd.DatetimeIndex(frame.index[system.lags :]),
        constant=system.constant,
        chains=chains,
        notes=notes,
        law=law,
        data=data,
        standard=standard,
        sweepers=sweepers,
        listed=listed,
    )


EVENT_IN = ("out", "in", "scale")


def reduced_form(
    spec: ModelSpec,
    values: pd.DataFrame,
    *,
    seed: int | np.random.SeedSequence,
    event_in: str = "out",
    spread: np.ndarray | None = None,
) -> ReducedForm:
    """Build the posterior of a reduced-form VAR under a law that no rotation of shocks changes.

    Parameters
    ----------
    spec : names variables, lags, prior, law, outliers and event.
    values : (time, variable); unit of the variable, complete but for leading days.
    event_in : ``out`` ends the sample before ``event.hold_out``; ``in`` takes those days like any
        other; ``scale`` takes each with a scale of its own.
    spread : (variable,); residual scales of the prior (centre of their bounds where they are
        inferred), where they are not to be estimated from the sample; unit of the variable.

    Raises
    ------
    SpecError
        If a setting is unknown or two exclude each other.
    DataError
        If the sample is incomplete, degenerate or too short, or an outlier is not a day of it.
    DiagnosticsError
        If the hyperparameters of a hierarchical prior cannot be sampled.

    References
    ----------
    giannone2015; kadiyala1997; lenza2022
    """
    _refuse_settings(spec, event_in)
    frame = estimation_sample(
        spec, values, "out" if event_in == "out" else "in", last=spec.sample.end
    )
    listed = _listed_days(spec, pd.DatetimeIndex(frame.index[spec.system.lags :]), event_in)
    rng = np.random.default_rng(seed)
    if spread is None and spec.prior.residual_scales:
        given = dict(spec.prior.residual_scales)
        spread = np.array([given[name] for name in spec.system.variables])
    if spec.prior.hierarchical:
        return hierarchical_form(spec, frame, rng, chains=CHAINS, listed=listed, spread=spread)
    if spec.errors.law == "gaussian" and not len(listed):
        return conjugate_form(spec, frame, rng, chains=CHAINS, spread=spread)
    return scaled_form(spec, frame, rng, chains=CHAINS, listed=listed, spread=spread)


def _refuse_settings(spec: ModelSpec, event_in: str) -> None:
    place, law, prior = f"model '{spec.name}'", spec.errors.law, spec.prior
    if event_in not in EVENT_IN:
        raise SpecError(
            f"{place}: event-in is '{event_in}'; use out, in or scale{nearest(event_in, EVENT_IN)}"
        )
    if event_in == "scale" and not spec.event.asked:
        raise SpecError(f"{place}: event-in is scale, but there is no [event]; add one or use out")
    if law not in ROTATION_INVARIANT:
        raise SpecError(
            f"{place}: law '{law}' has no reduced form of its own, for a rotation of the shocks"
            f" changes it; use one of {', '.join(ROTATION_INVARIANT)}"
        )
    if prior.hierarchical and prior.flat:
        raise SpecError(f"{place}: the prior is both flat and hierarchical; drop one of the two")
    if prior.hierarchical and law != "gaussian":
        raise SpecError(
            f"{place}: a hierarchical prior goes with law gaussian, found '{law}'; set hierarchical"
            " = false, or use law gaussian with the days of large errors as outliers"
        )
    if spec.errors.dof is not None and spec.errors.dof <= 2:
        raise SpecError(
            f"{place}: dof is {spec.errors.dof:g}, for which errors have no variance; give more"
            " than 2, or leave it out to have it inferred"
        )


def _listed_days(spec: ModelSpec, days: pd.DatetimeIndex, event_in: str) -> np.ndarray:
    """Positions of the days with a scale of their own, in order, each once."""
    known = {day.date(): position for position, day in enumerate(days)}
    wanted: list[date] = list(spec.errors.outliers)
    for day in wanted:
        if day not in known:
            close = min(known, key=lambda other: abs((other - day).days))
            raise DataError(
                f"errors.outliers: {day} is not an estimation day of model '{spec.name}'"
                f" (nearest: {close}); correct it, or move the sample"
            )
    positions = {known[day] for day in wanted}
    if event_in == "scale":
        first, last = (pd.Timestamp(day) for day in spec.event.hold_out)
        held = (days >= first) & (days <= last)
        positions |= set(np.flatnonzero(held).tolist())
    return np.array(sorted(positions), dtype=np.int64)
