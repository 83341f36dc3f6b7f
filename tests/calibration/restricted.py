"""Sign and elasticity restrictions, accepted jointly with the reduced form: both engines.

The prior is that of the whole, (Σ, B, Q) restricted together; the truth is drawn from it by plain
rejection.  Samples are tiny and tables tight on purpose: only there does retrying rotations for a
given Σ, which changes the posterior, show.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from calibration import quantities, simulation
from calibration.conjugate import Observed
from calibration.ranks import Drawn, World

from attribution.core import niw
from attribution.core.rotations import cone_gibbs, restrictions, separation
from attribution.errors import DiagnosticsError
from attribution.posterior import StructuralPosterior

INF = math.inf
Bounds = tuple[tuple[tuple[int, float, float], ...], ...]
"""For each channel, cells (variable, low, high) per unit by which it lowers the first variable."""
TIGHT: Bounds = (((1, 0.5, INF),), ((1, -INF, -0.5),))
ALIKE: Bounds = (((1, 0.0, INF),), ((1, 0.0, INF),))
PAIR: Bounds = (((1, 0.2, INF), (2, -0.5, 0.5)), ((1, -0.5, 0.3), (2, 0.3, INF)))
TRIES, BATCHES, GRID = 2000, 200, 400


@dataclass(frozen=True)
class Restricted:
    """A VAR(1) restricted by a table; draws by rejection with every naming of columns counted."""

    name: str = "signs"
    variables: int = 2
    days: int = 1
    event_days: int = 1
    draws: int = 99
    table: Bounds = TIGHT
    dof_above: float = 0.0

    @property
    def prior(self) -> niw.NormalInverseWishart:
        """Proper and weak: the correlation of Σ, on which acceptance hangs, is nearly free."""
        n = self.variables
        precision = np.diag([1.0, *np.full(n, 9.0)])
        return niw.NormalInverseWishart(
            np.zeros((n + 1, n)), precision, np.eye(n), n + self.dof_above
        )

    @property
    def cones(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows of all channels, stacked, and where each channel's rows end."""
        parts = [
            separation.cone_rows(cells, variables=self.variables, outcome=0, direction=-1)
            for cells in self.table
        ]
        return np.concatenate(parts), np.cumsum([len(rows) for rows in parts])

    def _admits(self, impact: np.ndarray) -> np.ndarray:
        """Whether each channel's column obeys its cells, as they read (draw,)."""
        ok = np.ones(len(impact), bool)
        for k, cells in enumerate(self.table):
            fall = -impact[:, 0, k]
            ok &= fall >= 0
            for variable, low, high in cells:
                moved = impact[:, variable, k]
                ok &= (moved >= low * fall) if low > -INF else True
                ok &= (moved <= high * fall) if high < INF else True
        return ok

    def _world(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Impact matrix and coefficients from the restricted prior."""
        for _ in range(BATCHES):
            sigma, drawn = simulation.conjugate(self.prior, TRIES, rng)
            turned = simulation.rotation(self.variables, TRIES, rng)
            impact = np.linalg.cholesky(sigma) @ turned
            found = np.flatnonzero(self._admits(impact))
            if len(found):
                return impact[found[0]], drawn[found[0]]
        raise DiagnosticsError(
            f"design '{self.name}': no world in {TRIES * BATCHES} obeys its table; widen it"
        )

    def simulate(self, rng: np.random.Generator) -> World:
        """Draw a world from the restricted prior, and split its last days by hand."""
        n = self.variables
        impact, drawn = self._world(rng)
        truth = simulation.Truth(*simulation.split(drawn, n), impact)
        shocks = rng.standard_normal((self.days + self.event_days, n))
        path = np.concatenate([np.zeros((1, n)), truth.path(shocks, np.zeros((1, n)))])
        values = simulation.frame(path, tuple(f"series {i + 1}" for i in range(n)))
        first = len(path) - self.event_days
        told = {
            name: float(value[0])
            for name, value in self._known(path, impact[None], drawn[None]).items()
        }
        told |= quantities.true_parts(truth, shocks[self.days :], len(self.table))
        told["baseline"] = quantities.true_baseline(truth, path[first - 1 : first], self.event_days)
        window = simulation.last_days(values, self.event_days)
        return World(told, Observed(values, len(path), window))

    def _known(
        self, series: np.ndarray, impact: np.ndarray, coefficients: np.ndarray
    ) -> dict[str, np.ndarray]:
        n, drawn = self.variables, len(impact)
        slopes = coefficients[:, 1:].swapaxes(1, 2).reshape(drawn, 1, n, n)
        found = quantities.parameters(impact, slopes, coefficients[:, 0])
        found["elasticity"] = impact[:, 1, 0] / -impact[:, 0, 0]
        found["room for rotations"] = self._room(impact)
        response, regressors = quantities.by_hand(series, 1)
        found["log likelihood"] = quantities.log_likelihood(
            response, regressors, coefficients, impact
        )
        return found

    def _room(self, impact: np.ndarray) -> np.ndarray:
        """Share of a fixed set of rotations that the table admits, given Σ (draw,).

        It is what a faulty acceptance gets wrong first: where it is large, rotations are plenty.
        """
        root = np.linalg.cholesky(impact @ impact.swapaxes(1, 2))
        turned = root[:, None] @ _grid(self.variables)
        flat = turned.reshape(-1, *root.shape[1:])
        room: np.ndarray = self._admits(flat).reshape(len(root), -1).mean(1)
        return room

    def fit(self, data: Any, rng: np.random.Generator) -> Drawn:
        """Draw the restricted posterior; coefficients in closed form given Σ."""
        assert isinstance(data, Observed)
        series = data.values.to_numpy()
        after = niw.posterior(self.prior, *niw.design(series, lags=1))
        impact, weight = self._impact(after, rng)
        coefficients = niw.draw_coefficients(after, impact, rng)
        slopes, intercept = niw.split(coefficients, constant=True)
        names = tuple(map(str, data.values))
        shocks = tuple(f"shock {k + 1}" for k in range(self.variables))
        posterior = StructuralPosterior(
            variables=names,
            shocks=shocks,
            channels=shocks[: len(self.table)],
            impact=impact[None],
            lag_coefficients=slopes[None],
            intercept=intercept[None],
            weight=weight[None] / weight.mean(),
        )
        parts = quantities.drawn_parts(posterior, data.values, data.window)
        return Drawn({**self._known(series, impact, coefficients), **parts}, weight)

    def _impact(
        self, after: niw.NormalInverseWishart, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """First ``draws`` accepted impact matrices in the order in which they were tried."""
        rows, ends = self.cones
        kept, weights = [], []
        for _ in range(BATCHES):
            factor = niw.draw_factor(after, TRIES, rng)
            found = restrictions.accept(rows @ factor, ends, rotations=1, rng=rng)
            columns = restrictions.complete(found.columns, rng)
            kept.append(factor[found.draw] @ columns)
            weights.append(found.weight)
            if sum(map(len, weights)) >= self.draws:
                chosen = slice(self.draws)
                return np.concatenate(kept)[chosen], np.concatenate(weights)[chosen]
        raise DiagnosticsError(
            f"design '{self.name}': fewer than {self.draws} of {TRIES * BATCHES} draws obey its"
            " table; widen it"
        )


@cache
def _grid(n: int) -> np.ndarray:
    """Rotations that stay the same (rotation, n, n)."""
    return simulation.rotation(n, GRID, np.random.default_rng(0))


@dataclass(frozen=True)
class Swept(Restricted):
    """The same posterior by sweeps of turns, shears and stretches, one chain, thinned."""

    name: str = "cones"
    variables: int = 3
    days: int = 5
    table: Bounds = PAIR
    dof_above: float = 1.0
    burn_in: int = 400
    thin: int = 40

    def _impact(
        self, after: niw.NormalInverseWishart, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        rows, ends = self.cones
        states = cone_gibbs.sample(
            self._start(rng) * np.sqrt(after.scale[0, 0] / after.dof),
            after.scale,
            after.dof,
            rows,
            ends,
            draws=self.draws,
            burn_in=self.burn_in,
            thin=self.thin,
            rng=rng,
        )
        return states, np.ones(self.draws)

    def _start(self, rng: np.random.Generator) -> np.ndarray:
        """Columns inside their cones, found by trying; any such start will do."""
        while True:
            tried = rng.standard_normal((TRIES, self.variables, self.variables))
            found = np.flatnonzero(self._admits(tried))
            if len(found):
                start: np.ndarray = tried[found[0]]
                return start
