r"""Observed series and a table in; what the restrictions alone can say out.

.. math::
    y_t = c + \sum_l A_l y_{t-l} + u_t, \quad u_t \sim N(0, \Sigma), \quad
    H = \mathrm{chol}(\Sigma) Q, \quad Q \sim \text{uniform on } O(n)

with a conjugate prior on (B, Σ), and (B, Σ, Q) accepted *jointly* where every channel's impact
column obeys its cells.  The uniform Q is a prior that the data never update: beside its posterior
stand the bounds that hold whatever that prior is (``attribution.estimate.robust``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.core import niw
from attribution.core.standard import Standard
from attribution.estimate.acceptance import Acceptance, measure_acceptance
from attribution.estimate.cones import Cones, cone_chains, table_cones
from attribution.estimate.conjugate import conjugate_prior, standardised
from attribution.estimate.robust import RobustSets, robust_sets
from attribution.estimate.sample import CHAINS, estimation_sample, refuse_settings
from attribution.model.spec import ModelSpec, Window
from attribution.posterior import StructuralPosterior


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
    """

    posterior: StructuralPosterior
    time: pd.DatetimeIndex
    reduced_form: niw.NormalInverseWishart
    cones: Cones
    acceptance: Acceptance
    robust: RobustSets


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
    conditionals of the joint posterior (``attribution.core.cone_gibbs``).  Coefficients are then
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
    standard, inner = _reduced_form(spec, frame)
    reduced = standard.restored(inner)
    rng = np.random.default_rng(seed)
    impact = cone_chains(reduced, cones, draws // CHAINS, rng, place=spec.name)
    acceptance = measure_acceptance(spec, reduced, cones, impact, rng)
    flat = impact.reshape(draws, *impact.shape[2:])
    drawn = niw.draw_coefficients(inner, flat / standard.unit[:, None], rng)
    slopes, intercept = niw.split(standard.coefficients(drawn), constant=spec.system.constant)
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
    )


def _shock_names(cones: Cones, n: int) -> tuple[str, ...]:
    unnamed = range(1, n - len(cones.channels) + 1)
    return (*cones.channels, *(f"unnamed_{number}" for number in unnamed))


def _reduced_form(
    spec: ModelSpec, frame: pd.DataFrame
) -> tuple[Standard, niw.NormalInverseWishart]:
    """Return standard coordinates, and the closed-form posterior in them."""
    standard, series = standardised(spec, frame)
    response, regressors = niw.design(series, lags=spec.system.lags, constant=spec.system.constant)
    prior = conjugate_prior(spec, series)
    return standard, niw.posterior(prior, response, regressors)
