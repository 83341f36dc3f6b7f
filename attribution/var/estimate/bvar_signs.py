r"""Observed series and a table in; what the restrictions alone can say out.

.. math::
    y_t = c + \sum_l A_l y_{t-l} + u_t, \quad u_t \sim N(0, \Sigma), \quad
    H = \mathrm{chol}(\Sigma) Q, \quad Q \sim \text{uniform on } O(n)

with a conjugate prior on (B, Σ), and (B, Σ, Q) accepted *jointly* where every channel's impact
column obeys its cells.  The uniform Q is a prior that the data never update: beside its posterior
stand the bounds that hold whatever that prior is (``attribution.var.estimate.bvar_signs``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from attribution.core import niw, propagate
from attribution.core.rotations import bounds
from attribution.core.rotations.bounds import clear_of_zero
from attribution.core.rotations.haar import haar
from attribution.decompose import window_values
from attribution.errors import SpecError
from attribution.model.spec import ModelSpec, Window
from attribution.posterior import StructuralPosterior
from attribution.var.estimate.acceptance import Acceptance, measure_acceptance
from attribution.var.estimate.cones import Cones, cone_chains, table_cones
from attribution.var.estimate.conjugate import (
    CHAINS,
    conjugate_form,
    estimation_sample,
    log_prior,
    refuse_settings,
)

# A restrictions-alone posterior and windows in; what holds for every prior on rotations out.

STARTS, STARTS_AT_MEAN = 4, 40
"""Starts of each search: a draw's own rotation, and uniform ones led into the cones.

The admissible set may fall into pieces; uniform starts reach small pieces more often than
posterior draws, which crowd where the set is wide.
"""
TRIES = 3


@dataclass(frozen=True)
class RobustSets:
    """Ranges of each channel's contribution to the outcome, summed over a window.

    Unit of the outcome.  "At the mean" is at the posterior mean of B and Σ.

    Attributes
    ----------
    windows, channels : names.
    lower, upper : (chain, draw, window, channel); over the admissible rotations of a draw.
    clear : (chain, draw, window, channel); certified distance of the range from zero, zero where
        there is none.
    agreed : (window, channel); share of these draws at which the two best of four
        independent starts agree within 2 % of the no-assumption range.
    lower_at_mean, upper_at_mean : (window, channel).
    converged : (window, channel); whether two independent starts agree at the mean.
    identification_strength : (window, channel); 1 − (U − L) / no-assumption range, at the mean;
        trust it only where ``converged``.
    no_assumption : (window, 2); range of any shock's contribution without a table, at the mean.
    dilution : (window,); what a uniform rotation books to every shock, at the mean.
    """

    windows: tuple[str, ...]
    channels: tuple[str, ...]
    lower: np.ndarray
    upper: np.ndarray
    clear: np.ndarray
    agreed: np.ndarray
    lower_at_mean: np.ndarray
    upper_at_mean: np.ndarray
    converged: np.ndarray
    identification_strength: np.ndarray
    no_assumption: np.ndarray
    dilution: np.ndarray


def robust_sets(
    posterior: StructuralPosterior,
    cones: Cones,
    values: pd.DataFrame,
    windows: Sequence[Window],
    *,
    outcome: str,
    draws: int,
    rng: np.random.Generator,
) -> RobustSets:
    """Compute ranges over admissible rotations at evenly spaced draws and at the posterior mean.

    Parameters
    ----------
    draws : how many draws, a multiple of the number of chains.

    Raises
    ------
    SpecError
        If ``draws`` does not fill the chains or exceeds the posterior.
    EventError
        If a window is not covered by ``values``.

    References
    ----------
    giacomini2021
    """
    chains, length = posterior.impact.shape[:2]
    if draws < chains or draws % chains or draws > chains * length:
        raise SpecError(
            f"robust bounds: {draws} draws do not fill {chains} chains of {length}; ask for a"
            f" multiple of {chains}, at most {chains * length}"
        )
    each = draws // chains
    chosen = (np.arange(each) * length) // each
    case = _Case(posterior, cones, values, tuple(windows), outcome)
    impact, slopes, intercept = (
        array[:, chosen].reshape(draws, *array.shape[2:])
        for array in (posterior.impact, posterior.lag_coefficients, posterior.intercept)
    )
    others = case.lead_in(np.repeat(impact, STARTS - 1, 0), rng)
    others = others.reshape(draws, STARTS - 1, *impact.shape[1:])
    starts = np.concatenate([impact[:, None], others], axis=1)
    reached, gap = case.ranges(starts, slopes, intercept)
    own = case.form(impact, slopes, intercept)
    clear = clear_of_zero(cones.rows @ impact, np.append(0, cones.ends), own, reached)
    shape = (chains, each, len(windows), len(cones.channels))
    mean = _at_mean(case, rng)
    return RobustSets(
        windows=tuple(window.name for window in windows),
        channels=cones.channels,
        lower=reached[..., 0].reshape(shape),
        upper=reached[..., 1].reshape(shape),
        clear=clear.reshape(shape),
        agreed=(gap <= bounds.AGREEMENT).mean(0),
        **mean,
    )


@dataclass(frozen=True)
class _Case:
    """What every search shares."""

    posterior: StructuralPosterior
    cones: Cones
    values: pd.DataFrame
    windows: tuple[Window, ...]
    outcome: str

    def form(self, root: np.ndarray, slopes: np.ndarray, intercept: np.ndarray) -> np.ndarray:
        """Quadratic form of each window (..., window, variable, variable)."""
        names = self.posterior.variables
        frame, place = self.values.loc[:, list(names)], names.index(self.outcome)
        out = np.empty((*root.shape[:-2], len(self.windows), len(names), len(names)))
        for w, window in enumerate(self.windows):
            _, history, observed = window_values(frame, window, slopes.shape[-3])
            errors = propagate.residuals(slopes, intercept, history, observed)
            out[..., w, :, :] = bounds.window_form(slopes, root, errors, place)
        return out

    def lead_in(self, root: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Impact matrices of the same Σ, led in from uniform rotations; NaN where none got in."""
        out = np.full_like(root, np.nan)
        missing = np.arange(len(root))
        for _ in range(TRIES):
            guess = root[missing] @ haar(root.shape[-1], len(missing), rng)
            found, impact = bounds.admissible(
                root[missing], guess, self.cones.rows, self.cones.ends
            )
            out[missing[found]] = impact[found]
            missing = missing[~found]
        return out

    def ranges(
        self, impact: np.ndarray, slopes: np.ndarray, intercept: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Ranges (case, window, channel, 2) and gaps (case, window, channel) from all starts."""
        lost = np.isnan(impact).any((-1, -2))
        starts = np.where(lost[..., None, None], impact[:, :1], impact)
        form = self.form(starts, slopes[:, None], intercept[:, None])
        reached, gap = bounds.robust(starts, form, self.cones.rows, self.cones.ends)
        gap[(~lost).sum(1) < 2] = np.inf  # a single start agrees with nobody
        return reached, gap


def _at_mean(case: _Case, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Fields of the result that belong to the posterior mean of B and Σ."""
    posterior = case.posterior
    impact, weight = posterior.impact, posterior.weight / posterior.weight.sum()
    covariance = np.einsum("cd,cdik,cdjk->ij", weight, impact, impact)
    slopes = np.einsum("cd,cdlvr->lvr", weight, posterior.lag_coefficients)
    intercept = np.einsum("cd,cdv->v", weight, posterior.intercept)
    root = np.linalg.cholesky(covariance)
    starts = case.lead_in(np.repeat(root[None], STARTS_AT_MEAN, 0), rng)
    starts = starts[~np.isnan(starts).any((1, 2))]
    form = case.form(root, slopes, intercept)
    shape = (len(case.windows), len(case.cones.channels))
    reached, gap = np.full((*shape, 2), np.nan), np.full(shape, np.inf)
    if len(starts):
        many, gaps = case.ranges(starts[None], slopes[None], intercept[None])
        reached, gap = many[0], gaps[0]
    return {
        "lower_at_mean": reached[..., 0],
        "upper_at_mean": reached[..., 1],
        "converged": gap <= bounds.AGREEMENT,
        "identification_strength": bounds.identification_strength(
            reached[..., 0], reached[..., 1], form
        ),
        "no_assumption": bounds.no_assumption(form),
        "dilution": bounds.dilution(form),
    }


@dataclass(frozen=True)
class SignsFit:
    """The restrictions-alone posterior.

    Attributes
    ----------
    posterior : square impact matrices, channels first, then ``unnamed_1`` ...; weights all one.
    time : estimation days.
    reduced_form : the closed-form posterior of (B, Σ) without restrictions.
    cones : the table as rows.
    acceptance : how hard the restrictions bite.
    robust : per window, what holds for every prior on rotations.
    log_prior : group ``/log_prior``, where the prior is proper.
    """

    posterior: StructuralPosterior
    time: pd.DatetimeIndex
    reduced_form: niw.NormalInverseWishart
    cones: Cones
    acceptance: Acceptance
    robust: RobustSets
    log_prior: Mapping[str, xr.Dataset]


def fit_bvar_signs(
    spec: ModelSpec,
    values: pd.DataFrame,
    *,
    draws: int = 4000,
    seed: int | np.random.SeedSequence,
    event_in: str = "out",
    robust_draws: int = 32,
    windows: Sequence[Window] | None = None,
) -> SignsFit:
    r"""Draw the posterior of a conjugate VAR restricted by the table, and its robust bounds.

    Four chains start at independent points inside the cones; each sweeps through the exact
    conditionals of the joint posterior (``attribution.core.rotations.cone_gibbs``).  Coefficients
    are then
    drawn in closed form, for restrictions on impact do not touch them given Σ.

    Parameters
    ----------
    spec : names variables, lags, prior, event and table; cells on other series do not count.
    values : (time, variable); unit of the variable, complete but for leading days.
    draws : kept draws, a multiple of four.
    event_in : ``out`` ends the sample before ``event.hold_out``, ``in`` with its last day.
    robust_draws : draws at which robust bounds are computed, a multiple of four, at most ``draws``.
    windows : windows of the robust bounds; those of the event if not given.

    Raises
    ------
    SpecError
        If a setting cannot be met.
    DataError
        If the sample is incomplete, degenerate or too short.
    IdentificationError
        If the table contradicts itself, or the data contradict the table.
    DiagnosticsError
        If a chain degenerates.
    EventError
        If a window is not covered by ``values``.

    References
    ----------
    uhlig2005; rubioramirez2010; arias2018; giacomini2021
    """
    refuse_settings(spec, draws, event_in, estimator="the closed form")
    cones = table_cones(spec)
    frame = estimation_sample(spec, values, event_in, last=spec.event.hold_out[1])
    rng = np.random.default_rng(seed)
    form = conjugate_form(spec, frame, rng, chains=CHAINS)
    reduced = form.posterior
    impact = cone_chains(reduced, cones, draws // CHAINS, rng, place=spec.name)
    acceptance = measure_acceptance(spec, reduced, cones, impact, rng)
    drawn = form.coefficients(impact.reshape(draws, *impact.shape[2:]), rng)
    slopes, intercept = niw.split(drawn, constant=spec.system.constant)
    posterior = StructuralPosterior(
        variables=spec.system.variables,
        shocks=_shock_names(cones, len(spec.system.variables)),
        channels=cones.channels,
        impact=impact,
        lag_coefficients=slopes.reshape(CHAINS, -1, *slopes.shape[1:]),
        intercept=intercept.reshape(CHAINS, -1, intercept.shape[-1]),
        weight=np.ones(impact.shape[:2]),
    )
    chosen = spec.event.windows if windows is None else tuple(windows)
    return SignsFit(
        posterior=posterior,
        time=pd.DatetimeIndex(frame.index[spec.system.lags :]),
        reduced_form=reduced,
        cones=cones,
        acceptance=acceptance,
        robust=robust_sets(
            posterior,
            cones,
            values,
            chosen,
            outcome=spec.event.outcome,
            draws=robust_draws,
            rng=rng,
        ),
        log_prior=log_prior(form.prior, form.standard, posterior),
    )


def _shock_names(cones: Cones, n: int) -> tuple[str, ...]:
    unnamed = range(1, n - len(cones.channels) + 1)
    return (*cones.channels, *(f"unnamed_{number}" for number in unnamed))
