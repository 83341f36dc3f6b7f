"""One fund whose rows change their date: its regression, a mechanism in it, and a crash to come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from calibration.ranks import Drawn, World

from attribution.studies.flows.dating import READINGS, DatingPrior, draw_paths
from attribution.studies.flows.focus import SIZE, FocusDraws, FocusPrior, FocusRows, degrees
from attribution.studies.flows.focus_gibbs import draw_focus

NAMES = ("intercept", "own row before", "fall", "rise", "mechanism")
CRASH = -5.0
"""Return of the last day, in standard deviations of a day."""
BURN = 200


@dataclass(frozen=True)
class FocusFund:
    """Rows that answer falls, rises and a mechanism, of their own day or of the day before.

    Truth is drawn from the prior: the convention, the day on which it changes, every coefficient
    (that of the mechanism positive), the scale and its tail.  The last row bears the date of a
    crash and is not seen: it is predicted, with the part that the mechanism has in it.
    """

    name: str = "focus-fund"
    days: int = 100
    draws: int = 99
    thin: int = 20

    @property
    def prior(self) -> FocusPrior:
        """Of the shipped model, but for a persistence that rarely explodes."""
        grid, weight = degrees(2.5, 40.0, 12)
        return FocusPrior(
            scale=np.array([1.0, 0.3, 1.0, 1.0, 0.8]),
            sign=np.array([0, 0, 0, 0, 1]),
            spread=np.array([1.0, 0.5]),
            grid=grid,
            weight=weight,
            dating=DatingPrior(1.0, 1.0, 1.0),
        )

    def simulate(self, rng: np.random.Generator) -> World:
        """Draw parameters and readings from the prior, then day after day."""
        prior, time = self.prior, self.days + 1
        beta = prior.scale * rng.standard_normal(len(prior.scale))
        beta[-1] = abs(beta[-1])
        gamma = prior.spread * rng.standard_normal(2)
        nu = float(rng.choice(prior.grid, p=np.exp(prior.weight)))
        x, z = _days(time, rng)
        path = _path(prior, time, rng)
        y, before = np.empty(time), 0.0
        for t in range(time):
            x[:, t, 1] = before
            row = FocusRows(np.zeros(1), x[:, t : t + 1], z[:, t : t + 1], *_NOTHING, OF_ROW)
            before = y[t] = float(_drawn(row, path[t], beta, gamma, rng.standard_t(nu)))
        seen = np.arange(time) < self.days
        rows = FocusRows(np.where(seen, y, 0.0), x, z, seen, np.full(time, -1), OF_ROW)
        truth = FocusDraws(beta[None], gamma[None], np.array([nu]), path[None], 1.0)
        told = _quantities(rows, truth) | {"row of the crash": y[None, self.days]}
        return World({name: float(value[0]) for name, value in told.items()}, rows)

    def fit(self, data: Any, rng: np.random.Generator) -> Drawn:
        """Draw the posterior, far apart, and the first row that it has not seen."""
        assert isinstance(data, FocusRows)
        found = draw_focus(data, self.prior, draws=self.draws, burn=BURN, thin=self.thin, rng=rng)
        last = slice(self.days, self.days + 1)
        row = FocusRows(np.zeros(1), data.x[:, last], data.z[:, last], *_NOTHING, OF_ROW)
        noise = rng.standard_t(found.nu)
        predicted = _drawn(row, found.path[:, self.days], found.beta, found.gamma, noise)
        return Drawn({**_quantities(data, found), "row of the crash": predicted})


OF_ROW = np.array([False, True, False, False, False])
_NOTHING = np.ones(1, bool), np.full(1, -1)


def _path(prior: FocusPrior, time: int, rng: np.random.Generator) -> np.ndarray:
    """Draw readings of which no row that is seen stands for neither day: it would have no flow."""
    while True:
        path = draw_paths(np.zeros((len(READINGS), time)), prior.dating, rng)
        if (path[:-1] < len(SIZE)).all():
            return path


def _drawn(
    row: FocusRows, reading: np.ndarray, beta: np.ndarray, gamma: np.ndarray, noise: Any
) -> np.ndarray:
    """One row as read (draw,) by draws of its regression; nothing where it stands for no day."""
    _, x, z = row.laid
    which = np.minimum(reading, len(SIZE) - 1)
    fit = (x[which, 0] * beta).sum(axis=-1)
    found = SIZE[which] * (fit + np.exp((z[which, 0] * gamma).sum(axis=-1)) * noise)
    return np.asarray(np.where(reading < len(SIZE), found, 0.0))


def _days(time: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Regressors of days under both readings: returns, a mechanism on some days, volume."""
    r = rng.standard_t(4, time + 1) / np.sqrt(2.0)
    r[-1] = CRASH
    active = np.where(rng.random(time + 1) < 0.3, np.abs(rng.standard_normal(time + 1)), 0.0)
    active[-1] = 2.0
    volume = 0.5 * np.abs(r) + rng.standard_normal(time + 1)
    one = np.ones(time + 1)
    x = np.column_stack([one, 0.0 * one, np.minimum(r, 0.0), np.maximum(r, 0.0), active])
    z = np.column_stack([one, volume - volume.mean()])
    return np.stack([x[1:], x[:-1]]), np.stack([z[1:], z[:-1]])


def _quantities(rows: FocusRows, draws: FocusDraws) -> dict[str, np.ndarray]:
    """Everything that is ranked but the row that is predicted (draw,)."""
    last = rows.x.shape[1] - 1
    reading = draws.path[:, last]
    found = {name: draws.beta[:, k] for k, name in enumerate(NAMES)}
    found |= {
        "log scale": draws.gamma[:, 0],
        "slope of log scale": draws.gamma[:, 1],
        "degrees of freedom": draws.nu,
        "rows read as the day before": (draws.path == 1).sum(axis=1).astype(float),
        "reading of the crash's row": reading.astype(float),
        "mechanism in the crash's row": draws.beta[:, -1]
        * np.append(rows.x[:, last, -1], [rows.x[:, last, -1].sum(), 0.0])[reading],
    }
    return found
