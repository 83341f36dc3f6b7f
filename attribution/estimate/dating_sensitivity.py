"""The focus fund's rows in; how far their dating hangs on what the model takes for granted, out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import stdtr

from attribution.core.focus_likelihood import held_likelihoods
from attribution.core.gradual import HOLDS, date_gradually
from attribution.core.pareto import smooth_weights
from attribution.diagnostics import PARETO_K
from attribution.estimate.flow_data import FlowData
from attribution.estimate.focus_fit import FocusFit, fit_focus
from attribution.estimate.focus_rows import FocusSetup, focus_setup
from attribution.model.flows import FlowsQuestion

OWN = "own row before"
GRADUAL = "a gradual change"
HALF = 20.0
"""Mean number of rows, a month of them, for which half the orders of a fund stand a day late."""
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
    """

    name: str
    previous: np.ndarray
    switch: tuple[pd.Timestamp, pd.Timestamp, pd.Timestamp]
    to_same: float
    at_least: np.ndarray
    max_rhat: float
    pareto_k: float = -np.inf

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
    reading; and one lets the fund change gradually, half its orders a day late for some rows, by
    weights of the draws of the model asked.  None is better than the model asked: their spread is
    what the data leave open.  One fund alone cannot tell an answer to the day before from rows that
    all stand for the day before; a change of dating it can tell.

    Raises
    ------
    DataError
        If too few rows can be used.
    """
    asked = focus_setup(question, data, ())
    first = fit_focus(asked, draws=draws, rng=rng)
    found = [_variant("as specified", first, data), _gradual(first, data)]
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


def _gradual(fit: FocusFit, data: FlowData) -> DatingVariant:
    """Date the rows as if a change were gradual, draws weighted to stand for that."""
    some = HOLDS.sum(axis=1) > 0.0
    rows = np.zeros((len(HOLDS), *fit.readings.shape[1:]))
    rows[some] = held_likelihoods(fit.setup.rows, fit.draws, fit.setup.rows.used, HOLDS[some])
    rows[~some] = np.where(fit.setup.rows.used, -np.inf, 0.0)
    found = date_gradually(rows, fit.setup.prior.dating, HALF)
    log_weight, k = smooth_weights((found.log_marginal - fit.total)[None])
    weight = np.exp(log_weight[0])
    reading = found.reading[:, :, data.held_out]
    late = HOLDS[:, 1] / np.where(some, HOLDS.sum(axis=1), 1.0)
    start = weight @ found.start[:, 0]
    return DatingVariant(
        GRADUAL,
        np.einsum("s,srt,r->t", weight, reading, late),
        _quantiles(start, data),
        float(start.sum()),
        weight @ (reading * _tails(fit, data, HOLDS)).sum(axis=1),
        fit.diagnostics["max_rhat"],
        float(k[0]),
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
