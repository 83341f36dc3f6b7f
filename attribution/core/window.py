"""The recursion compiled: errors, shocks, contributions and baselines of many draws, date by date.

Arrays enter and leave; draws are their first axis.  :mod:`attribution.core.propagate` says the
same in plain numpy.  Paths are kept with time running backwards, so that the lags of a date lie
behind it in one piece, nearest first, and a step is a product of coefficients and such a piece.
"""

from __future__ import annotations

import numpy as np
from numba import njit

REORDER = {"reassoc", "contract", "nsz"}
"""Sums may be taken in any order; what is not finite stays so."""


@njit(cache=True, nogil=True)
def _rows(lag_coefficients, out):  # type: ignore[no-untyped-def]
    """Lay (lag, variable, regressor) out as (variable, lag x regressor)."""
    lags, n, _ = lag_coefficients.shape
    for lag in range(lags):
        for v in range(n):
            for r in range(n):
                out[v, lag * n + r] = lag_coefficients[lag, v, r]


@njit(cache=True, nogil=True, fastmath=REORDER)
def _advance(rows, path, at):  # type: ignore[no-untyped-def]
    """Add to the date at ``at`` what the lags behind it carry over; four rows share one pass."""
    n, m = rows.shape
    lags = at + n
    whole = n - n % 4
    for v in range(0, whole, 4):
        a, b, c, d = 0.0, 0.0, 0.0, 0.0
        for i in range(m):
            x = path[lags + i]
            a += rows[v, i] * x
            b += rows[v + 1, i] * x
            c += rows[v + 2, i] * x
            d += rows[v + 3, i] * x
        path[at + v] += a
        path[at + v + 1] += b
        path[at + v + 2] += c
        path[at + v + 3] += d
    for v in range(whole, n):
        total = 0.0
        for i in range(m):
            total += rows[v, i] * path[lags + i]
        path[at + v] += total


@njit(cache=True, nogil=True, fastmath=REORDER)
def errors(lag_coefficients, intercept, lagged, observed):  # type: ignore[no-untyped-def]
    """One-step errors (draw, time, variable); ``lagged`` is (time, lag x variable)."""
    draws, lags, n, _ = lag_coefficients.shape
    m = lags * n
    out = np.empty((draws, len(observed), n))
    rows = np.empty((n, m))
    for draw in range(draws):
        _rows(lag_coefficients[draw], rows)
        for t in range(len(observed)):
            for v in range(n):
                total = 0.0
                for i in range(m):
                    total += rows[v, i] * lagged[t, i]
                out[draw, t, v] = observed[t, v] - intercept[draw, v] - total
    return out


@njit(cache=True, nogil=True)
def carry(  # type: ignore[no-untyped-def]
    lag_coefficients, intercept, impact, shocks, slot, carried, baseline, contribution
):
    """Write what is expected and what each channel adds, every variable, on consecutive dates.

    Parameters
    ----------
    lag_coefficients : (draw, lag, variable, regressor).
    intercept : (draw, variable).
    impact : (draw, variable, shock).
    shocks : (draw, time, shock).
    slot : (shock,); the channel that each shock is summed into.
    carried : (draw, lag x variable, shock + 1); contributions, and in the last column the
        baseline, on the dates before, nearest first; on return those of the last dates.
    baseline : (draw, time, variable), written.
    contribution : (draw, time, variable, channel), written.
    """
    draws, lags, n, _ = lag_coefficients.shape
    steps, k = shocks.shape[1:]
    m = lags * n
    rows, path = np.empty((n, m)), np.empty((steps * n + m, k + 1))
    for draw in range(draws):
        _rows(lag_coefficients[draw], rows)
        path[steps * n :] = carried[draw]
        for t in range(steps):
            at = (steps - 1 - t) * n
            np.dot(rows, path[at + n : at + n + m], path[at : at + n])
            contribution[draw, t] = 0.0
            for v in range(n):
                for j in range(k):
                    path[at + v, j] += impact[draw, v, j] * shocks[draw, t, j]
                    contribution[draw, t, v, slot[j]] += path[at + v, j]
                path[at + v, k] += intercept[draw, v]
                baseline[draw, t, v] = path[at + v, k]
        carried[draw] = path[:m]


@njit(cache=True, nogil=True, fastmath=REORDER)
def _project(row, struck, j, response):  # type: ignore[no-untyped-def]
    """Write the responses to one shock: the row of each horizon times its impact."""
    n, steps = struck.shape[1], len(response)
    for h in range(steps):
        at = (steps - 1 - h) * n
        size = 0.0
        for v in range(n):
            size += row[at + v] * struck[j, v]
        response[h] = size


@njit(cache=True, nogil=True, fastmath=REORDER)
def _convolve(response, shock, day, total, i):  # type: ignore[no-untyped-def]
    """Add what the shock of one day does from that day on."""
    for h in range(len(response) - day):
        total[i, day + h] += shock * response[h]


@njit(cache=True, nogil=True, fastmath=REORDER)
def one_variable(  # type: ignore[no-untyped-def]
    lag_coefficients, intercept, impact, shocks, slot, variable, history, baseline, contribution
):
    r"""Write the same for one variable: its responses, a row recursion, convolved with shocks.

    .. math:: c_{j,t} = \sum_{s \le t} \theta_{j,t-s}\,\varepsilon_{j,s}, \qquad
        \theta_{j,h} = e_i' \Psi_h H e_j, \quad e_i'\Psi_h = \sum_l e_i'\Psi_{h-l} A_l

    Parameters
    ----------
    history : (lag x variable,); the dates before, nearest first.
    baseline : (draw, time), written.
    contribution : (draw, time, channel), written.
    """
    draws, lags, n, _ = lag_coefficients.shape
    steps, k = shocks.shape[1:]
    m, channels = lags * n, contribution.shape[2]
    rows, across = np.empty((n, m)), np.empty((n, m))
    path, row = np.empty(steps * n + m), np.empty(steps * n + m)
    struck = np.empty((k, n))
    response, total = np.empty(steps), np.empty((channels, steps))
    for draw in range(draws):
        _rows(lag_coefficients[draw], rows)
        for lag in range(lags):
            for v in range(n):
                for r in range(n):
                    across[r, lag * n + v] = lag_coefficients[draw, lag, v, r]
        path[steps * n :] = history
        row[:] = 0.0
        row[(steps - 1) * n + variable] = 1.0
        for t in range(steps):
            at = (steps - 1 - t) * n
            path[at : at + n] = intercept[draw]
            _advance(rows, path, at)
            baseline[draw, t] = path[at + variable]
            if t > 0:
                _advance(across, row, at)
        struck[:] = impact[draw].T
        total[:] = 0.0
        for j in range(k):
            _project(row, struck, j, response)
            for s in range(steps):
                _convolve(response, shocks[draw, s, j], s, total, slot[j])
        contribution[draw] = total.T


@njit(cache=True, nogil=True)
def worst_gap(baseline, contribution, observed):  # type: ignore[no-untyped-def]
    """Largest miss of data by parts, relative to the parts' size; NaN if a number is missing.

    Arrays are (draw, time, variable), (draw, time, variable, channel) and (time, variable).
    """
    draws, steps, n, channels = contribution.shape
    worst, largest = 0.0, np.zeros(n)  # of a path in its own unit: a floor of one would have one
    for t in range(steps):
        for v in range(n):
            largest[v] = max(largest[v], abs(observed[t, v]))
    for draw in range(draws):
        for t in range(steps):
            for v in range(n):
                total, size = baseline[draw, t, v], largest[v]
                for j in range(channels):
                    total += contribution[draw, t, v, j]
                    size += abs(contribution[draw, t, v, j])
                gap = abs(total - observed[t, v])
                if gap != gap:
                    return np.nan
                if gap > 0.0:
                    worst = max(worst, gap / max(size, gap))
    return worst


def responses(lag_coefficients: np.ndarray, impact: np.ndarray, horizons: int) -> np.ndarray:
    """Impulse responses (draw, horizon, variable, shock), horizons 0 ... ``horizons``."""
    draws, lags, n, _ = lag_coefficients.shape
    k = impact.shape[2]
    once = np.zeros((draws, horizons + 1, k))
    once[:, 0] = 1.0
    out = np.empty((draws, horizons + 1, n, k))
    carry(
        lag_coefficients,
        np.zeros((draws, n)),
        impact,
        once,
        np.arange(k),
        np.zeros((draws, lags * n, k + 1)),
        np.empty((draws, horizons + 1, n)),
        out,
    )
    return out
