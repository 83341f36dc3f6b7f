r"""What the hedge of structured notes trades on a day, as a table over moves and volatility.

The likelihood of an event asks for this flow at thousands of parameter values, so it is priced
once, for drawn terms of the notes, and read off by interpolation afterwards:

.. math:: K_t(r) = \text{face}\,\bigl[A_t(r, \chi y) + \omega B_t(r, y)\bigr]

with y the day's change of short-dated volatility and χ the share of it that long-dated volatility
follows. Terms keep their prior: nothing about a day's price changes what is believed about a
filing. What enters: a priced surface (:mod:`~attribution.studies.event.notes` makes it); what
leaves: USD million per USD million of face outstanding on the day of reference.

References: plummer2015 (beliefs that are not updated).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TypeAlias

import numpy as np
import pandas as pd
from scipy.interpolate import CubicSpline

from attribution.errors import DataError
from attribution.mechanics.note_prices import holders_put
from attribution.mechanics.notes import (
    AT_MATURITY,
    KINDS,
    Doubts,
    Notes,
    NoteTerms,
    PricePath,
    drawn_fixings,
    notes,
)
from attribution.panel import Evidence
from attribution.panel.note_terms import fixing_rows, lows, note_terms
from attribution.studies.event.note_deltas import book_table, put_table
from attribution.studies.event.question import EventQuestion
from attribution.studies.event.rows import Evenings, EventRows, evenings

__all__ = ["ListedPuts", "LocalFlows", "NoteSurface", "note_surface"]

Array: TypeAlias = np.ndarray


@dataclass(frozen=True)
class LocalFlows:
    """Scenario means at one move a day, on the nodes of volatility; all (day, node).

    Attributes
    ----------
    book, overlay : USD million per USD million of face; nodes ``vol`` and ``listed``.
    book_slope, overlay_slope : their derivatives with respect to the move, volatility held.
    """

    book: Array
    overlay: Array
    book_slope: Array
    overlay_slope: Array


@dataclass(frozen=True)
class NoteSurface:
    """Hedge flows of notes and of the puts sold against their vega, positive bought.

    Flows are linear between nodes; beyond the last node they are those of the last node. They do
    not vanish at a move of zero: a change of volatility, or a day gone by, trades too.

    Attributes
    ----------
    move : of the underlying, log units, increasing, zero among them, (move,).
    vol : change of long-dated volatility, 0.05 is five points, increasing, (vol,).
    listed : change of short-dated volatility, (listed,).
    book : (scenario, day, move, vol), USD million per USD million of face.
    overlay : where all of the vega is sold, (scenario, day, move, listed), same unit.
    """

    move: Array
    vol: Array
    listed: Array
    book: Array
    overlay: Array

    def __post_init__(self) -> None:
        for axis in (self.move, self.vol, self.listed):
            if axis.ndim != 1 or len(axis) < 2 or not (np.diff(axis) > 0.0).all():
                raise DataError("notes: the nodes of a surface do not increase; sort them")
        for table, last in ((self.book, self.vol), (self.overlay, self.listed)):
            if table.shape != (*self.book.shape[:2], len(self.move), len(last)):
                raise DataError("notes: a surface does not fit its nodes; give one flow a node")

    @property
    def scenarios(self) -> int:
        """How many draws of the terms there are."""
        return len(self.book)

    def book_at(self, day: Array, move: Array, vol: Array, scenario: Array | None = None) -> Array:
        """Read the flow of the notes; arguments broadcast.

        Parameters
        ----------
        day : place of the day, a whole number.
        move : log units.
        vol : change of long-dated volatility.
        scenario : a whole number; None for the mean over scenarios.

        Returns
        -------
        USD million per USD million of face.
        """
        if scenario is None:
            return _bilinear(self.mean_book, (day,), (self.move, move), (self.vol, vol))
        return _bilinear(self.book, (scenario, day), (self.move, move), (self.vol, vol))

    def overlay_at(
        self, day: Array, move: Array, listed: Array, scenario: Array | None = None
    ) -> Array:
        """Read the flow of the listed puts if all vega is sold; ``listed``: change of their vol."""
        if scenario is None:
            return _bilinear(self.mean_overlay, (day,), (self.move, move), (self.listed, listed))
        return _bilinear(self.overlay, (scenario, day), (self.move, move), (self.listed, listed))

    @cached_property
    def mean_book(self) -> Array:
        """Mean over scenarios, (day, move, vol)."""
        return np.asarray(self.book.mean(axis=0))

    @cached_property
    def mean_overlay(self) -> Array:
        """Mean over scenarios, (day, move, listed)."""
        return np.asarray(self.overlay.mean(axis=0))

    def local(self, moves: Array) -> LocalFlows:
        r"""Take scenario means at one move a day, for a likelihood in which moves are data.

        Between moves the mean is a cubic spline, whose slope is smooth. Volatility stays on its
        nodes n_k; at x between them a flow is, without any gather, also as a tensor:

        .. math:: v_0 + \sum_k (v_{k+1} - v_k)\,\mathrm{clip}\{(x - n_k)/(n_{k+1} - n_k), 0, 1\}

        Parameters
        ----------
        moves : of each day of the surface, log units, (day,).

        Raises
        ------
        DataError
            Another number of moves than of days, or a move that is not finite.
        """
        r = np.asarray(moves, dtype=float)
        if r.shape != self.book.shape[1:2] or not np.isfinite(r).all():
            raise DataError(
                f"notes: {r.size} moves for {self.book.shape[1]} days, or one is not finite; "
                "give one number a day"
            )
        book, book_slope = _spline(self.move, self.mean_book, r)
        overlay, overlay_slope = _spline(self.move, self.mean_overlay, r)
        return LocalFlows(book, overlay, book_slope, overlay_slope)


def _spline(nodes: Array, table: Array, moves: Array) -> tuple[Array, Array]:
    """Value and slope at one move a day, (day, node); flat beyond the nodes."""
    curve = CubicSpline(nodes, table, axis=1)
    inside = np.clip(moves, nodes[0], nodes[-1])
    day = np.arange(len(table))
    slope = curve(inside, 1)[day, day]
    return curve(inside)[day, day], np.where((inside == moves)[:, None], slope, 0.0)


def _bilinear(
    table: Array, place: tuple[Array, ...], rows: tuple[Array, Array], columns: tuple[Array, Array]
) -> Array:
    """Interpolate in the last two axes of a table at whole-number places of the others."""
    place = tuple(np.asarray(p) for p in place)
    for at, length in zip(place, table.shape, strict=False):
        if at.dtype.kind not in "iu" or (at < 0).any() or (at >= length).any():
            raise DataError(f"notes: a day or scenario is no whole number below {length}; give one")
    (i, a), (j, b) = _located(*rows), _located(*columns)
    low = (1.0 - b) * table[(*place, i, j)] + b * table[(*place, i, j + 1)]
    high = (1.0 - b) * table[(*place, i + 1, j)] + b * table[(*place, i + 1, j + 1)]
    return np.asarray((1.0 - a) * low + a * high)


def _located(nodes: Array, value: Array) -> tuple[Array, Array]:
    """Node below each value and the share of the way to the next, held at the ends."""
    x = np.clip(np.asarray(value, dtype=float), nodes[0], nodes[-1])
    if np.isnan(x).any():
        raise DataError("notes: a move or a volatility is not a number; give numbers")
    below = np.clip(np.searchsorted(nodes, x, side="right") - 1, 0, len(nodes) - 2)
    return below, (x - nodes[below]) / (nodes[below + 1] - nodes[below])


# Listed puts that are sold against the vega of notes: what their hedge trades on a day.

RATE, CARRY = 0.04, 0.04
"""Per year; the underlying pays nothing."""


@dataclass(frozen=True)
class ListedPuts:
    r"""Beliefs about the puts that are sold against the vega of notes.

    Short n puts of delta Δ, the dealer holds nΔ and trades

    .. math:: n\,[\Delta(S_1, \sigma_1) - \Delta(S_0, \sigma_0)]\,S_1, \qquad
              n = \frac{\text{vega of the notes}}{\text{vega of a put}}

    so that the flow depends on the change of the listed volatility and not on that of the notes.

    Attributes
    ----------
    strike : lowest and highest, as fractions of the close, drawn evenly.
    tenor : shortest and longest, years, drawn evenly in logarithms.
    root_time : probability that the number sold is cut by √(tenor/maturity), since volatilities of
        long tenors move less; else the whole vega is sold.
    """

    strike: tuple[float, float]
    tenor: tuple[float, float]
    root_time: float

    def __post_init__(self) -> None:
        for name, (low, high) in (("strike", self.strike), ("tenor", self.tenor)):
            if not 0.0 < low <= high < np.inf:
                raise DataError(
                    f"listed puts: {name} from {low} to {high} is no range above zero; give the "
                    "lower number first"
                )
        if not 0.0 <= self.root_time <= 1.0:
            raise DataError(
                f"listed puts: root_time is {self.root_time}; give a probability from 0 to 1"
            )


def overlay_table(
    book: Notes, state: tuple[np.ndarray, ...], known: Evenings, puts: ListedPuts,
    grid: tuple[np.ndarray, np.ndarray, tuple[float, float]], rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Flow of the puts that stand against all vega, (scenario, day, move, listed)."""
    weight, _, left = state
    scenarios = len(weight)
    strike = rng.uniform(*puts.strike, size=scenarios)
    tenor = puts.tenor[0] * (puts.tenor[1] / puts.tenor[0]) ** rng.uniform(size=scenarios)
    damped = rng.uniform(size=scenarios) < puts.root_time
    if (tenor[:, None] <= known.span).any():
        raise DataError(
            "listed puts: one ends before the day does; give tenors longer than the longest gap "
            "between two closes"
        )
    flow, vega = put_table(strike, tenor, known.spot, known.listed, known.span, *grid)
    cut = np.where(damped[:, None, None], np.sqrt(tenor[:, None, None] / left), 1.0)
    number = (weight * _vega(book, state, known) * cut).sum(axis=-1) / vega
    return np.asarray(number[..., None, None] * flow)


def _vega(book: Notes, state: tuple[np.ndarray, ...], known: Evenings) -> np.ndarray:
    """Vega of what the dealer is long on the evenings before, per unit, (scenario, day, note)."""
    weight, touched, left = state
    out = np.zeros(weight.shape)
    for i, name in enumerate(book.names):
        own = book.note(i)
        for code in np.unique(own.watched):
            here = (weight[..., i] != 0.0) & np.broadcast_to(own.watched == code, weight.shape[:2])
            scenario, day = np.nonzero(here)
            if not len(day):
                continue
            fields = {
                key: np.broadcast_to(getattr(own, key), (len(weight), 1))[scenario]
                for key in ("face", "initial", "level", "leverage", "participation", "cap")
            }
            entry = notes(
                (name,), own.kinds, watched=code, maturity=left[here, i][:, None],
                touched=touched[here, i][:, None], **fields,
            )  # fmt: skip
            path = PricePath(
                known.spot[day][:, None], known.vol[day][:, None, None], np.zeros(1),
                np.ones(1, dtype=bool), RATE, CARRY,
            )  # fmt: skip
            out[here, i] = holders_put(entry, path).vega[:, 0, 0]
    return out


# Price the surface of hedge flows of notes for many days and draws of their terms.

FALLS = np.r_[np.arange(0.02, 0.25, 0.02), 0.27, 0.3, 0.34, 0.38, 0.43, 0.5]
MOVES = np.r_[-FALLS[::-1], 0.0, FALLS]
"""Nodes of the move, log units: denser where falls of an event lie."""
RISES = np.array(
    [-0.2, -0.16, -0.12, -0.08, -0.05, -0.025, 0.0, 0.025, 0.05, 0.08, 0.12, 0.16, 0.2, 0.25, 0.3]
)
"""Nodes of the change of long-dated volatility."""
LISTED_RISES = np.array(
    [-0.4, -0.34, -0.28, -0.22, -0.16, -0.1, -0.05, 0.0, 0.05, 0.1, 0.15, 0.2, 0.27, 0.35, 0.45,
     0.6]
)  # fmt: skip
"""Nodes of the change of short-dated volatility."""


def note_surface(
    terms: tuple[NoteTerms, ...], doubts: Doubts, puts: ListedPuts, closes: pd.Series,
    days: pd.DatetimeIndex, *, vols: np.ndarray, listed_vols: np.ndarray, reference: date,
    scenarios: int, rng: np.random.Generator, moves: np.ndarray = MOVES,
    rises: np.ndarray = RISES, listed_rises: np.ndarray = LISTED_RISES,
) -> NoteSurface:  # fmt: skip
    """Price hedge flows per USD million of the face that is outstanding on a day of reference.

    A note trades from the close on which it is fixed. On each day the hedge moves from the evening
    before, at that evening's volatility, to the close at a grid of moves and volatilities: full
    repricing at one volatility for all notes, without a skew. Listed puts are sold against the vega
    of the evening before, anew every day (:mod:`~attribution.studies.event.notes`).

    Parameters
    ----------
    terms : as :func:`~attribution.panel.note_terms.note_terms` reads them for the reference.
    doubts : about watching and faces; only how the total is split matters.
    puts : that stand against the vega.
    closes : of the underlying by day, USD; its first day is no later than the first fixing.
    days : increasing; each path starts at the last close before.
    vols, listed_vols : annual volatility of long and short tenors on the evenings before, (day,).
    reference : day for which the terms were read, usually the event.
    scenarios : draws of the terms.
    moves, rises, listed_rises : nodes.

    Raises
    ------
    DataError
        Terms without days of fixing, days without a close before, volatilities that are not
        positive, listed puts that end within a day.
    """
    past = closes.dropna()
    known = evenings(past, days, np.asarray(vols), np.asarray(listed_vols), reference)
    book, which = drawn_fixings(terms, doubts, scenarios, rng)
    start = fixing_rows(terms, which, pd.DatetimeIndex(past.index))
    left = book.maturity[:, None, :] + known.age[:, None]
    lived = (start[:, None, :] <= known.place[:, None]) & (left > known.span[:, None])
    total = book.face.sum(axis=1, keepdims=True)
    units = book.units / np.where(total > 0.0, total, 1.0)
    weight = np.where(lived, units[:, None, :], 0.0)
    lowest = lows(past.to_numpy(dtype=float))[start[:, None, :], known.place[:, None]]
    watched = np.broadcast_to(book.watched, book.face.shape)
    touched = (lowest <= book.level[:, None, :]) & (watched != AT_MATURITY)[:, None, :]
    # A note that does not live on a day has weight zero; its state is never read.
    state = (weight, touched, np.where(lived, left, 1.0))
    grid = (np.asarray(moves, dtype=float), np.asarray(rises, dtype=float), (RATE, CARRY))
    table = book_table(_columns(book), *state, known.spot, known.vol, known.span, *grid)
    listed = np.asarray(listed_rises, dtype=float)
    overlay = overlay_table(book, state, known, puts, (grid[0], listed, grid[2]), rng)
    return NoteSurface(grid[0], grid[1], listed, table, overlay)


def _columns(book: Notes) -> np.ndarray:
    """Terms as the compiled pricing takes them, (scenario, note, 7)."""
    kinds = np.array([KINDS.index(kind) for kind in book.kinds], dtype=float)
    parts = (
        kinds, book.watched, book.initial, book.level, book.leverage, book.participation, book.cap
    )  # fmt: skip
    return np.stack([np.broadcast_to(part, book.face.shape) for part in parts], axis=-1)


# Records of notes and the days of a structural model in; the surface of their hedge flows out.

SCENARIOS = 32
"""Draws of the terms: their mean enters the likelihood, each of them the simulation."""


def surface_of(
    question: EventQuestion,
    evidence: Evidence,
    rows: EventRows,
    rng: np.random.Generator,
    *,
    scenarios: int = SCENARIOS,
) -> NoteSurface:
    """Price the notes on every day of the model.

    Raises
    ------
    DataError
        If the evidence brings no records of notes, or no rule reads them.
    """
    prior = question.notes
    if prior.records not in evidence.tables:
        raise DataError(
            f"[notes] records = '{prior.records}' is not among the data; hand over a folder that"
            " has it"
        )
    closes = evidence.rows[prior.closes].dropna()
    terms = note_terms(evidence.tables[prior.records], closes, question.day)
    doubts = Doubts(watched=prior.watched, total=prior.face.median, spread=prior.face.sd)
    puts = ListedPuts(prior.puts.strike, prior.puts.tenor, prior.puts.root_time)
    listed = rows.sigma * np.sqrt(365.0)
    return note_surface(
        terms,
        doubts,
        puts,
        closes,
        pd.DatetimeIndex(rows.days),
        vols=np.full(len(listed), prior.long_vol / 100.0),
        listed_vols=listed,
        reference=question.day,
        scenarios=scenarios,
        rng=rng,
    )
