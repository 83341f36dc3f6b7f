r"""Rows of one fund under their readings, the prior of their regression, and draws of it.

The model is that of ``core.flow_gibbs``.  A row of both days, the first after a switch, has
the orders of both: regressors of days add up, and with errors of like scale on either day

.. math:: \frac{y_t}{\sqrt 2} = \frac{x_t(2)'}{\sqrt 2}\beta + \sigma_t(2)\,\varepsilon_t, \qquad
          \log\sigma_t(2) = \tfrac12 \{z_t(0) + z_t(1)\}'\gamma

so that over the root of two it is a row like any other.  A row of neither day has no flow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from attribution.core.dating import DatingPrior

HOLDS = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
"""Shares of its own day's orders, and of the day's before, that a row of same day, previous day and
both days holds (reading, 2)."""
SIZE = np.sqrt(HOLDS.sum(axis=1))
"""What a row is measured in under these readings."""
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
    """Rows of one fund under the readings same day and previous day.

    Attributes
    ----------
    y : (time,), any finite number where the row is not used.
    x : (reading, time, regressor); z : (reading, time, scale regressor).
    used : (time,), whether the row enters the likelihood.
    known : (time,), 0 or 1 where the reading is known, -1 where it is not.
    of_row : (regressor,), those that belong to the row and not to the days that it stands for; left
        out, those that are the same under either reading.
    """

    y: np.ndarray
    x: np.ndarray
    z: np.ndarray
    used: np.ndarray
    known: np.ndarray
    of_row: np.ndarray | None = None

    def __post_init__(self) -> None:
        time = len(self.y)
        if self.x.shape[:2] != (2, time) or self.z.shape[:2] != (2, time):
            raise ValueError(f"regressors {self.x.shape}, {self.z.shape} do not lie on {time} rows")
        if not all(np.isfinite(part).all() for part in (self.y, self.x, self.z)):
            raise ValueError("a row is not finite")

    @property
    def laid(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows, regressors and scale regressors (reading, time, ...), also of both days' rows.

        In units of ``SIZE``.
        """
        return self.under(HOLDS)

    def under(self, holds: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Do the same where rows hold shares (reading, 2) of their own day and the day before.

        In units of the root of their sum, which is above zero.
        """
        of_row = (self.x[0] == self.x[1]).all(axis=0) if self.of_row is None else self.of_row
        own, before = holds.T[:, :, None, None]
        size = np.sqrt(own + before)
        x = np.where(of_row, self.x[0], own * self.x[0] + before * self.x[1]) / size
        z = (own * self.z[0] + before * self.z[1]) / size**2
        return self.y / size[:, :, 0], x, z

    def only(self, used: np.ndarray) -> FocusRows:
        """Return the same rows of which these alone enter the likelihood."""
        return replace(self, used=used)


@dataclass(frozen=True)
class FocusDraws:
    """Draws: β (draw, regressor), γ (draw, scale regressor), ν (draw,), readings (draw, time).

    ``accepted`` is the share of proposals of γ.  Readings are places in ``dating.READINGS``.
    """

    beta: np.ndarray
    gamma: np.ndarray
    nu: np.ndarray
    path: np.ndarray
    accepted: float

    @property
    def holds(self) -> tuple[np.ndarray, np.ndarray]:
        """Whether a row holds orders of its own day, and of the day before (draw, time)."""
        return (self.path == 0) | (self.path == 2), (self.path == 1) | (self.path == 2)


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
