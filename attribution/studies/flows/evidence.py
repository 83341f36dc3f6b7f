r"""Net creations and accounts of them in; what the event's rows and all others say of each, out.

.. math::
    LB_j = \log p(f_E \mid M_j, D_{-E}) - \log p(f_E \mid M_0, D_{-E})

One event is one observation or two, so its evidence has a ceiling: the density that a row would
have at the mode of its own prediction, which no shift of the mean can exceed.  Accounts were put
forward after the day was seen, so the log of their number is taken off; and an account that holds
must foresee other days no worse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from attribution.errors import EventError
from attribution.finding import Finding
from attribution.runs.study import of_draws
from attribution.sampling.pareto import stacking_weights
from attribution.studies.flows.dating import DatingPrior
from attribution.studies.flows.focus_rows import (
    FocusFit,
    FocusSetup,
    difference,
    fit_focus,
    focus_setup,
    log_score,
)
from attribution.studies.flows.leave_future_out import (
    BAR,
    PANELS,
    FlowEvidence,
    Rival,
    Sensitivity,
    foresee,
    left_out,
)
from attribution.studies.flows.question import FlowsQuestion, Mechanism
from attribution.studies.flows.rows import FlowData

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


# Evidence for accounts of net creations in; a verdict on each, and on whether any could win.

SURE = 2.0
"""Standard errors, of Monte Carlo or over rows, beyond which a comparison is not a draw."""
BASELINES = {
    "held": "the event's rows read by the convention before it",
    "free": "the date of every row left open",
}


def evidence_findings(evidence: FlowEvidence) -> tuple[Finding, ...]:
    """Return one finding for each account under each baseline, after one on what was possible."""
    found = [_possible(evidence)]
    for rivals in evidence.rivals.values():
        found += [_account(evidence, rival) for rival in rivals[1:]]
    return tuple(found)


def _possible(evidence: FlowEvidence) -> Finding:
    """Whether a shift of the mean could have reached the bar."""
    parts, reach = [], False
    for panel in evidence.rivals:
        top = evidence.ceiling(panel, evidence.whole)
        reach = reach or top.value - evidence.penalty > BAR
        parts.append(f"{top.value:.2f} with {BASELINES[panel]}")
    return Finding(
        name="event evidence within reach",
        question="Could the held-out rows establish any account of why shares were created?",
        evidence=(
            f"The most that any shift of the mean could gain is {' and '.join(parts)}, in units of"
            f" log density; {BAR + evidence.penalty:.2f} is asked, {evidence.penalty:.2f} of it for"
            f" {evidence.tried} accounts tried after the day was seen."
        ),
        verdict="holds" if reach else "fails",
    )


def _account(evidence: FlowEvidence, rival: Rival) -> Finding:
    gain = evidence.gain(rival, evidence.whole)
    ahead = evidence.foresight(rival)
    added = limit = ""
    if rival.contribution is not None:  # a new date moves the scale too, and knows no such limit
        limit = f" of at most {evidence.ceiling(rival.panel, evidence.whole).value:.2f}"
        added = " It adds " + " and ".join(
            f"USD {draws.mean():+.0f} million to the row of {day}"
            for day, draws in zip(evidence.days, rival.contribution.T, strict=True)
        )
        added += "."
    return Finding(
        name=f"{rival.mechanism.name}, dating {rival.panel}",
        question=f"Does '{rival.mechanism.title}' account for the event's net creations?",
        evidence=(
            f"With {BASELINES[rival.panel]} the rows' log density changes by {gain.value:+.2f}"
            f" (Monte Carlo error {gain.error:.2f}){limit}; less {evidence.penalty:.2f} for"
            f" {evidence.tried} accounts it must exceed {BAR:g}. Over"
            f" {len(rival.foreseen.rows)} other rows its one-step log score changes by"
            f" {ahead.value:+.1f} (standard error {ahead.error:.1f}).{added}"
        ),
        verdict=_verdict(evidence, rival),
    )


def _verdict(evidence: FlowEvidence, rival: Rival) -> str:
    """Say ``fails`` only where rows speak against an account; silence is ``undecided``."""
    gain, ahead = evidence.gain(rival, evidence.whole), evidence.foresight(rival)
    net = gain.value - evidence.penalty - BAR
    if ahead.value < -SURE * ahead.error or gain.value < -BAR - SURE * gain.error:
        return "fails"
    return "holds" if evidence.counts(rival) and net > SURE * gain.error else "undecided"


# Net creations and the accounts of a model file in; tables and findings of their evidence out.

Tables = dict[str, pd.DataFrame]


def evidence_tables(
    question: FlowsQuestion,
    data: FlowData,
    *,
    seed: np.random.SeedSequence,
    draws: int = 2000,
    say: Callable[[str], None] = lambda text: None,
) -> tuple[Tables, tuple[Finding, ...]]:
    """Weigh the accounts of a model file; this is all that a study of net creations has to call.

    Append the tables after the study's own and the findings to its findings; nothing else is
    needed.  Some 40 seconds of one core for eight accounts and two years of days.

    Returns
    -------
    Tables ``mechanism_evidence`` (account x dating x row), ``mechanism_foresight`` (account x
    dating), ``mechanism_effects`` (term) and ``mechanism_sensitivity``, and findings; both are
    empty where the model file has no accounts.

    Raises
    ------
    EventError
        If no held-out row of the focus has a flow.
    DataError
        If a term never moves or too few rows can be used.
    """
    if not question.mechanisms:
        return {}, ()
    evidence = evidence_of(data, question, draws=draws, seed=seed, say=say)
    return frames(evidence), evidence_findings(evidence)


def frames(evidence: FlowEvidence) -> Tables:
    """Lay the evidence out in tables."""
    rivals = [(r, k) for found in evidence.rivals.values() for k, r in enumerate(found)]
    return {
        "mechanism_evidence": _table(
            _evidence_row(evidence, rival, target)
            for rival, _ in rivals
            for target in evidence.targets
        ),
        "mechanism_foresight": _table(_foresight_row(evidence, r, k) for r, k in rivals),
        "mechanism_effects": _table(
            row for rival, _ in rivals for row in _effect_rows(evidence, rival)
        ),
        "mechanism_sensitivity": _table(
            {
                "account": each.mechanism,
                "dating": each.panel,
                "change": each.change,
                "gain": each.gain.value,
                "gain_error": each.gain.error,
                "ceiling": each.ceiling.value,
            }
            for each in evidence.sensitivity
        ),
    }


def _table(rows: Iterable[dict[str, object]]) -> pd.DataFrame:
    found = pd.DataFrame(list(rows))
    found.index = pd.Index([f"{i + 1}" for i in range(len(found))])
    return found


def _evidence_row(evidence: FlowEvidence, rival: Rival, target: str) -> dict[str, object]:
    gain = evidence.gain(rival, target)
    return {
        "account": rival.mechanism.name,
        "dating": rival.panel,
        "rows": target,
        "log_density": rival.score[target].value,
        "error": rival.score[target].error,
        "gain": gain.value,
        "gain_error": gain.error,
        "ceiling": evidence.ceiling(rival.panel, target).value,
        "net": gain.value - evidence.penalty * (not rival.mechanism.baseline),
        "counts": evidence.counts(rival) if target == evidence.whole else None,
    }


def _foresight_row(evidence: FlowEvidence, rival: Rival, place: int) -> dict[str, object]:
    base = evidence.rivals[rival.panel][0]
    ahead, gap = evidence.foresight(rival), rival.alone - base.alone
    finite = rival.foreseen.shape[np.isfinite(rival.foreseen.shape)]
    return {
        "account": rival.mechanism.name,
        "dating": rival.panel,
        "elpd": float(rival.foreseen.density.sum()),
        "elpd_difference": ahead.value,
        "elpd_error": ahead.error,
        "stacking": float(evidence.weights[rival.panel][place]),
        "rows": len(rival.foreseen.rows),
        "refits": rival.foreseen.refits,
        "largest_k": float(finite.max()) if len(finite) else -np.inf,
        "loo": float(rival.alone.sum()),
        "loo_difference": float(gap.sum()),
        "loo_error": float(gap.std(ddof=1) * np.sqrt(len(gap))),
        "loo_largest_k": float(rival.shape.max()),
        "rhat": rival.diagnostics["max_rhat"],
        "ess": rival.diagnostics["min_ess"],
    }


def _effect_rows(evidence: FlowEvidence, rival: Rival) -> Iterable[dict[str, object]]:
    """Say what a term of its usual size adds, and what all terms add to each row of the event."""
    if rival.slope is None or rival.contribution is None:
        return
    of = {"account": rival.mechanism.name, "dating": rival.panel}
    labels = sorted(rival.mechanism.terms, key=lambda term: abs(term.sign))
    for term, draws in zip(labels, rival.slope.T, strict=True):
        missing = rival.imputed.get(f"{rival.mechanism.name}: {term.label}", 0.0)
        yield of | of_draws(f"usual effect of {term.label}", draws, "USD million", missing=missing)
    for day, draws in zip(evidence.days, rival.contribution.T, strict=True):
        yield of | of_draws(f"part of the row of {day}", draws, "USD million", missing=None)
