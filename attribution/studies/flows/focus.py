r"""Rows of one fund under their readings, the prior of their regression, and draws of it.

The model is that of ``studies.flows.focus_gibbs``.  A row of both days, the first after a switch,
has
the orders of both: regressors of days add up, and with errors of like scale on either day

.. math:: \frac{y_t}{\sqrt 2} = \frac{x_t(2)'}{\sqrt 2}\beta + \sigma_t(2)\,\varepsilon_t, \qquad
          \log\sigma_t(2) = \tfrac12 \{z_t(0) + z_t(1)\}'\gamma

so that over the root of two it is a row like any other.  A row of neither day has no flow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numba as nb
import numpy as np
from numba import njit

from attribution.studies.flows.dating import DatingPrior, add_logs

HOLDS = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
"""Shares of its own day's orders, and of the day's before, that a row of same day, previous day and
both days holds (reading, 2)."""
SIZE = np.sqrt(HOLDS.sum(axis=1))
"""What a row is measured in under these readings."""
FORCED = 1e4
"""Log odds of a reading that is known."""


@dataclass(frozen=True)
class FocusPrior:
    """Prior of one fund's regression, in the unit of its rows.

    Attributes
    ----------
    scale : (regressor,), prior standard deviation of β, whose mean is zero.
    sign : (regressor,), +1, -1 or 0; signed regressors come last.
    spread : (scale regressor,), prior standard deviation of γ, whose mean is zero.
    grid, weight : (point,), values of ν, increasing, and their log prior probability.
    dating : of the path of readings.
    """

    scale: np.ndarray
    sign: np.ndarray
    spread: np.ndarray
    grid: np.ndarray
    weight: np.ndarray
    dating: DatingPrior

    def __post_init__(self) -> None:
        if len(self.scale) != len(self.sign) or len(self.grid) != len(self.weight):
            raise ValueError("the prior's parts differ in length")
        if np.any(np.diff(np.abs(self.sign)) < 0):
            raise ValueError("regressors with a sign come last")


@dataclass(frozen=True)
class FocusRows:
    """Rows of one fund under the readings same day and previous day.

    Attributes
    ----------
    y : (time,), any finite number where the row is not used.
    x : (reading, time, regressor); z : (reading, time, scale regressor).
    used : (time,), whether the row enters the likelihood.
    known : (time,), 0 or 1 where the reading is known, -1 where it is not.
    of_row : (regressor,), those that belong to the row and not to the days that it stands for; left
        out, those that are the same under either reading.
    """

    y: np.ndarray
    x: np.ndarray
    z: np.ndarray
    used: np.ndarray
    known: np.ndarray
    of_row: np.ndarray | None = None

    def __post_init__(self) -> None:
        time = len(self.y)
        if self.x.shape[:2] != (2, time) or self.z.shape[:2] != (2, time):
            raise ValueError(f"regressors {self.x.shape}, {self.z.shape} do not lie on {time} rows")
        if not all(np.isfinite(part).all() for part in (self.y, self.x, self.z)):
            raise ValueError("a row is not finite")

    @property
    def laid(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows, regressors and scale regressors (reading, time, ...), also of both days' rows.

        In units of ``SIZE``.
        """
        return self.under(HOLDS)

    def under(self, holds: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Do the same where rows hold shares (reading, 2) of their own day and the day before.

        In units of the root of their sum, which is above zero.
        """
        of_row = (self.x[0] == self.x[1]).all(axis=0) if self.of_row is None else self.of_row
        own, before = holds.T[:, :, None, None]
        size = np.sqrt(own + before)
        x = np.where(of_row, self.x[0], own * self.x[0] + before * self.x[1]) / size
        z = (own * self.z[0] + before * self.z[1]) / size**2
        return self.y / size[:, :, 0], x, z

    def only(self, used: np.ndarray) -> FocusRows:
        """Return the same rows of which these alone enter the likelihood."""
        return replace(self, used=used)


@dataclass(frozen=True)
class FocusDraws:
    """Draws: β (draw, regressor), γ (draw, scale regressor), ν (draw,), readings (draw, time).

    ``accepted`` is the share of proposals of γ.  Readings are places in ``dating.READINGS``.
    """

    beta: np.ndarray
    gamma: np.ndarray
    nu: np.ndarray
    path: np.ndarray
    accepted: float

    @property
    def holds(self) -> tuple[np.ndarray, np.ndarray]:
        """Whether a row holds orders of its own day, and of the day before (draw, time)."""
        return (self.path == 0) | (self.path == 2), (self.path == 1) | (self.path == 2)


def degrees(
    low: float = 2.2, high: float = 60.0, points: int = 24
) -> tuple[np.ndarray, np.ndarray]:
    r"""Return a grid of ν, even in logs, and log weights of a Gamma(2, 0.1) prior cut to it.

    References
    ----------
    juarez2010
    """
    grid = np.geomspace(low, high, points)
    weight = 2.0 * np.log(grid) - 0.1 * grid  # density times spacing
    return grid, weight - np.logaddexp.reduce(weight)


# Draws from about two modes in; moves between the modes that leave the posterior alone, out.

TAIL = 5.0
"""Degrees of freedom of the laws."""
LEAN = 0.1
"""Share by which their variances exceed those of the draws, which are few."""
TINY = 1e-30
HALF_LOG_TWO = 0.5 * math.log(2.0)


@dataclass(frozen=True)
class Jumps:
    r"""A mixture of laws, evenly weighted.

    Rows read a day late may be told by other coefficients almost as well, and no step that keeps
    the readings gets from one mode to the other. So every few sweeps a whole vector is proposed
    from a mixture q of two laws, one fitted to each mode, and taken with probability

    .. math:: \min\left\{1, \frac{p(\theta' \mid y)\, q(\theta)}{p(\theta \mid y)\,
        q(\theta')}\right\},

    the readings and the scales of the rows integrated out. The laws are Student-t of β (the log of
    one with a sign) and γ, beside frequencies of ν.

    Attributes
    ----------
    center : (mode, entry).  root : (mode, entry, entry), factor of its scale, and ``inverse``.
    height : (mode,), log density at the centre.  points : (mode, point), log frequencies of ν.
    """

    center: np.ndarray
    root: np.ndarray
    inverse: np.ndarray
    height: np.ndarray
    points: np.ndarray


def fit_jumps(prior: FocusPrior, modes: list[FocusDraws]) -> Jumps:
    """Fit one law to the draws about each mode."""
    center, root, points = [], [], []
    for found in modes:
        values = np.column_stack([_unbound(found.beta, prior.sign), found.gamma])
        cov = np.atleast_2d(np.cov(values.T))
        cov += np.diag(LEAN * np.diag(cov) + TINY)
        center.append(values.mean(axis=0))
        root.append(np.linalg.cholesky(cov))
        count = (found.nu[:, None] == prior.grid).sum(axis=0) + 1.0
        points.append(np.log(count / count.sum()))
    roots = np.array(root)
    d = roots.shape[1]
    each = (
        math.lgamma(0.5 * (TAIL + d)) - math.lgamma(0.5 * TAIL) - 0.5 * d * math.log(TAIL * np.pi)
    )
    height = each - np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(axis=1)
    height = height - math.log(len(roots))
    return Jumps(np.array(center), roots, np.linalg.inv(roots), height, np.array(points))


def propose(
    jumps: Jumps, prior: FocusPrior, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw β (count, regressor), γ (count, scale regressor) and the place of ν (count,)."""
    modes, d = jumps.center.shape
    mode = rng.integers(modes, size=count)
    normal = rng.standard_normal((count, d)) * np.sqrt(TAIL / rng.chisquare(TAIL, (count, 1)))
    values = jumps.center[mode] + np.einsum("sij,sj->si", jumps.root[mode], normal)
    below = np.exp(jumps.points).cumsum(axis=1)[mode]
    at = (rng.random(count)[:, None] > below).sum(axis=1)
    k = len(prior.sign)
    bound = prior.sign * np.exp(np.clip(values[:, :k], -600.0, 600.0))
    beta = np.where(prior.sign == 0, values[:, :k], bound)
    return beta, values[:, k:].copy(), np.minimum(at, len(prior.grid) - 1)


def _unbound(beta: np.ndarray, sign: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.where(sign == 0, beta, np.log(np.abs(beta) + TINY))
    return found


@njit(cache=True, nogil=True)
def log_odds(rows, law, laws, beta, gamma, at, ratio):  # type: ignore[no-untyped-def]
    """Log posterior density less the mixture's, but for a constant; ``ratio`` is overwritten."""
    own, sign, spread, grid, weight, dating = law
    density = log_mixture(laws, sign, beta, gamma, at)
    total = log_rows(rows, dating, beta, gamma, grid[at], ratio) + weight[at]
    return total - 0.5 * ((own * beta**2).sum() + (spread * gamma**2).sum()) - density


@njit(cache=True, nogil=True)
def log_rows(rows, dating, beta, gamma, nu, ratio):  # type: ignore[no-untyped-def]
    """Log likelihood of the rows, summed over readings; those known shift it by a constant."""
    y, x, z, seen, force, shut = rows
    ratio[:] = force
    turn = shut.copy()
    each = math.lgamma(0.5 * (nu + 1.0)) - math.lgamma(0.5 * nu) - 0.5 * math.log(nu * math.pi)
    total = len(seen) * each
    half, far = 0.5 * (nu + 1.0), np.empty(3)
    level = (np.dot(z[0], gamma), np.dot(z[1], gamma), np.dot(z[2], gamma))
    fit = (np.dot(x[0], beta), np.dot(x[1], beta), np.dot(x[2], beta))
    for i in range(len(seen)):
        for lag in range(3):
            square = ((y[lag, i] - fit[lag][i]) * math.exp(-level[lag][i])) ** 2
            far[lag] = level[lag][i] + half * math.log1p(square / nu)
        total -= far[0]
        ratio[seen[i]] += far[0] - far[1]
        turn[0, seen[i]] += far[0] - far[2] - HALF_LOG_TWO
    whole = ratio.sum()
    mass, before = add_logs(dating[0], dating[1] + whole), 0.0
    for t in range(1, len(ratio)):
        before += ratio[t - 1]
        mass = add_logs(mass, dating[2] + before + turn[0, t])
        mass = add_logs(mass, dating[3] + whole - before + turn[1, t])
    return total + mass


@njit(cache=True, nogil=True)
def log_mixture(laws, sign, beta, gamma, at):  # type: ignore[no-untyped-def]
    """Log density of the mixture."""
    center, inverse, height, points = laws
    k, d = len(beta), center.shape[1]
    value, jacobian = np.empty(d), 0.0
    for j in range(k):
        value[j] = beta[j]
        if sign[j] != 0:
            value[j] = math.log(abs(beta[j]) + TINY)
            jacobian -= value[j]
    value[k:] = gamma
    found = -np.inf
    for c in range(len(center)):
        away = np.dot(inverse[c], value - center[c])
        tail = math.log1p((away**2).sum() / TAIL)
        found = add_logs(found, height[c] + points[c, at] - 0.5 * (TAIL + d) * tail)
    return found + jacobian


@njit(cache=True, nogil=True)
def all_odds(rows, law, laws, beta, gamma, at):  # type: ignore[no-untyped-def]
    """Fill ``log_odds`` of many vectors (count,)."""
    found, ratio = np.empty(len(at)), np.empty(len(rows[4]))
    for s in range(len(at)):
        found[s] = log_odds(rows, law, laws, beta[s], gamma[s], at[s], ratio)
    return found


# Draws of one fund's regression in; the likelihood of its rows under every reading out.


def log_likelihoods(
    rows: FocusRows, draws: FocusDraws, at: np.ndarray, *, peak: bool = False
) -> np.ndarray:
    r"""Log density of each row, the mixture over its scale integrated out.

    .. math:: \log t_\nu\!\left(\frac{y_t - x_t(l)'\beta}{\sigma_t(l)}\right) - \log\sigma_t(l)

    Parameters
    ----------
    at : (time,), rows to be taken; others get zero, as rows that say nothing.
    peak : the density at its mode instead, the most that any shift of the mean could reach.

    Returns
    -------
    (reading, draw, time), in the order of ``dating.READINGS``; a flow never stands for neither day.
    """
    whole = np.full((4, len(draws.nu), len(rows.y)), -np.inf)
    whole[:3] = held_likelihoods(rows, draws, at, HOLDS, peak=peak)
    whole[3][:, ~np.asarray(at, bool)] = 0.0
    return whole


def held_likelihoods(
    rows: FocusRows, draws: FocusDraws, at: np.ndarray, holds: np.ndarray, *, peak: bool = False
) -> np.ndarray:
    """Do the same where rows hold shares (reading, 2) of two days' orders, some of either."""
    seen = np.flatnonzero(at)
    y, x, z = rows.under(holds)
    found: np.ndarray = _fill(
        np.ascontiguousarray(y[:, seen]),
        np.ascontiguousarray(x[:, seen]),
        np.ascontiguousarray(z[:, seen]),
        draws.beta,
        draws.gamma,
        draws.nu,
        0.0 if peak else 1.0,
    )
    whole = np.zeros((len(holds), len(draws.nu), len(rows.y)))
    whole[:, :, seen] = found - 0.5 * np.log(holds.sum(axis=1))[:, None, None]
    return whole


@nb.njit(cache=True, nogil=True)
def _fill(y, x, z, beta, gamma, nu, on):  # type: ignore[no-untyped-def]
    found = np.empty((len(y), len(nu), y.shape[1]))
    for s in range(len(nu)):
        each = math.lgamma(0.5 * (nu[s] + 1.0)) - math.lgamma(0.5 * nu[s])
        each -= 0.5 * math.log(nu[s] * math.pi)
        for lag in range(len(y)):
            fit, level = np.dot(x[lag], beta[s]), np.dot(z[lag], gamma[s])
            for i in range(y.shape[1]):
                square = on * ((y[lag, i] - fit[i]) * math.exp(-level[i])) ** 2
                far = math.log1p(square / nu[s])
                found[lag, s, i] = each - level[i] - 0.5 * (nu[s] + 1.0) * far
    return found
