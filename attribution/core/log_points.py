"""A move in log points in; what it is in per cent out, where it is a move at all."""

from __future__ import annotations

import numpy as np

MOST = 1000.0
"""Log points beyond which nothing is said in per cent: a factor of 22,000."""


def simple_return(log_points: float) -> float:
    """Return the simple return, per cent, of a move in log points; NaN beyond ``MOST``."""
    return float(100.0 * np.expm1(log_points / 100.0)) if abs(log_points) <= MOST else np.nan


def log_mean_weight(observed: float) -> float:
    r"""Per cent per log point of a move R, :math:`(e^R - 1) / R`, so that per cents add up.

    Parameters
    ----------
    observed : the move, log points; beyond ``MOST`` there is no weight.
    """
    if not abs(observed) <= MOST:
        return np.nan
    return float(np.expm1(observed / 100) / (observed / 100)) if observed else 1.0
