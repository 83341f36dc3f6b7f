"""A barrier watched at dates instead of all the time: where a continuous one is worth the same.

References: broadie1997.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from attribution.mechanics.digital import SIDES
from attribution.mechanics.functions import Array
from attribution.mechanics.inputs import arrays, one_of

OVERSHOOT = float(-special.zeta(0.5)) / math.sqrt(2.0 * math.pi)
"""−ζ(1/2)/√(2π) = 0.5826, the mean overshoot of a random walk in standard deviations."""


def shifted_barrier(side: str, level: Array, vol: Array, interval: Array) -> np.ndarray:
    r"""Move a barrier away from spot by the mean overshoot between two dates.

    .. math:: H e^{\mp 0.5826\,\sigma\sqrt{\Delta}}

    Parameters
    ----------
    side : "down" or "up".
    level : barrier watched at dates, currency per unit.
    vol : annual volatility.
    interval : years between two dates (1/252 for daily closes).

    Returns
    -------
    Barrier whose continuous version is worth the same to order 1/number of dates; spot should
    not be within a step of it.

    Raises
    ------
    DataError
        An unknown side; numbers that are not finite or have the wrong sign.

    References
    ----------
    broadie1997
    """
    eta = SIDES[one_of("shifted barrier", "side", side, SIDES)]
    h, v, dt = arrays("shifted barrier", ("level",), level=level, vol=vol, time=interval)
    return np.asarray(h * np.exp(-eta * OVERSHOOT * v * np.sqrt(dt)))
