"""The focus fund's rows in; how far their dating hangs on what the model takes for granted, out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import stdtr

from attribution.errors import DiagnosticsError
from attribution.finding import SURE, Finding
from attribution.sampling.diagnostics import PARETO_K
from attribution.sampling.judge import R_HAT
from attribution.sampling.pareto import smooth_weights
from attribution.studies.flows.dating import HALF
from attribution.studies.flows.focus import held_likelihoods
from attribution.studies.flows.focus_rows import FocusFit, FocusSetup, fit_focus, focus_setup
from attribution.studies.flows.gradual import HOLDS, date_gradually
from attribution.studies.flows.question import FlowsQuestion
from attribution.studies.flows.rows import FlowData

OWN = "own row before"
SUDDEN, GRADUAL, EITHER = "a sudden change", "a gradual change", "either, by probability"
LOUD = 2
"""Rows before the event that are left out, those that speak most for one reading."""
LOOK = 60
"""Rows before the event among which they are sought: older ones hold the convention itself."""


@dataclass(frozen=True)
class DatingVariant:
    """The dating of the event's rows under one change of the model.

    Attributes
    ----------
    name : what is different.
    previous : (row,), probability that each held-out row stands for the day before; where rows hold
        shares, the share of its orders that is the day before's.
    switch : quantiles .05, .5, .95 of the first row after a switch to the same day, given one.
    to_same : probability of such a switch.
    at_least : (row,), probability of a flow at least as published, the reading averaged over.
    max_rhat : of the fit.
    pareto_k : of the weights by which draws stand for this version; minus infinity of its own.
    probability : of the shape of a change that it takes for granted; one of the other versions.
    """

    name: str
    previous: np.ndarray
    switch: tuple[pd.Timestamp, pd.Timestamp, pd.Timestamp]
    to_same: float
    at_least: np.ndarray
    max_rhat: float
    pareto_k: float = -np.inf
    probability: float = 1.0

    @property
    def reliable(self) -> bool:
        """Whether the draws can stand for this version."""
        return self.pareto_k <= PARETO_K


def dating_variants(
    question: FlowsQuestion,
    data: FlowData,
    *,
    draws: int,
    rng: np.random.Generator,
) -> tuple[DatingVariant, ...]:
    """Date the rows anew with one part of the model taken out at a time.

    The variants leave out the fund's own row before, what moves the scale of its flows, both, the
    other funds, and the two rows of the last sixty before the event that speak loudest for one
    reading.  The first takes a change to be sudden, as all of these do; the second lets the fund
    change gradually, half its orders a day late for some rows, by weights of the draws of the
    first; the third averages the two by their probability, of their prior and of the marginal
    likelihoods whose ratio those weights tell.  The spread is what the data leave open.  One fund
    alone cannot tell an answer to the day before from rows that all stand for the day before; a
    change of dating it can tell.

    Raises
    ------
    DataError
        If too few rows can be used.
    """
    asked = focus_setup(question, data, ())
    first = fit_focus(asked, draws=draws, rng=rng)
    found = list(_shapes(first, data, question.dating.gradual))
    for name, setup in _changed(question, data, asked, first):
        found.append(_variant(name, fit_focus(setup, draws=draws, rng=rng), data))
    return tuple(found)


def _changed(
    question: FlowsQuestion, data: FlowData, asked: FocusSetup, first: FocusFit
) -> Iterator[tuple[str, FocusSetup]]:
    yield "without its own row before", _without_own(asked)
    yield "one scale on all days", _one_scale(asked)
    yield "both", _one_scale(_without_own(asked))
    if question.shared_demand and len(data.funds) > 1:
        yield "without the other funds", focus_setup(question, data, (), others=False)
    rows = loudest(first, data.held_out)
    days = " and ".join(f"{data.days[row]:%Y-%m-%d}" for row in rows)
    used = asked.rows.used.copy()
    used[rows] = False
    yield f"without {days}", replace(asked, rows=replace(asked.rows, used=used))


def loudest(fit: FocusFit, held_out: np.ndarray) -> np.ndarray:
    """Positions of the rows before the event whose two readings differ most in likelihood."""
    apart = np.abs((fit.readings[1] - fit.readings[0]).mean(axis=0))
    event = int(np.argmax(held_out)) if held_out.any() else len(held_out)
    start = max(event - LOOK, 0)
    order = np.argsort(-apart[start:event], kind="stable")[:LOUD]
    found: np.ndarray = np.sort(start + order)
    return found


def _without_own(setup: FocusSetup) -> FocusSetup:
    x = setup.rows.x.copy()
    x[:, :, setup.names.index(OWN)] = 0.0  # its coefficient then repeats its prior
    return replace(setup, rows=replace(setup.rows, x=x))


def _one_scale(setup: FocusSetup) -> FocusSetup:
    z = setup.rows.z.copy()
    z[:, :, 1:] = 0.0
    return replace(setup, rows=replace(setup.rows, z=z))


def _variant(name: str, fit: FocusFit, data: FlowData) -> DatingVariant:
    dating = fit.dating()
    switch = dating.switch[:, 0].mean(axis=0)
    return DatingVariant(
        name,
        dating.previous.mean(axis=0)[data.held_out],
        _quantiles(switch, data),
        float(switch.sum()),
        (dating.reading[:, :, data.held_out] * _tails(fit, data, HOLDS[:4])).sum(1).mean(0),
        fit.diagnostics["max_rhat"],
    )


def _shapes(fit: FocusFit, data: FlowData, prior: float) -> tuple[DatingVariant, ...]:
    """Date the rows as if a change were sudden, gradual, and either by its probability.

    With prior share g of gradual changes and r the likelihood of a draw under gradual changes over
    that under sudden ones, the draws of the sudden fit give
    P(gradual) = g E[r] / (1 - g + g E[r]).
    """
    some = HOLDS.sum(axis=1) > 0.0
    rows = np.zeros((len(HOLDS), *fit.readings.shape[1:]))
    rows[some] = held_likelihoods(fit.setup.rows, fit.draws, fit.setup.rows.used, HOLDS[some])
    rows[~some] = np.where(fit.setup.rows.used, -np.inf, 0.0)
    found = date_gradually(rows, fit.setup.prior.dating, HALF)
    log_ratio = found.log_marginal - fit.total
    log_weight, k = smooth_weights(log_ratio[None])
    weight, reading = np.exp(log_weight[0]), found.reading[:, :, data.held_out]
    late = HOLDS[:, 1] / np.where(some, HOLDS.sum(axis=1), 1.0)
    start = weight @ found.start[:, 0]
    slow = DatingVariant(
        GRADUAL,
        np.einsum("s,srt,r->t", weight, reading, late),
        _quantiles(start, data),
        float(start.sum()),
        weight @ (reading * _tails(fit, data, HOLDS)).sum(axis=1),
        fit.diagnostics["max_rhat"],
        float(k[0]),
    )
    odds = prior * float(np.exp(np.logaddexp.reduce(log_ratio) - np.log(len(log_ratio))))
    share = odds / (1.0 - prior + odds)
    sudden = _variant(SUDDEN, fit, data)
    both = np.stack([fit.dating().switch[:, 0].mean(axis=0), start])
    mixed = np.array([1.0 - share, share])
    either = replace(
        slow,
        name=EITHER,
        previous=mixed @ np.stack([sudden.previous, slow.previous]),
        switch=_quantiles(mixed @ both, data),
        to_same=float(mixed @ both.sum(axis=1)),
        at_least=mixed @ np.stack([sudden.at_least, slow.at_least]),
    )
    return (
        replace(sudden, probability=1.0 - share),
        replace(slow, probability=share),
        either,
    )


def _quantiles(
    switch: np.ndarray, data: FlowData
) -> tuple[pd.Timestamp, pd.Timestamp, pd.Timestamp]:
    """Quantiles .05, .5, .95 of the first row after a switch (time,), given that there is one."""
    reached = np.cumsum(switch) / max(float(switch.sum()), 1e-300)
    first, middle, last = (
        data.days[min(int(np.searchsorted(reached, level)), len(data.days) - 1)]
        for level in (0.05, 0.5, 0.95)
    )
    return first, middle, last


def _tails(fit: FocusFit, data: FlowData, holds: np.ndarray) -> np.ndarray:
    """Probability of at least the published row (draw, reading, held-out row), by what it holds."""
    some, published = holds.sum(axis=1) > 0.0, fit.setup.rows.y[data.held_out]
    y, x, z = (part[:, data.held_out] for part in fit.setup.rows.under(holds[some]))
    mean = np.einsum("rtk,sk->srt", x, fit.draws.beta)
    size = np.exp(np.einsum("rtk,sk->srt", z, fit.draws.gamma))
    found = np.empty((len(mean), len(holds), len(published)))
    found[:, some] = stdtr(fit.draws.nu[:, None, None], (mean - y) / size)
    found[:, ~some] = published <= 0.0
    return found


# Net creations in; how far the dating of the held-out rows is settled, table and finding, out.

TABLE = "dating_sensitivity"
DRAWS = 4000


def dating_tables(
    question: FlowsQuestion, data: FlowData, *, seed: np.random.SeedSequence, draws: int = DRAWS
) -> tuple[dict[str, pd.DataFrame], tuple[Finding, ...]]:
    """Date the held-out rows of the focus under one change of the model at a time.

    Raises
    ------
    DataError
        If too few rows can be used.
    DiagnosticsError
        If the chains of a variant disagree.
    """
    found = dating_variants(question, data, draws=draws, rng=np.random.default_rng(seed))
    for variant in found:
        if not variant.max_rhat <= R_HAT:
            raise DiagnosticsError(
                f"dating, {variant.name}: R-hat {variant.max_rhat:.3f} is above {R_HAT}; ask for"
                " another --seed"
            )
    days = [f"{day:%Y-%m-%d}" for day in data.days[data.held_out]]
    return {TABLE: _table(found, days)}, (_finding(question.focus, found, days),)


def _table(found: tuple[DatingVariant, ...], days: list[str]) -> pd.DataFrame:
    rows = {
        variant.name: {
            **{f"{day}: previous day": p for day, p in zip(days, variant.previous, strict=True)},
            **{f"{day}: at least": p for day, p in zip(days, variant.at_least, strict=True)},
            "probability": variant.probability,
            "switch": variant.to_same,
            **{
                name: f"{day:%Y-%m-%d}"
                for name, day in zip(
                    ("switch_q05", "switch_median", "switch_q95"), variant.switch, strict=True
                )
            },
            "reliable": "yes" if variant.reliable else "no",
        }
        for variant in found
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def _finding(focus: str, found: tuple[DatingVariant, ...], days: list[str]) -> Finding:
    shapes = found[:3]
    found = tuple(variant for variant in found if variant.reliable)
    p = np.array([variant.previous for variant in found])
    settled = bool((p <= 1.0 - SURE).all(axis=0).all() or (p >= SURE).all(axis=0).all())
    spans = [
        f"{day}: {low:.2f} to {high:.2f}"
        for day, low, high in zip(days, p.min(axis=0), p.max(axis=0), strict=True)
    ]
    medians = sorted(variant.switch[1] for variant in found)
    return Finding(
        name="dating sensitivity",
        question=f"Is it settled which day the held-out rows of {focus} answer?",
        evidence=(
            f"probability that a row answers the day before, over {len(found)} versions of the"
            f" regression of {focus} alone: {', '.join(spans)}; median of the switch from"
            f" {medians[0]:%Y-%m-%d} ({_named(found, medians[0])}) to {medians[-1]:%Y-%m-%d}"
            f" ({_named(found, medians[-1])}); {_moved(shapes, days)}"
        ),
        verdict="holds" if settled else "undecided",
    )


def _moved(shapes: tuple[DatingVariant, ...], days: list[str]) -> str:
    """Say what a gradual change makes of each published row, and how probable it is."""
    sudden, gradual, either = shapes
    if not gradual.reliable:
        return "whether the change was gradual these draws cannot say (Pareto k too large)"
    moved = [
        f"{day}: {before:.3f} to {after:.3f}, {mean:.3f} averaged"
        for day, before, after, mean in zip(
            days, sudden.at_least, gradual.at_least, either.at_least, strict=True
        )
    ]
    return (
        "with a gradual change in place of a sudden one the probability of at least the published"
        f" row moves from {'; '.join(moved)} by the probability {gradual.probability:.3f} of a"
        " gradual change"
    )


def _named(found: tuple[DatingVariant, ...], median: pd.Timestamp) -> str:
    return next(variant.name for variant in found if variant.switch[1] == median)
