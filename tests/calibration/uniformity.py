r"""Ranks in; an exact test that they are uniform, and simultaneous bands of their ECDF, out.

With N independent ranks in 0 ... L, the number :math:`X_j` of ranks below j is binomial
:math:`(N, z_j)`, :math:`z_j = j/(L+1)`, and a Markov chain in j.  With

.. math:: \gamma_j = 2 \min\{P(X_j \le x_j), P(X_j \ge x_j)\}, \qquad \gamma = \min_j \gamma_j

the p-value is the chance that γ is as small as observed, by a recursion over that chain and
without simulation, and the band of level 1 − α holds, at every j, the counts with
:math:`\gamma_j` above the level that is undercut with chance α (Säilynoja, Bürkner and Vehtari
2022).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

HALVINGS = 30
"""Steps of the bisection for the level of a band."""


@dataclass(frozen=True)
class Band:
    """Simultaneous band of the number of ranks below each cut.

    Attributes
    ----------
    cut : (point,); z, strictly between zero and one.
    low, high : (point,) int; the counts that the band holds.
    coverage : exact probability that all counts lie inside; at least the level asked for.
    """

    cut: np.ndarray
    low: np.ndarray
    high: np.ndarray
    coverage: float


def counts(ranks: np.ndarray, cells: int) -> np.ndarray:
    """Count the ranks below j = 1 ... ``cells`` − 1 (point,)."""
    found: np.ndarray = np.cumsum(np.bincount(ranks, minlength=cells))[:-1]
    return found


def p_value(ranks: np.ndarray, cells: int) -> float:
    """Exact p-value of the hypothesis that ranks 0 ... ``cells`` − 1 are uniform.

    References
    ----------
    sailynoja2022
    """
    logs = _log_factorials(len(ranks))
    tails = _tails(logs, cells)
    gamma = tails[np.arange(cells - 1), counts(ranks, cells)].min()
    low, high = _inside(tails, float(gamma) * (1 + 1e-9))  # as unlikely as observed is outside
    return max(1.0 - float(_stay(low, high, logs)), 0.0)


def band(total: int, cells: int, level: float = 0.95) -> Band:
    """Simultaneous band of the counts of ``total`` uniform ranks 0 ... ``cells`` − 1.

    References
    ----------
    sailynoja2022
    """
    logs = _log_factorials(total)
    tails = _tails(logs, cells)
    inner, outer = math.log((1 - level) / cells), math.log(1 - level)
    for _ in range(HALVINGS):
        middle = 0.5 * (inner + outer)
        if _stay(*_inside(tails, math.exp(middle)), logs) >= level:
            inner = middle
        else:
            outer = middle
    low, high = _inside(tails, math.exp(inner))
    return Band(np.arange(1, cells) / cells, low, high, float(_stay(low, high, logs)))


def _tails(logs: np.ndarray, cells: int) -> np.ndarray:
    """Twice the smaller tail of every count at every cut (point, count)."""
    total = len(logs) - 1
    cut = np.arange(1, cells)[:, None] / cells
    yes = np.arange(total + 1)
    log_p = logs[total] - logs - logs[::-1] + yes * np.log(cut) + yes[::-1] * np.log1p(-cut)
    mass = np.exp(log_p)
    below, above = mass.cumsum(1), mass[:, ::-1].cumsum(1)[:, ::-1]
    found: np.ndarray = 2.0 * np.minimum(below, above)
    return found


def _inside(tails: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest count at each cut whose two-sided tail exceeds ``level``.

    Where there is none the smallest is one and the largest zero: no count is inside.
    """
    kept = tails > level
    some = kept.any(1)
    high = kept.shape[1] - 1 - kept[:, ::-1].argmax(1)
    return np.where(some, kept.argmax(1), 1), np.where(some, high, 0)


def _log_factorials(total: int) -> np.ndarray:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, total + 1)))])


@njit(cache=True, nogil=True)
def _stay(low, high, log_factorial):  # type: ignore[no-untyped-def]
    """Probability that the chain of counts is inside [low, high] at every cut."""
    points, total = low.shape[0], log_factorial.shape[0] - 1
    chance = np.zeros(total + 1)
    chance[0] = 1.0
    first, last = 0, 0
    for j in range(points):
        step = 1.0 / (points + 1 - j)
        log_yes, log_no = math.log(step), math.log1p(-step)
        new = np.zeros(total + 1)
        for x in range(first, last + 1):
            if chance[x] == 0.0:
                continue
            left = total - x
            for y in range(max(x, low[j]), high[j] + 1):
                k = y - x
                log_p = (
                    log_factorial[left]
                    - log_factorial[k]
                    - log_factorial[left - k]
                    + k * log_yes
                    + (left - k) * log_no
                )
                new[y] += chance[x] * math.exp(log_p)
        chance = new
        first, last = low[j], high[j]
    return chance.sum()
