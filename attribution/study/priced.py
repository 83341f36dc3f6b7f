"""Exposures and slopes of a market, with what they miss, and how far a day is from the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.estimate.slopes import Slopes
from attribution.study.asset_rows import Market


@dataclass(frozen=True)
class Priced:
    """What was found: exposures, slopes, and misses of every asset with exposures."""

    market: Market
    beta: np.ndarray
    slopes: Slopes
    names: list[str]

    @property
    def misses(self) -> np.ndarray:
        """(time, asset), returns less what was expected."""
        return np.asarray(self.market.returns - self.slopes.expected)

    @property
    def other_days(self) -> np.ndarray:
        """(time,), days that are no event and have slopes."""
        other: np.ndarray = np.isfinite(self.slopes.slope).all(1)
        other[list(self.market.events.values())] = False
        return other


def rank(own: float, others: np.ndarray) -> float:
    """Share of days at least as far from zero, its own counted."""
    return float((1 + (np.abs(others) >= abs(own)).sum()) / (1 + len(others)))
