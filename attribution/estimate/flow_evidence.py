r"""Net creations and accounts of them in; what the event's rows and all others say of each, out.

.. math::
    LB_j = \log p(f_E \mid M_j, D_{-E}) - \log p(f_E \mid M_0, D_{-E})

One event is one observation or two, so its evidence has a ceiling: the density that a row would
have at the mode of its own prediction, which no shift of the mean can exceed.  Accounts were put
forward after the day was seen, so the log of their number is taken off; and an account that holds
must foresee other days no worse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from attribution.core.dating import DatingPrior
from attribution.core.stacking import stacking_weights
from attribution.errors import EventError
from attribution.estimate.flow_data import FlowData
from attribution.estimate.flow_rivals import PANELS, FlowEvidence, Rival, Sensitivity
from attribution.estimate.focus_fit import FocusFit, difference, fit_focus, log_score
from attribution.estimate.focus_rows import FocusSetup, focus_setup
from attribution.estimate.leave_future_out import foresee, left_out
from attribution.model.flow_mechanisms import Mechanism
from attribution.model.flows import FlowsQuestion

READINGS = ("same day", "previous day")
FORESEEN = 150
FEWEST = 400
"""Draws for predictions ahead: with fewer, weights must be drawn anew at almost every row."""
TIGHTNESS = (0.5, 2.0)
ALL = "all"


def evidence_of(
    data: FlowData,
    question: FlowsQuestion,
    *,
    draws: int = 2000,
    seed: np.random.SeedSequence,
    say: Callable[[str], None] = lambda text: None,
) -> FlowEvidence:
    """Weigh every account of the model file.

    Raises
    ------
    EventError
        If no held-out row of the focus has a flow.
    DataError
        If a term never moves or too few rows can be used.
    """
    targets = event_rows(data)
    rng = np.random.default_rng(seed)
    base = next(mechanism for mechanism in question.mechanisms if mechanism.baseline)
    others = tuple(m for m in question.mechanisms if not m.baseline)
    build = _Build(
        question, data, list(targets.values())[-1], draws, most_rows(question, data, rng)
    )
    rivals: dict[str, tuple[Rival, ...]] = {}
    for panel in PANELS:
        found = []
        for mechanism in (base, *others):
            if panel == "held" or mechanism is base or mechanism.terms:
                say(f"weighing {mechanism.name}, dating {panel}")
                found.append(_rival(build, mechanism, panel, targets, rng))
        rivals[panel] = tuple(found)
    weights = {
        panel: stacking_weights(np.stack([r.foreseen.density for r in found], axis=1))
        for panel, found in rivals.items()
    }
    say("changing the priors of the accounts")
    sensitivity = _sensitivity(build, base, others, rng)
    return FlowEvidence(targets, READINGS[build.reading], rivals, weights, sensitivity, len(others))


def event_rows(data: FlowData) -> dict[str, np.ndarray]:
    """Held-out rows of the focus that have a flow (time,), by date, and all of them."""
    flow = data.flow[:, data.focus]
    rows = data.held_out & np.isfinite(flow) & (flow != 0.0)
    if not rows.any():
        raise EventError(
            f"fund '{data.funds[data.focus]}': no held-out day has a flow; hold out days of the"
            " event"
        )
    places = np.flatnonzero(rows)
    names = data.days[places].strftime("%Y-%m-%d")
    found = {str(n): np.arange(len(rows)) == i for n, i in zip(names, places, strict=True)}
    return found | {ALL: rows} if len(places) > 1 else found


def most_rows(question: FlowsQuestion, data: FlowData, rng: np.random.Generator) -> int:
    """Return the reading of most rows before the event: what had been the convention."""
    setup = focus_setup(question, data, ())
    before = np.arange(len(data.days)) < int(np.argmax(data.held_out))
    previous = fit_focus(setup, draws=400, rng=rng).dating().previous.mean(axis=0)
    return int(np.median(previous[before & setup.rows.used]) > 0.5)


@dataclass(frozen=True)
class _Build:
    """What every rival is built from."""

    question: FlowsQuestion
    data: FlowData
    event: np.ndarray
    draws: int
    reading: int

    def setup(
        self, mechanism: Mechanism, panel: str, tightness: float = 1.0, others: bool = True
    ) -> FocusSetup:
        found = focus_setup(
            self.question, self.data, (mechanism,), tightness=tightness, others=others
        )
        if mechanism.dating == "fixed":
            return found.dated(DatingPrior(1 - self.reading, self.reading, 0.0))
        if panel == "held" and mechanism.dating == "held":
            return found.known(self.event, self.reading)
        return found


def _rival(
    build: _Build,
    mechanism: Mechanism,
    panel: str,
    targets: dict[str, np.ndarray],
    rng: np.random.Generator,
) -> Rival:
    setup = build.setup(mechanism, panel)
    fit = fit_focus(setup, draws=build.draws, rng=rng)
    alone, shape = left_out(fit)
    terms = np.flatnonzero(setup.terms)
    return Rival(
        mechanism=mechanism,
        panel=panel,
        score={name: log_score(fit, rows) for name, rows in targets.items()},
        peak={name: log_score(fit, rows, peak=True) for name, rows in targets.items()},
        foreseen=foresee(setup, rows=FORESEEN, draws=max(build.draws // 2, FEWEST), rng=rng),
        alone=alone,
        shape=shape,
        contribution=contribution(fit, build.event, terms) if len(terms) else None,
        slope=fit.draws.beta[:, terms] * setup.size if len(terms) else None,
        previous=fit.dating().previous.mean(axis=0)[build.event],
        imputed=setup.imputed,
        diagnostics=fit.diagnostics,
    )


def contribution(fit: FocusFit, rows: np.ndarray, terms: np.ndarray) -> np.ndarray:
    """Return what some regressors add to rows (draw, row), USD million, each read as drawn."""
    places = np.flatnonzero(rows)
    own, before = (held[:, places, None] for held in fit.draws.holds)
    x, of_row = fit.setup.rows.x[:, places][:, :, terms], fit.setup.rows.of_row
    stays = np.zeros(len(terms), bool) if of_row is None else of_row[terms]
    shown = np.where(own | stays, x[0], 0.0) + np.where(before & ~stays, x[1], 0.0)
    found: np.ndarray = np.einsum("sik,sk->si", shown, fit.draws.beta[:, terms]) * fit.setup.size
    return found


def _sensitivity(
    build: _Build, base: Mechanism, others: tuple[Mechanism, ...], rng: np.random.Generator
) -> tuple[Sensitivity, ...]:
    """Evidence of all event rows with the priors' scale changed, and without the other funds."""
    changes = [(f"prior scale x {t:g}", t, True) for t in TIGHTNESS]
    changes.append(("without the other funds' flow", 1.0, False))
    found = []
    short = replace(build, draws=max(build.draws // 2, 8))
    for panel in PANELS:
        for change, tightness, rest in changes:
            fit = fit_focus(short.setup(base, panel, 1.0, rest), draws=short.draws, rng=rng)
            zero = log_score(fit, build.event)
            top = difference(log_score(fit, build.event, peak=True), zero)
            for mechanism in others:
                if not (mechanism.terms or (panel == "held" and not rest)):
                    continue
                setup = short.setup(mechanism, panel, tightness, rest)
                score = log_score(fit_focus(setup, draws=short.draws, rng=rng), build.event)
                found.append(
                    Sensitivity(mechanism.name, panel, change, difference(score, zero), top)
                )
    return tuple(found)
