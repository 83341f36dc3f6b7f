r"""Draws from about two modes in; moves between the modes that leave the posterior alone, out.

Rows read a day late may be told by other coefficients almost as well, and no step that keeps the
readings gets from one mode to the other.  So every few sweeps a whole vector is proposed from a
mixture q of two laws, one fitted to each mode, and taken with probability

.. math:: \min\left\{1, \frac{p(\theta' \mid y)\, q(\theta)}{p(\theta \mid y)\, q(\theta')}\right\},

the readings and the scales of the rows integrated out.  The laws are Student-t of β (the log of
one with a sign) and γ, beside frequencies of ν.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from attribution.core.dating_sums import add_logs
from attribution.core.focus import FocusDraws, FocusPrior

TAIL = 5.0
"""Degrees of freedom of the laws."""
LEAN = 0.1
"""Share by which their variances exceed those of the draws, which are few."""
TINY = 1e-30
HALF_LOG_TWO = 0.5 * math.log(2.0)


@dataclass(frozen=True)
class Jumps:
    """A mixture of laws, evenly weighted.

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
