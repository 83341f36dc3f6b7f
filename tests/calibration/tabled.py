"""A structural VAR as a model file asks for it: any rotation-invariant law, a table, narratives.

Parameters and data come from ``var.estimate.prior_simulation``; the posterior is ``reduced_form``
and
``var.identify.rotate``, all of it.  A narrative read unconditionally is part of the world:
parameters
and data are drawn together until it holds.  Read conditionally, it selects data given parameters:
these are drawn once, and data until it holds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from calibration import quantities, simulation
from calibration.conjugate import Observed
from calibration.prior_tables import PriorDraw, prior_draw
from calibration.ranks import Drawn, World

from attribution.errors import DiagnosticsError
from attribution.model.restriction import Cell, Channel, Identification, Narrative, VarianceShare
from attribution.model.scheme import Errors
from attribution.model.spec import Event, Minnesota, ModelSpec, Sample, System
from attribution.var.estimate.reduced_form import reduced_form
from attribution.var.identify.rotate import rotate

NAMES, SHOCKS = ("price", "volume"), ("demand", "supply")
SPREAD, START = np.array([2.0, 0.7]), np.array([[0.5, -1.0]])
WORLDS, TOLD = 20000, 8
"""Worlds tried before a table is given up; the day of the sample that a narrative is about."""


@dataclass(frozen=True)
class Tabled:
    """Two variables, two shocks told apart by signs; a law, outliers and a narrative if asked.

    ``every`` is how far apart ranked draws are: one where they are independent.  ``share`` is the
    least part of the price's variance that demand may have: it bounds how improbable a narrative
    about demand can be, and with it the weights of the conditional reading, which otherwise have no
    variance.
    """

    name: str = "svar gaussian"
    law: str = "gaussian"
    dof: float | None = None
    outliers: tuple[int, ...] = ()
    reading: str = ""
    share: float = 0.0
    days: int = 12
    draws: int = 400
    every: int = 1

    @property
    def index(self) -> pd.DatetimeIndex:
        """Days of the sample, the one that starts the lags included."""
        return pd.bdate_range(simulation.FIRST_DAY, periods=self.days + 1, name="time")

    @property
    def spec(self) -> ModelSpec:
        """The question that is asked of every world."""
        index = self.index
        listed = tuple(index[1 + day].date() for day in self.outliers)
        return ModelSpec(
            name=self.name,
            kind="svar",
            title="",
            references=(),
            sample=Sample("none", index[0].date(), index[-1].date()),
            event=Event("none", NAMES[0], ()),
            system=System(NAMES, 1),
            prior=Minnesota(tightness=0.1, own_lag=0.3, intercept_scale=0.5),
            errors=Errors(self.law, self.dof, listed),
            identification=self.table(index[TOLD].date()),
        )

    def table(self, day: date) -> Identification:
        """Demand moves both down, supply one down and one up; what is told about one day."""
        cells = (("demand", 0.1, math.inf), ("supply", -math.inf, -0.1))
        told = Narrative("demand", "positive", day, day, None, -math.inf, math.inf, "", "")
        return Identification(
            name="signs",
            path=None,
            outcome=NAMES[0],
            direction=-1,
            channels=tuple(Channel(name, name) for name in SHOCKS),
            cells=tuple(Cell(who, NAMES[1], low, high, "", "") for who, low, high in cells),
            shares=(VarianceShare("demand", NAMES[0], 0, self.share, 1.0, "", ""),)
            if self.share
            else (),
            narratives=(
                told,
                replace(told, claim="overwhelming", to=NAMES[0]),
            )
            if self.reading
            else (),
            reading=self.reading or "unconditional",
        )

    def _draw(self, rng: np.random.Generator) -> tuple[PriorDraw, np.ndarray]:
        """One world and an impact matrix, not yet judged."""
        made = prior_draw(self.spec, START, self.index, spread=SPREAD, rng=rng)
        return made, made.factor @ simulation.rotation(2, 1, rng)[0]

    def _admits(self, impact: np.ndarray) -> bool:
        """Whether both columns obey the table, as it reads."""
        fall, moved = -impact[0], impact[1]
        if fall[0] ** 2 < self.share * (fall**2).sum():
            return False
        return bool((fall >= 0).all() and moved[0] >= 0.1 * fall[0] and moved[1] <= -0.1 * fall[1])

    def _told(self, impact: np.ndarray, shocks: np.ndarray) -> bool:
        """Whether the shocks (time, shock) obey the narrative, as it reads."""
        if not self.reading:
            return True
        parts = impact[0] * shocks[TOLD - 1]
        return bool(shocks[TOLD - 1, 0] > 0 and abs(parts[0]) > abs(parts[1]))

    def _shocks(self, made: PriorDraw, impact: np.ndarray) -> np.ndarray:
        response, regressors = quantities.by_hand(made.values.to_numpy(), 1)
        found: np.ndarray = np.linalg.solve(impact, (response - regressors @ made.coefficients).T).T
        return found

    def _world(self, rng: np.random.Generator) -> tuple[PriorDraw, np.ndarray, np.ndarray]:
        for _ in range(WORLDS):
            made, impact = self._draw(rng)
            if not self._admits(impact):
                continue
            shocks = self._shocks(made, impact)
            if self.reading == "conditional":
                made, shocks = self._again(made, impact, shocks, rng)
            if self._told(impact, shocks):
                return made, impact, shocks
        raise DiagnosticsError(f"design '{self.name}': no world of {WORLDS} obeys its table")

    def _again(
        self, made: PriorDraw, impact: np.ndarray, shocks: np.ndarray, rng: np.random.Generator
    ) -> tuple[PriorDraw, np.ndarray]:
        """Draw the data of a world anew until the narrative holds; its parameters stay."""
        truth = simulation.Truth(*simulation.split(made.coefficients, 2), impact)
        while not self._told(impact, shocks):
            shocks = rng.standard_normal(shocks.shape) * made.scale[:, None]
        path = np.concatenate([START, truth.path(shocks, START)])
        return replace(made, values=simulation.frame(path, NAMES)), shocks

    def simulate(self, rng: np.random.Generator) -> World:
        """Draw a world that obeys table and narrative, and split its last day by hand."""
        made, impact, shocks = self._world(rng)
        truth = simulation.Truth(*simulation.split(made.coefficients, 2), impact)
        told = quantities.parameters(impact[None], truth.lags[None], truth.intercept[None])
        known = {name: float(value[0]) for name, value in told.items()}
        known |= quantities.true_parts(truth, shocks[-1:], 2)
        known["baseline"] = quantities.true_baseline(truth, made.values.to_numpy()[-2:-1], 1)
        known |= {name: float(np.sum(value)) for name, value in made.hyper.items()}
        window = simulation.last_days(made.values, 1)
        return World(known, Observed(made.values, len(made.values), window))

    def fit(self, data: Any, rng: np.random.Generator) -> Drawn:
        """Estimate and identify as ``attribution fit`` does; keep draws that are far apart."""
        assert isinstance(data, Observed)
        first, second = (int(seed) for seed in rng.integers(2**31, size=2))
        spec = self.spec
        assert spec.identification is not None
        reduced = reduced_form(spec, data.values, seed=first, spread=SPREAD)
        found = rotate(
            reduced, spec.identification, data.values, lags=1, draws=self.draws, seed=second
        )
        kept = found.posterior
        flat = {
            name: getattr(kept, name).reshape(-1, *getattr(kept, name).shape[2:])
            for name in ("impact", "lag_coefficients", "intercept", "weight")
        }
        drawn = quantities.parameters(flat["impact"], flat["lag_coefficients"], flat["intercept"])
        drawn |= quantities.drawn_parts(kept, data.values, data.window)
        drawn |= {
            name: np.asarray(value).reshape(self.draws, -1).sum(1)
            for name, value in found.hyper.items()
        }
        apart = slice(None, None, self.every)
        return Drawn({name: value[apart] for name, value in drawn.items()}, flat["weight"][apart])
