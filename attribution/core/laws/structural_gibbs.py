r"""Data, a prior and a law per shock in; sweeps of the Gibbs sampler of a structural VAR out.

.. math:: e_{kt} = a_k'y_t + b_k'x_t, \qquad e_{kt} \mid \omega_{kt} \sim N(0, 1/\omega_{kt}),
    \qquad p(\theta) \propto |\det A_0|^{\nu-n} \exp(-\tfrac12 \sum_k \theta_k' M_0 \theta_k)

with :math:`\theta_k = (b_k, a_k)`, so that :math:`b_k` is minus the row of :math:`A_+`.  Given
the precisions a row has the density :math:`|\det A_0|^{T+\nu-n} \exp(-\tfrac12 \theta_k' M_k
\theta_k)`, :math:`M_k = M_0 + Z'\Omega_k Z`.  In :math:`w = L'\theta_k`, :math:`M_k = LL'`, only
the projection of w on the direction that the determinant sees is not standard normal: its square
is chi-squared with :math:`T + \nu - n + 1` degrees of freedom.  The draw is exact.

A sweep visits the shocks in turn, the law of each before its row.  The prior is invariant to
signed permutations of the rows: draws carry no labels.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

UNIT, STUDENT, STUDENT_FIXED, REGIMES, VOLATILITY = range(5)
"""Variance one; inverse-gamma mixing with degrees of freedom inferred or given; one variance a
regime; a log-variance that wanders."""
_DOF, _LOG_RATIO, _PERSISTENCE, _SPREAD, _LOADING, _LEVEL, _TIGHTNESS = range(7)
LEAST_DOF = 2.1
TINY = 1e-200
"""Least squared shock whose logarithm enters a proposal; the target never sees it."""

# weights, means and variances of ten normals for the log of a squared normal (omori2007, table 1)
HEIGHT = np.array([609, 4775, 13057, 20674, 22715, 18842, 12047, 5591, 1575, 115]) / 1e5
CENTER = np.array(
    [1.92677, 1.34744, 0.73504, 0.02266, -0.85173, -1.97278, -3.46788, -5.55246, -8.68384, -14.65]
)
SQUARE = np.array(
    [0.11265, 0.17788, 0.26768, 0.40611, 0.62699, 0.98583, 1.57469, 2.54498, 4.16591, 7.33342]
)
HEIGHT = HEIGHT / np.sqrt(2.0 * np.pi * SQUARE)


@njit(cache=True, nogil=True)
def sweeps(law, z, base, tight, power, spell, prior, state, every, kept, rng):  # type: ignore[no-untyped-def]
    """Run ``every`` sweeps before each draw kept; ``state`` and ``kept`` are written to.

    ``z`` (time, regressor + variable); the prior's form is base + tight / tightness²; ``power`` is
    T + ν − n; ``spell`` (time,) the regime of each day, from zero; ``prior`` three constants of the
    law's prior, shape and rate of the tightness (shape zero keeps it), and how many coefficients
    of a row it scales; ``state`` rows (shock, coordinate), precision (shock, time), hyper (shock,
    hyperparameter) and tightness (1,); ``kept`` the same with a leading axis of draws.
    """
    rows, precision, hyper, shared = state
    n, draws = rows.shape[0], kept[0].shape[0]
    pull = base + tight / shared[0] ** 2
    for draw in range(draws):
        for _ in range(every):
            for k in range(n):
                e = np.dot(z, rows[k])
                if law in (STUDENT, STUDENT_FIXED):
                    _student(law, e, precision[k], hyper[k], prior, rng)
                elif law == REGIMES:
                    _regimes(e, precision[k], hyper[k], spell, prior, rng)
                elif law == VOLATILITY:
                    _volatility(e, precision[k], hyper[k], prior, rng)
                    _level(rows[k], precision[k], hyper[k], pull, power, rng)
                _row(k, rows, z, precision[k], pull, power, rng)
            if prior[3] > 0.0:
                size = np.sum(rows * np.dot(rows, tight))
                known = np.array([n * prior[5], size, prior[3], prior[4]])
                x = _slice(_TIGHTNESS, math.log(shared[0]), 0.3, known, z[0], z[0], rng)
                shared[0] = math.exp(x)
                pull = base + tight / shared[0] ** 2
        kept[0][draw] = rows
        kept[1][draw] = precision
        kept[2][draw] = hyper
        kept[3][draw] = shared


@njit(cache=True, nogil=True)
def _row(k, rows, z, precision, pull, power, rng):  # type: ignore[no-untyped-def]
    """Draw row k given the other rows and its precisions."""
    n, width = rows.shape
    m = width - n
    weighted = z * np.sqrt(precision).reshape(-1, 1)
    lower = np.linalg.cholesky(np.dot(weighted.T, weighted) + pull)
    unit = np.zeros(n)
    unit[k] = 1.0
    seen = np.linalg.solve(rows[:, m:].copy(), unit)  # orthogonal to every other row
    for i in range(n):  # as the determinant sees the standardised coordinates
        for j in range(i):
            seen[i] -= lower[m + i, m + j] * seen[j]
        seen[i] /= lower[m + i, m + i]
    seen /= math.sqrt(np.dot(seen, seen))
    w = rng.standard_normal(width)
    along = math.sqrt(rng.chisquare(power + 1.0))
    if rng.random() < 0.5:
        along = -along
    w[m:] += (along - np.dot(seen, w[m:])) * seen
    for i in range(width - 1, -1, -1):
        rows[k, i] = (w[i] - np.sum(lower[i + 1 :, i] * rows[k, i + 1 :])) / lower[i, i]


@njit(cache=True, nogil=True)
def _student(law, e, precision, hyper, prior, rng):  # type: ignore[no-untyped-def]
    """Degrees of freedom with the mixing integrated out, then the mixing; unit variance."""
    square = e * e
    if law == STUDENT:
        x = _slice(_DOF, math.log(hyper[0] - LEAST_DOF), 1.0, prior, square, square, rng)
        hyper[0] = LEAST_DOF + math.exp(x)
    for t in range(e.shape[0]):
        drawn = rng.standard_gamma(0.5 * (hyper[0] + 1.0))
        precision[t] = drawn / (0.5 * (hyper[0] - 2.0 + square[t]))


@njit(cache=True, nogil=True)
def _regimes(e, precision, hyper, spell, prior, rng):  # type: ignore[no-untyped-def]
    """Draw the variance of each regime relative to the first."""
    known = np.zeros((hyper.shape[0] + 1, 3))
    known[:, 2] = prior[0]
    for t in range(e.shape[0]):
        known[spell[t], 0] += 1.0
        known[spell[t], 1] += e[t] * e[t]
    precision[:] = 1.0
    for r in range(hyper.shape[0]):
        x = _slice(_LOG_RATIO, math.log(hyper[r]), 0.5, known[r + 1], e, e, rng)
        hyper[r] = math.exp(x)
        precision[spell == r + 1] = math.exp(-x)


@njit(cache=True, nogil=True)
def _volatility(e, precision, hyper, prior, rng):  # type: ignore[no-untyped-def]
    """Draw the spread given states in its units (interweaving), states, persistence, spread."""
    square, h = e * e, -np.log(precision)
    unit = h / hyper[1]
    hyper[1] = math.exp(_slice(_LOADING, math.log(hyper[1]), 0.3, prior, square, unit, rng))
    h = hyper[1] * unit
    hyper[2] = _states(h, square, hyper[0], hyper[1], rng)
    days = h.shape[0]
    cross, before = np.dot(h[1:], h[:-1]), np.dot(h[:-1], h[:-1])
    known = np.array([prior[0], prior[1], h[0] ** 2, hyper[1], cross, before])
    x = math.log((1.0 + hyper[0]) / (1.0 - hyper[0]))
    hyper[0] = math.tanh(0.5 * _slice(_PERSISTENCE, x, 1.0, known, h, h, rng))
    rough = h[1:] - hyper[0] * h[:-1]
    size = np.dot(rough, rough) + (1.0 - hyper[0] ** 2) * h[0] ** 2
    known = np.array([float(days), size, prior[2]])
    hyper[1] = math.exp(_slice(_SPREAD, math.log(hyper[1]), 0.3, known, h, h, rng))
    precision[:] = np.exp(-h)


@njit(cache=True, nogil=True)
def _states(h, square, persistence, spread, rng):  # type: ignore[no-untyped-def]
    """Draw the states by the mixture approximation, accept (one) by the exact likelihood.

    The mixture's Gibbs step is reversible with respect to the mixture's posterior, so that the
    acceptance probability is the ratio of exact to approximate likelihood, new against old.
    """
    days = h.shape[0]
    pivot, shift = np.empty(days), np.empty(days)
    ratio, link = 0.0, persistence / spread**2
    share, new, after = np.empty(10), np.empty(days), 0.0
    for t in range(days):
        seen = math.log(max(square[t], TINY))
        total = _mixture(seen - h[t], share)
        ratio += 0.5 * (h[t] + square[t] * math.exp(-h[t])) + math.log(total)
        u, j = rng.random() * total, 0
        while share[j] < u:
            j += 1
        inner = 1.0 + persistence**2 if 0 < t < days - 1 else 1.0
        pivot[t] = inner / spread**2 + 1.0 / SQUARE[j]
        shift[t] = (seen - CENTER[j]) / SQUARE[j]
        if t > 0:
            pivot[t] -= link**2 / pivot[t - 1]
            shift[t] += link * shift[t - 1] / pivot[t - 1]
    for t in range(days - 1, -1, -1):
        new[t] = (shift[t] + link * after) / pivot[t] + rng.standard_normal() / math.sqrt(pivot[t])
        after = new[t]
        total = _mixture(math.log(max(square[t], TINY)) - after, share)
        ratio -= 0.5 * (after + square[t] * math.exp(-after)) + math.log(total)
    if -rng.standard_exponential() < ratio:
        h[:] = new
        return 1.0
    return 0.0


@njit(cache=True, nogil=True)
def _mixture(x, share):  # type: ignore[no-untyped-def]
    """Density at x of the mixture; ``share`` receives the running sum over its parts."""
    total = 0.0
    for j in range(10):
        total += HEIGHT[j] * math.exp(-0.5 * (x - CENTER[j]) ** 2 / SQUARE[j])
        share[j] = total
    return total


@njit(cache=True, nogil=True)
def _level(row, precision, hyper, pull, power, rng):  # type: ignore[no-untyped-def]
    """Move the level of the log-variance and the row's size together: the data cannot tell."""
    h, rest, first = -np.log(precision), 1.0 - hyper[0], 1.0 - hyper[0] ** 2
    slope = first * h[0] + rest * (h[1:] - hyper[0] * h[:-1]).sum()
    known = np.array([slope, first + (len(h) - 1) * rest**2, 0.0, 0.0]) / hyper[1] ** 2
    known[2] = np.dot(row, np.dot(pull, row))
    known[3] = 0.5 * (power - len(h) + len(row))
    move = _slice(_LEVEL, 0.0, 1.0, known, row, row, rng)
    row *= math.exp(0.5 * move)
    precision *= math.exp(-move)


@njit(cache=True, nogil=True)
def _slice(which, x, width, known, square, unit, rng):  # type: ignore[no-untyped-def]
    """Draw from a density on the line by the slice sampler, stepping out (Neal 2003)."""
    height = _log_density(which, x, known, square, unit) - rng.standard_exponential()
    low = x - width * rng.random()
    high = low + width
    while _log_density(which, low, known, square, unit) > height:
        low -= width
    while _log_density(which, high, known, square, unit) > height:
        high += width
    while True:
        new = low + (high - low) * rng.random()
        if _log_density(which, new, known, square, unit) >= height:
            return new
        if new < x:
            low = new
        else:
            high = new


@njit(cache=True, nogil=True)
def _log_density(which, x, known, square, unit):  # type: ignore[no-untyped-def]
    """Logarithm of an unnormalised density of one hyperparameter, on an unbounded scale."""
    value = 0.0
    if which == _DOF:  # x = log(dof - 2.1); gamma prior on dof - 2.1
        room = math.exp(x) + LEAST_DOF - 2.0
        half = 0.5 * (room + 3.0)
        for s in square:
            value -= half * math.log1p(s / room)
        each = math.lgamma(half) - math.lgamma(half - 0.5) - 0.5 * math.log(room)
        value += square.shape[0] * each + known[0] * x - known[1] * math.exp(x)
    elif which == _LOG_RATIO:  # x = log variance; normal prior
        value = -0.5 * (known[0] * x + known[1] * math.exp(-x) + (x / known[2]) ** 2)
    elif which == _PERSISTENCE:  # x = log((1 + phi) / (1 - phi)); beta prior on (1 + phi) / 2
        phi, p = math.tanh(0.5 * x), 1.0 / (1.0 + math.exp(-x))
        q = 1.0 / (1.0 + math.exp(x))
        rough = 4.0 * p * q * known[2] - 2.0 * phi * known[4] + phi**2 * known[5]
        value = (known[0] + 0.5) * math.log(p) + (known[1] + 0.5) * math.log(q)
        value -= 0.5 * rough / known[3] ** 2
    elif which == _SPREAD:  # x = log spread, half-normal prior, given the states
        value = x - known[0] * x
        value -= 0.5 * (known[1] * math.exp(-2.0 * x) + (math.exp(x) / known[2]) ** 2)
    elif which == _LOADING:  # the same, given the states in units of the spread
        spread = math.exp(x)
        for t in range(unit.shape[0]):
            state = spread * unit[t]
            value -= 0.5 * (state + square[t] * math.exp(-state))
        value += x - 0.5 * (spread / known[2]) ** 2
    elif which == _LEVEL:
        value = (known[3] - known[0]) * x - 0.5 * (known[1] * x**2 + known[2] * math.exp(x))
    else:  # x = log tightness; gamma prior
        value = -known[0] * x - 0.5 * known[1] * math.exp(-2.0 * x)
        value += known[2] * x - known[3] * math.exp(x)
    return value
