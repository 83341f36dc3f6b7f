"""The focus fund's rows in; how far their dating hangs on what the model takes for granted, out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from attribution.estimate.flow_data import FlowData
from attribution.estimate.focus_fit import FocusFit, fit_focus
from attribution.estimate.focus_rows import FocusSetup, focus_setup
from attribution.model.flows import FlowsQuestion

OWN = "own row before"
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
    previous : (row,), probability that each held-out row stands for the day before.
    switch : quantiles .05, .5, .95 of the first row after a switch to the same day, given one.
    to_same : probability of such a switch.
    max_rhat : of the fit.
    """

    name: str
    previous: np.ndarray
    switch: tuple[pd.Timestamp, pd.Timestamp, pd.Timestamp]
    to_same: float
    max_rhat: float


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
    reading.  None is better than the model asked: their spread is what the data leave open.  One
    fund alone cannot tell an answer to the day before from rows that all stand for the day before;
    a change of dating it can tell.

    Raises
    ------
    DataError
        If too few rows can be used.
    """
    asked = focus_setup(question, data, ())
    first = fit_focus(asked, draws=draws, rng=rng)
    found = [_variant("as specified", first, data)]
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
    total = float(switch.sum())
    reached = np.cumsum(switch) / max(total, 1e-300)
    days = [data.days[int(np.searchsorted(reached, level))] for level in (0.05, 0.5, 0.95)]
    return DatingVariant(
        name,
        dating.previous.mean(axis=0)[data.held_out],
        (days[0], days[1], days[2]),
        total,
        fit.diagnostics["max_rhat"],
    )
