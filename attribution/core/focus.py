"""Rows of one fund under two readings, the prior of their regression, and draws of it.

The model is that of ``core.flow_gibbs``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from attribution.core.dating import DatingPrior

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
    """Rows of one fund under both readings.

    Attributes
    ----------
    y : (time,), any finite number where the row is not used.
    x : (reading, time, regressor); z : (reading, time, scale regressor).
    used : (time,), whether the row enters the likelihood.
    known : (time,), 0 or 1 where the reading is known, -1 where it is not.
    """

    y: np.ndarray
    x: np.ndarray
    z: np.ndarray
    used: np.ndarray
    known: np.ndarray

    def __post_init__(self) -> None:
        time = len(self.y)
        if self.x.shape[:2] != (2, time) or self.z.shape[:2] != (2, time):
            raise ValueError(f"regressors {self.x.shape}, {self.z.shape} do not lie on {time} rows")
        if not all(np.isfinite(part).all() for part in (self.y, self.x, self.z)):
            raise ValueError("a row is not finite")

    def only(self, used: np.ndarray) -> FocusRows:
        """Return the same rows of which these alone enter the likelihood."""
        return replace(self, used=used)


@dataclass(frozen=True)
class FocusDraws:
    """Draws: β (draw, regressor), γ (draw, scale regressor), ν (draw,), readings (draw, time).

    ``accepted`` is the share of proposals of γ.
    """

    beta: np.ndarray
    gamma: np.ndarray
    nu: np.ndarray
    path: np.ndarray
    accepted: float


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
