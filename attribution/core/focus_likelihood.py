"""Draws of one fund's regression in; the likelihood of its rows under every reading out."""

from __future__ import annotations

import math

import numba as nb
import numpy as np

from attribution.core.focus import HOLDS, FocusDraws, FocusRows


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
