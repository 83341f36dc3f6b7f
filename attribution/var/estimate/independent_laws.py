r"""A question and the observed series in; unlabelled draws of a structural VAR by Gibbs out.

.. math:: A_0 y_t = A_+ x_t + \varepsilon_t, \qquad \varepsilon_{kt} = s_{kt} \eta_{kt}

with a law of :math:`s_{kt}` for every shock, so that rotations of the shocks change the
likelihood: it, and not a table, pins the columns of :math:`A_0^{-1}` down, up to their signs and
order.  Naming them is the work of :mod:`attribution.var.identify.labels`.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.linalg import solve_triangular

from attribution.core import niw
from attribution.core.laws import structural_form as form
from attribution.core.laws import structural_gibbs as gibbs
from attribution.core.laws.hierarchy import gamma_shape_rate
from attribution.core.laws.structural_simulation import structural_coefficients
from attribution.core.niw import unit_root_dummies
from attribution.errors import DataError, SpecError
from attribution.model.spec import ModelSpec
from attribution.sampling.engine import allowed
from attribution.var.estimate.conjugate import (
    CHAINS,
    estimation_sample,
    refuse_settings,
    standardised,
)

# A model's prior and series in; the prior of the rows of a structural VAR, and units, out.

TIGHTNESS_MODE, TIGHTNESS_SD = 0.2, 0.4
"""Gamma prior of the tightness where it is inferred (Giannone, Lenza and Primiceri 2015)."""


@dataclass(frozen=True)
class Coordinates:
    r"""Units in which series and regressors are of order one: :math:`y / s`, :math:`R^{-\prime} x`.

    Attributes
    ----------
    spread : (variable,) s.
    upper : (regressor, regressor) R, upper triangular.
    """

    spread: np.ndarray
    upper: np.ndarray

    def data(self, response: np.ndarray, regressors: np.ndarray) -> np.ndarray:
        """Return z (time, regressor + variable)."""
        white = solve_triangular(self.upper, regressors.T, trans="T").T
        return np.hstack([white, response / self.spread])

    def change(self) -> np.ndarray:
        """Return the matrix that takes a row back to the units of the data."""
        m, n = len(self.upper), len(self.spread)
        matrix = np.zeros((m + n, m + n))
        matrix[:m, :m] = solve_triangular(self.upper, np.eye(m))
        matrix[m:, m:] = np.diag(1.0 / self.spread)
        return matrix

    def inward(self, rows: np.ndarray) -> np.ndarray:
        """Take rows (shock, coordinate) from the units of the data to these."""
        m = len(self.upper)
        return np.hstack([rows[:, :m] @ self.upper.T, rows[:, m:] * self.spread])


def coordinates(regressors: np.ndarray, spread: np.ndarray, precision: np.ndarray) -> Coordinates:
    """Choose units from the data and the prior's precision of the regressors."""
    stacked = np.vstack([regressors, np.diag(np.sqrt(np.diag(precision)))])
    return Coordinates(spread, np.asarray(np.linalg.qr(stacked, mode="r")))


def prior_of(spec: ModelSpec, series: np.ndarray) -> tuple[niw.NormalInverseWishart, form.RowPrior]:
    """Return the prior of the reduced form, at its tightness, and the same as a prior of rows.

    Parameters
    ----------
    series : (time, variable); the estimation rows, measured from where the prior of the constants
        is centred.

    Raises
    ------
    SpecError
        If the tightness is to be inferred beside artificial observations, which share it.
    """
    n, lags, constant, prior = series.shape[1], spec.system.lags, spec.system.constant, spec.prior
    if prior.flat:
        conjugate = niw.flat(n, int(constant) + n * lags)
        return conjugate, form.row_prior(conjugate)
    conjugate = niw.minnesota(
        niw.autoregressive_spread(series),
        lags=lags,
        constant=constant,
        own_lag=np.array([prior.mean_of(name) for name in spec.system.variables]),
        tightness=prior.tightness,
        decay=prior.decay,
        intercept_scale=prior.intercept_scale,
    )
    response, regressors = unit_root_dummies(
        series[:lags].mean(0),
        lags=lags,
        constant=constant,
        sum_of_coefficients=prior.sum_of_coefficients,
        single_unit_root=prior.single_unit_root,
    )
    if not prior.hierarchical:
        if len(response):
            conjugate = niw.posterior(conjugate, response, regressors)
        return conjugate, form.row_prior(conjugate)
    if len(response):
        raise SpecError(
            f"model '{spec.name}': prior.hierarchical infers the tightness alone under a law per"
            " shock; drop sum_of_coefficients and single_unit_root, or set hierarchical = false"
        )
    return conjugate, _inferred(conjugate, lags, constant, prior.tightness)


def _inferred(
    conjugate: niw.NormalInverseWishart, lags: int, constant: bool, start: float
) -> form.RowPrior:
    """Set the lags' part of the prior apart, so that the tightness can be drawn."""
    slopes = conjugate.precision.copy()
    slopes[: int(constant)] = 0.0
    part, rows = form.quadratic(conjugate.mean, slopes), form.row_prior(conjugate)
    shape, rate = gamma_shape_rate(TIGHTNESS_MODE, TIGHTNESS_SD)
    return replace(
        rows,
        base=rows.base - part,
        tight=part * start**2,
        tightness=start,
        shape=shape,
        rate=rate,
        scaled=len(conjugate.scale) * lags,
    )


BURN_IN, BURN_IN_STATES = 500, 300
"""Sweeps before the first draw; where log-variances are drawn, 300 a variable if that is more:
rows and states find each other slowly from the uniform rotations at which chains start."""


@dataclass(frozen=True)
class StructuralBatch:
    """Consecutive draws of every chain; shocks have neither sign nor order in common.

    Attributes
    ----------
    impact : (chain, draw, variable, shock); unit of the variable per one-scale shock: variance
        one (Student), on average over the estimation days (volatility), in the first regime.
    coefficients : (chain, draw, regressor, variable); constant first if any, nearest lag first.
    scale : (chain, draw, time, shock), single precision; s on the estimation days.
    hyper : name -> (chain, draw, shock).
    shared : name -> (chain, draw); what belongs to no shock: the tightness, where inferred.
    """

    impact: np.ndarray
    coefficients: np.ndarray
    scale: np.ndarray
    hyper: Mapping[str, np.ndarray]
    shared: Mapping[str, np.ndarray]


class StructuralDraws:
    """Four Gibbs chains of a structural VAR, advanced on demand.

    Attributes
    ----------
    variables, time, constant, chains : as of a reduced form.
    law : of the shocks.
    notes : numbers for the manifest.
    """

    def __init__(self, spec: ModelSpec, frame: pd.DataFrame, seed: np.random.SeedSequence) -> None:
        lags = spec.system.lags
        self.variables = spec.system.variables
        self.time = pd.DatetimeIndex(frame.index[lags:])
        self.constant = spec.system.constant
        self.chains = CHAINS
        self.law = law_of(spec, self.time)
        self._standard, series = standardised(spec, frame)
        response, regressors = niw.design(series, lags=lags, constant=self.constant)
        conjugate, prior = prior_of(spec, series)
        found = niw.posterior(conjugate, response, regressors)
        spread = niw.autoregressive_spread(series)
        units = coordinates(regressors, spread, conjugate.precision)
        self._change = units.change()
        self._inferred = prior.shape > 0
        z, inner = units.data(response, regressors), prior.moved(self._change)
        self._running = []
        for own in map(np.random.default_rng, seed.spawn(CHAINS)):
            start = form.scattered_rows(found.mean, found.scale / found.dof, own)
            self._running.append(form.Chain(z, inner, self.law, units.inward(start), own))
        wandering = self.law.code == gibbs.VOLATILITY
        burn_in = max(BURN_IN, BURN_IN_STATES * len(self.variables) * wandering)
        self._each(burn_in, 1)
        self.notes: Mapping[str, object] = {
            "law": "regimes" if spec.scheme.breaks else spec.errors.law,
            "burn_in": burn_in,
        }

    def batch(self, draws: int, *, every: int = 1) -> StructuralBatch:
        """Advance every chain to ``draws`` further states, ``every`` sweeps apart."""
        kept = self._each(every, draws)
        rows = np.stack([k.rows for k in kept]) @ self._change.T
        impact, coefficients = structural_coefficients(rows)
        scale = np.stack([k.precision for k in kept]).swapaxes(2, 3) ** -0.5
        if self.law.code == gibbs.VOLATILITY:  # its level and the row's size are known together
            size = np.sqrt((scale**2).mean(2, dtype=float))
            impact, scale = impact * size[:, :, None], scale / size[:, :, None].astype(np.float32)
        hyper = np.stack([k.hyper for k in kept])
        return StructuralBatch(
            impact=self._standard.impact(impact),
            coefficients=self._standard.coefficients(coefficients),
            scale=scale,
            hyper={name: hyper[..., i] for i, name in enumerate(self.law.names)},
            shared={"tightness": np.stack([k.tightness for k in kept])} if self._inferred else {},
        )

    def _each(self, every: int, draws: int) -> list[form.Kept]:
        """Advance all chains; each has its own generator, so threads change nothing."""
        with ThreadPoolExecutor(allowed(self.chains)) as pool:
            return list(pool.map(lambda chain: chain.advance(draws, every=every), self._running))


def structural_draws(
    spec: ModelSpec,
    values: pd.DataFrame,
    *,
    seed: int | np.random.SeedSequence,
    event_in: str = "out",
) -> StructuralDraws:
    r"""Start four chains of the Gibbs sampler of a structural VAR with a law per shock.

    The prior: :math:`\Sigma^{-1} = A_0'A_0` is Wishart with n + 2 degrees of freedom and
    :math:`E\,\Sigma = \mathrm{diag}(s^2)`, s the spreads of univariate autoregressions, the
    rotation uniform; given :math:`A_0`, rows of :math:`A_+` are independent Minnesota.  It is the
    prior of every other kind of model here, written for rows, and knows neither units nor order.

    Parameters
    ----------
    values : (time, variable); unit of the variable.
    event_in : ``out`` ends the sample before ``event.hold_out``, ``in`` at ``sample.end``.

    Raises
    ------
    SpecError
        If the law has no part per shock, or a setting cannot be met.
    DataError
        If the sample cannot be used, or a regime is too short.

    References
    ----------
    waggoner2003; sims1998; lutkepohl2025
    """
    refuse_settings(spec, CHAINS, event_in, estimator="a law per shock")
    frame = estimation_sample(spec, values, event_in, last=spec.sample.end)
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    return StructuralDraws(spec, frame, root)


def law_of(spec: ModelSpec, time: pd.DatetimeIndex) -> form.ShockLaw:
    """Return the law of the shocks that the model file names.

    Raises
    ------
    SpecError, DataError
        If no law per shock is named, or the regimes do not divide the sample.
    """
    errors, breaks, place = spec.errors, spec.scheme.breaks, f"model '{spec.name}'"
    if errors.outliers:
        raise SpecError(
            f"{place}: errors.outliers has days, and law '{errors.law}' is one per shock with a"
            " scale of its own on every day; remove the outliers"
        )
    if breaks and errors.law != "gaussian":
        raise SpecError(
            f"{place}: scheme.breaks goes with law 'gaussian', found '{errors.law}'; drop one"
        )
    if breaks:
        return form.regimes(spell_of(spec, time))
    if errors.law == "independent_t":
        if errors.dof is not None and errors.dof <= 2.0:
            raise SpecError(
                f"{place}: errors.dof is {errors.dof:g}; shocks of variance one need more than 2"
            )
        return form.independent_t(len(time), errors.dof)
    if errors.law == "stochastic_volatility":
        return form.stochastic_volatility(len(time))
    raise SpecError(
        f"{place}: law '{errors.law}' cannot tell shocks apart; use 'independent_t',"
        " 'stochastic_volatility', or name the days on which variances change in scheme.breaks"
    )


def spell_of(spec: ModelSpec, time: pd.DatetimeIndex) -> np.ndarray:
    """Return the regime of each estimation day (time,), from zero; refuse one that is too short."""
    breaks = pd.DatetimeIndex([pd.Timestamp(day) for day in sorted(spec.scheme.breaks)])
    spell = np.asarray(breaks.searchsorted(time, side="right"), dtype=np.int64)
    count = np.bincount(spell, minlength=len(breaks) + 1)
    least = len(spec.system.variables) + 1
    for regime, days in enumerate(count):
        if days < least:
            first = time[0] if regime == 0 else breaks[regime - 1]
            raise DataError(
                f"model '{spec.name}': the regime from {first:%Y-%m-%d} has {days} days in the"
                f" estimation sample and needs {least}; move or drop its break"
            )
    return spell
