r"""Slopes of the channels' variances and their exposures in; which profiles differ out.

Shocks are told apart by their variances if no two channels have proportional ones:

.. math:: \mathrm{sd}_t\big(\gamma_j x_{jt} - \gamma_k x_{kt}\big) > 0 \quad \text{for all } j < k

the spread over days of the log ratio of the two variances.  Whatever moves all variances of a day
alike cancels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from attribution.finding import SURE, Finding

DIFFERENT = 0.2
"""Spread of the log ratio of two variances from which their profiles differ: a fifth."""


@dataclass(frozen=True)
class Profiles:
    """Variance profiles of two channels.

    Attributes
    ----------
    names : of the two.
    spread : (draw,); standard deviation over days of the log ratio of their variances.
    exposed : how many of the two have an exposure that varies.
    """

    names: tuple[str, str]
    spread: np.ndarray
    exposed: int

    @property
    def chance(self) -> float:
        """Posterior probability that the profiles differ."""
        return float((self.spread > DIFFERENT).mean())


def profiles(names: Sequence[str], slope: np.ndarray, exposure: np.ndarray) -> tuple[Profiles, ...]:
    """Compare the variance profiles of every two channels.

    Parameters
    ----------
    slope : (draw, channel); of the log variance on the exposure; zero where there is none.
    exposure : (time, channel); estimation days.

    References
    ----------
    rigobon2003; sentana2001
    """
    spread = np.cov(exposure.T, bias=True).reshape(len(names), len(names))
    varies = (np.diag(spread) > 0) & (np.abs(slope).max(0) > 0)
    found = []
    for j, k in combinations(range(len(names)), 2):
        own = slope[:, j] ** 2 * spread[j, j] + slope[:, k] ** 2 * spread[k, k]
        variance = own - 2.0 * slope[:, j] * slope[:, k] * spread[j, k]
        found.append(
            Profiles(
                (names[j], names[k]),
                np.sqrt(np.maximum(variance, 0.0)),
                int(varies[j]) + int(varies[k]),
            )
        )
    return tuple(found)


def profiles_differ(names: Sequence[str], slope: np.ndarray, exposure: np.ndarray) -> Finding:
    """Ask whether the variances alone would tell every two channels apart.

    Parameters
    ----------
    slope, exposure : as ``profiles`` takes them.
    """
    pairs = profiles(names, slope, exposure)
    worst = min(pairs, key=lambda pair: pair.chance)
    alike = [pair for pair in pairs if pair.chance < SURE]
    said = "; ".join(
        f"{' and '.join(pair.names)} {pair.chance:.2f}"
        + (" (neither has an exposure that varies)" if pair.exposed == 0 else "")
        for pair in alike
    )
    apart = len(pairs) - len(alike)
    verdict = "fails" if worst.chance <= 1.0 - SURE else "undecided"
    return Finding(
        name="variance profiles",
        question="Do the exposures alone tell every two channels' variances apart?",
        evidence=(
            f"{apart} of {len(pairs)} pairs have a log variance ratio whose spread over days"
            f" exceeds {DIFFERENT} with probability {SURE:.1f}"
            + (f"; probability of the others: {said}; they rest on the table" if said else "")
        ),
        verdict=verdict if alike else "holds",
        probability=worst.chance,
    )
