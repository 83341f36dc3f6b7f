"""Daily changes of a basis that is read with error in; posterior draws of the true changes out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from attribution.errors import DataError

# Changes of a level that is seen with error in; posterior draws of the true changes out.

BURN = 500
SHAPE = 1.0
"""Of the inverse gamma priors of m and tau squared."""


@dataclass(frozen=True)
class Observed:
    r"""Observed changes, in time order.

    .. math::
        d_t = \Delta_t + e_t - e_{t-1}, \qquad \Delta_t \sim N(0, \tau^2 \lambda_t), \qquad
        1 / \lambda_t \sim \mathrm{Gamma}(\nu / 2, \nu / 2), \qquad e_t \sim N(0, m\,u_t^2)

    with known :math:`u_t`: true changes are Student-t. Errors of a level make successive changes
    opposite, which tells m from :math:`\tau^2`, and a jump that the next day takes back from one
    that stays. Gibbs sampling; the path is drawn by correcting a simulated one (Durbin and Koopman,
    2002).

    Attributes
    ----------
    change : (n,); d.
    now, before : (n,); u squared on the day of the change and on the day before.
    follows : (n,); whether the change starts where the one in the row above ends.
    """

    change: np.ndarray
    now: np.ndarray
    before: np.ndarray
    follows: np.ndarray


@dataclass(frozen=True)
class Smoothed:
    """Posterior draws: the true changes (draw, n), m (draw,) and tau (draw,)."""

    true: np.ndarray
    size: np.ndarray
    tau: np.ndarray


def smooth(
    seen: Observed,
    *,
    draws: int,
    rng: np.random.Generator,
    size: float = 0.0,
    usual: float = 2.0,
    dof: float = 4.0,
) -> Smoothed:
    """Draw the true changes, m and tau.

    Parameters
    ----------
    size : m, where it is known; zero: estimated, its prior an inverse gamma with mode ``usual``/2.
    dof : degrees of freedom of the true changes.
    """
    follows = np.asarray(seen.follows, bool).copy()
    follows[0] = False
    n = len(seen.change)
    steps = draws + BURN
    errors = n + int((~follows).sum())
    normal = rng.standard_normal((steps, 3, n))
    gammas = (
        rng.standard_gamma(0.5 * (dof + 1.0), (steps, n)),
        rng.standard_gamma(SHAPE + 0.5 * errors, steps),
        rng.standard_gamma(SHAPE + 0.5 * n, steps),
    )
    arrays = [np.ascontiguousarray(x, float) for x in (seen.change, seen.now, seen.before)]
    scale = 0.25 * float(np.var(seen.change))
    true, scales = np.empty((steps, n)), np.empty((steps, 2))
    start = (usual if size == 0.0 else size, scale)
    prior = (usual, scale, dof)
    _gibbs(*arrays, follows, size == 0.0, *start, *prior, normal, *gammas, true, scales)
    return Smoothed(true[BURN:], scales[BURN:, 0], np.sqrt(scales[BURN:, 1]))


@njit(cache=True)
def _gibbs(  # type: ignore[no-untyped-def]
    change, now, before, follows, free, m, tau2, usual, scale, dof,
    normal, of_spread, of_size, of_tau, true, scales,
):  # fmt: skip
    """Draw the path, m, the spreads and tau in turn; each gamma variate has a fixed shape."""
    n = change.size
    spread, variance = np.ones(n), np.empty(n)
    late, early = np.empty(n), np.empty(n)
    pivot, x = np.empty(n), np.empty(n)
    for step in range(normal.shape[0]):
        delta = true[step]
        for t in range(n):
            variance[t] = tau2 * spread[t]
        _path(change, now, before, follows, variance, m, normal[step], delta, late, early, pivot, x)
        total, rest = 0.0, 0.0
        for t in range(n):
            total += late[t] ** 2 / now[t]
            if not follows[t]:
                total += early[t] ** 2 / before[t]
            spread[t] = 0.5 * (dof + delta[t] ** 2 / tau2) / of_spread[step, t]
            rest += delta[t] ** 2 / spread[t]
        if free:
            m = (usual + 0.5 * total) / of_size[step]
        tau2 = (scale + 0.5 * rest) / of_tau[step]
        scales[step, 0], scales[step, 1] = m, tau2


@njit(cache=True)
def _path(  # type: ignore[no-untyped-def]
    change, now, before, follows, variance, m, normal, delta, late, early, pivot, x
):
    """Draw changes and errors given their variances; every change is met exactly."""
    n = change.size
    for t in range(n):
        delta[t] = math.sqrt(variance[t]) * normal[0, t]
        late[t] = math.sqrt(m * now[t]) * normal[1, t]
        early[t] = late[t - 1] if follows[t] else math.sqrt(m * before[t]) * normal[2, t]
        x[t] = change[t] - delta[t] - late[t] + early[t]
    _solve(now, before, follows, variance, m, pivot, x)
    for t in range(n):
        delta[t] += variance[t] * x[t]
        after = x[t + 1] if t + 1 < n and follows[t + 1] else 0.0
        late[t] += m * now[t] * (x[t] - after)
        if follows[t]:
            early[t] = late[t - 1]
        else:
            early[t] -= m * before[t] * x[t]


@njit(cache=True)
def _solve(now, before, follows, variance, m, pivot, x):  # type: ignore[no-untyped-def]
    """Solve with the covariance of the observed changes, tridiagonal, in place."""
    n = x.size
    for t in range(n):
        pivot[t] = variance[t] + m * (now[t] + before[t])
        if follows[t]:
            factor = -m * before[t] / pivot[t - 1]
            pivot[t] += factor * m * before[t]
            x[t] -= factor * x[t - 1]
    x[n - 1] /= pivot[n - 1]
    for t in range(n - 2, -1, -1):
        beside = -m * before[t + 1] if follows[t + 1] else 0.0
        x[t] = (x[t] - beside * x[t + 1]) / pivot[t]


MISMATCH = 10.0
"""Prior guess of the error of a reading, basis points: two clocks that are 0.1 % apart."""
DOF = 4.0
"""Of the true changes, as ``studies.flows.true_basis`` has it."""
FEWEST = 40


@dataclass(frozen=True)
class TrueBasis:
    """True changes of a basis, less their mean: a basis narrows as its contract nears expiry.

    Attributes
    ----------
    change : (draw, time), basis points; on days without a reading drawn from their law.
    error : standard deviation of the error of one reading, basis points; tau : scale of the true
        changes; both posterior means.
    """

    change: np.ndarray
    error: float
    tau: float

    @property
    def mean(self) -> np.ndarray:
        """Posterior mean (time,)."""
        found: np.ndarray = self.change.mean(axis=0)
        return found


def true_basis(change: np.ndarray, *, draws: int, rng: np.random.Generator) -> TrueBasis:
    """Tell true changes (time,) from errors of reading, which the next change takes back.

    Raises
    ------
    DataError
        If too few changes were observed.
    """
    seen = np.isfinite(change)
    if seen.sum() < FEWEST:
        raise DataError(
            f"basis: {int(seen.sum())} daily changes were observed and {FEWEST} are needed to tell"
            " changes from errors of reading; lengthen the sample"
        )
    centred = change[seen] - change[seen].mean()
    places = np.flatnonzero(seen)
    follows = np.diff(places, prepend=-2) == 1
    one = np.ones(len(centred))
    found = smooth(
        Observed(centred, one, one, follows), draws=draws, rng=rng, usual=MISMATCH**2, dof=DOF
    )
    whole = rng.standard_t(DOF, (draws, len(change))) * found.tau[:, None]
    whole[:, seen] = found.true
    return TrueBasis(whole, float(np.sqrt(found.size).mean()), float(found.tau.mean()))
