"""The market that answers its own moves: the shipped question about a day, on days that it draws.

What is known on the eve of each day stays as it was; moves, liquidations, volatility, the basis and
net creations are drawn by the model itself from parameters of the prior.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any, cast

import numpy as np
from calibration.event_days import simulate_days
from calibration.hamiltonian import independent
from calibration.loop_answers import Answers, answers_of
from calibration.loop_target import Target
from calibration.ranks import Drawn, World

from attribution.errors import DataError
from attribution.model.read import read_model
from attribution.model.study import StudySpec
from attribution.panel.evidence import read_evidence
from attribution.studies.event.notes import NoteSurface, surface_of
from attribution.studies.event.question import EventQuestion
from attribution.studies.event.rows import EventRows, event_rows

MODEL, SCENARIOS = "event", 16
OFF = {"dealer_position": 0.0, "absorbed": 1.0, "face": 0.0, "overlay": 0.0}
"""Parameters of a market that answers nothing."""


@dataclass(frozen=True)
class LoopDays:
    """What a fit may see: the days, and which law of impact (known) moved them."""

    rows: EventRows
    law: int


@dataclass(frozen=True)
class Loop:
    """Days drawn from the prior under a law of impact drawn by its prior weight.

    A draw under which some day, or some switch of the event's day, has no fixed point is rejected
    with its data; draws of the posterior of that kind are left out.  Both restrict the same joint
    law to the same set, so that ranks stay uniform.  Terms of notes are those of the likelihood,
    their mean over scenarios; no bounds of what was closed.
    """

    name: str = "event"
    days: int = 100
    draws: int = 99
    thin: int = 8

    def target(self, law: int, rows: EventRows | None = None) -> Target:
        """Posterior of some days under one law; of the shipped ones if none are given."""
        question, shipped, surface = shipped_days(self.days)
        return Target(question, shipped if rows is None else rows, surface, law)

    def simulate(self, rng: np.random.Generator) -> World:
        """Draw parameters, then days, until the day in question has an answer."""
        while True:
            law, point, absorbed = self.drawn(rng)
            rows = self.made(law, self.target(law).named(point[None], absorbed), rng)
            if rows is None:
                continue
            told = answers_of(self.target(law, rows), point[None], absorbed)
            if told is not None:
                truth = {name: float(value[0]) for name, value in told.quantities.items()}
                return World(truth, LoopDays(rows, law))

    def drawn(self, rng: np.random.Generator) -> tuple[int, np.ndarray, np.ndarray]:
        """Draw from the prior: a law of impact, a point, and whether forced orders are absorbed.

        The last is (1,), as if it were that of a list of points.
        """
        question = shipped_days(self.days)[0]
        laws = question.impact.laws
        law = int(rng.choice(len(laws), p=[each.weight for each in laws]))
        point = self.target(law).prior(rng)
        return law, point, (rng.random(1) < question.liquidations.absorbed).astype(int)

    def made(
        self, law: int, named: dict[str, np.ndarray], rng: np.random.Generator
    ) -> EventRows | None:
        """Draw days from one draw of parameters (1, ...); None if some day is unstable."""
        question, rows, surface = shipped_days(self.days)
        return simulate_days(question, rows, surface, {**named, "law": np.array([law])}, 0, rng)

    def fit(self, data: Any, rng: np.random.Generator) -> Drawn:
        """Draw the posterior, far apart."""
        return Drawn(self.answers(data, rng).quantities)

    def answers(self, data: Any, rng: np.random.Generator) -> Answers:
        """Answers of the posterior.

        Raises
        ------
        DataError
            If no draw of the posterior has one.
        """
        assert isinstance(data, LoopDays)
        target = self.target(data.law, data.rows)
        points = independent(
            target.density, target.top(), draws=self.draws, thin=self.thin, rng=rng
        )
        told = answers_of(target, points, target.absorbed(points, rng))
        if told is None:
            raise DataError("event: no draw of the posterior ends at the observed moves; draw more")
        return told


@cache
def shipped_days(days: int) -> tuple[EventQuestion, EventRows, NoteSurface]:
    """Question, days and surface of the shipped model, cut to about so many days.

    The surface has one scenario, the mean of those drawn.
    """
    spec = cast(StudySpec, read_model(MODEL))
    question, evidence = cast(EventQuestion, spec.question), read_evidence(spec)
    rows = cut(event_rows(question, evidence, MODEL), days)
    rng = np.random.default_rng(0)
    whole = surface_of(question, evidence, rows, rng, scenarios=SCENARIOS)
    mean = replace(whole, book=whole.mean_book[None], overlay=whole.mean_overlay[None])
    return question, rows, mean


def cut(rows: EventRows, days: int) -> EventRows:
    """Keep named days and others spread evenly over the sample."""
    size = len(rows.days)
    spread = np.linspace(0, size - 1, min(days, size)).round().astype(int)
    kept = np.union1d(rows.named, spread)
    daily = {
        name: value[kept]
        for name, value in vars(rows).items()
        if name != "named" and isinstance(value, np.ndarray) and value.shape[:1] == (size,)
    }
    named, event = np.searchsorted(kept, rows.named), int(np.searchsorted(kept, rows.event))
    return replace(rows, **daily, named=named, event=event)
