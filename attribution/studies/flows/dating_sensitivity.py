"""The focus fund's rows in; how far their dating hangs on what the model takes for granted, out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numba as nb
import numpy as np
import pandas as pd
from scipy.special import stdtr

from attribution.errors import DiagnosticsError
from attribution.finding import SURE, Finding
from attribution.sampling.diagnostics import PARETO_K
from attribution.sampling.judge import R_HAT
from attribution.sampling.pareto import smooth_weights
from attribution.studies.flows.dating import DatingPrior, add_logs
from attribution.studies.flows.focus import held_likelihoods
from attribution.studies.flows.focus_fit import FocusFit, fit_focus
from attribution.studies.flows.focus_rows import FocusSetup, focus_setup
from attribution.studies.flows.question import FlowsQuestion
from attribution.studies.flows.rows import FlowData

# Rows under whole and half shares in; which day they stand for, a change being gradual, out.
#
# Of the orders of day t a share :math:`\pi_t` stands in its own row and the rest in the next,
#
# .. math:: f_t = \pi_t o_t + (1 - \pi_{t-1})\, o_{t-1}, \qquad \pi_t \in \{0, \tfrac12, 1\},
#
# so that no order is lost however the share moves.  It is always one, always zero, or goes from
# one
# to the other through a half that lasts some rows: it starts at an unknown row, all alike, and
# ends
# after each further row with the same probability, or not within the sample.  ``core.dating`` is
# the
# case of no half.  All paths are summed by one pass forward and one back.

HOLDS = np.array(
    [[1, 0], [0, 1], [1, 1], [0, 0], [0.5, 0.5], [0.5, 1], [1, 0.5], [0.5, 0], [0, 0.5]]
)
"""Shares of its own day's orders and of those of the day before that a row holds (reading, 2); the
first four are ``dating.READINGS``, then half, into it and out of it to the same day, to the other.
"""


@dataclass(frozen=True)
class GradualDating:
    """What every draw says of a dating that changes gradually.

    Attributes
    ----------
    log_marginal : (draw,), log likelihood with the paths of the share integrated out.
    reading : (draw, reading, time), posterior probability of each of ``HOLDS``.
    start : (draw, direction, time), that a change to the same day, or back, starts in this row.
    """

    log_marginal: np.ndarray
    reading: np.ndarray
    start: np.ndarray


def date_gradually(rows: np.ndarray, prior: DatingPrior, length: float) -> GradualDating:
    """Integrate the paths of the share out, exactly.

    Parameters
    ----------
    rows : (reading, draw, time), log likelihood of each row under each of ``HOLDS``; zero for a
        row that says nothing, minus infinity where it cannot be.
    prior : weights of always, never, and of a change, which is gradual.
    length : mean number of rows for which the share is a half, at least one.
    """
    if np.ndim(rows) != 3 or len(rows) != len(HOLDS) or not length >= 1.0:
        raise ValueError(f"log likelihoods {np.shape(rows)}, length {length}: no gradual dating")
    weight = prior.log_weights(rows.shape[2])
    stop = math.log(1.0 / length)
    stay = math.log1p(-1.0 / length) if length > 1.0 else -math.inf
    laid = np.ascontiguousarray(rows.swapaxes(0, 1), float)
    return GradualDating(*_sum(laid, weight, stop, stay))


@nb.njit(cache=True, nogil=True)
def _sum(rows, weight, stop, stay):  # type: ignore[no-untyped-def]
    """Sum over paths in logs, draw by draw; states: same, previous, two halves, two changed."""
    draws, _, time = rows.shape
    # from, to, reading, log weight
    origin = np.array([0, 1, 1, 0, 2, 3, 2, 3, 4, 5])
    target = np.array([0, 1, 2, 3, 2, 3, 4, 5, 4, 5])
    shows = np.array([0, 1, 5, 7, 4, 4, 6, 8, 0, 1])
    cost = np.array([0.0, 0.0, weight[2], weight[3], stay, stay, stop, stop, 0.0, 0.0])
    marginal, reading = np.empty(draws), np.zeros((draws, 9, time))
    start = np.zeros((draws, 2, time))
    ahead, back = np.empty((time, 6)), np.empty((time, 6))
    for s in range(draws):
        ahead[:] = -np.inf
        ahead[0, 0], ahead[0, 1] = rows[s, 0, 0], rows[s, 1, 0]
        for t in range(1, time):
            for k in range(len(cost)):
                step = ahead[t - 1, origin[k]] + cost[k] + rows[s, shows[k], t]
                ahead[t, target[k]] = add_logs(ahead[t, target[k]], step)
        back[:] = -np.inf
        back[time - 1] = 0.0
        back[time - 1, 0], back[time - 1, 1] = weight[0], weight[1]
        for t in range(time - 1, 0, -1):
            for k in range(len(cost)):
                step = back[t, target[k]] + cost[k] + rows[s, shows[k], t]
                back[t - 1, origin[k]] = add_logs(back[t - 1, origin[k]], step)
        total = add_logs(ahead[0, 0] + back[0, 0], ahead[0, 1] + back[0, 1])
        marginal[s] = total
        for first in range(2):
            reading[s, first, 0] = np.exp(ahead[0, first] + back[0, first] - total)
        for t in range(1, time):
            for k in range(len(cost)):
                mass = ahead[t - 1, origin[k]] + cost[k] + rows[s, shows[k], t]
                share = np.exp(mass + back[t, target[k]] - total)
                reading[s, shows[k], t] += share
                if k == 2 or k == 3:
                    start[s, k - 2, t] = share
    return marginal, reading, start


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
    first, gradual = found[:2]
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
            f" ({_named(found, medians[-1])}); {_moved(first, gradual, days)}"
        ),
        verdict="holds" if settled else "undecided",
    )


def _moved(first: DatingVariant, gradual: DatingVariant, days: list[str]) -> str:
    """Say what a gradual change makes of each published row."""
    if not gradual.reliable:
        return "whether the change was gradual these draws cannot say (Pareto k too large)"
    moved = [
        f"{day}: {before:.3f} to {after:.3f}"
        for day, before, after in zip(days, first.at_least, gradual.at_least, strict=True)
    ]
    return (
        "with a gradual change in place of a sudden one the probability of at least the published"
        f" row moves from {', '.join(moved)}"
    )


def _named(found: tuple[DatingVariant, ...], median: pd.Timestamp) -> str:
    return next(variant.name for variant in found if variant.switch[1] == median)
