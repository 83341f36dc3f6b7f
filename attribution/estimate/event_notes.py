r"""Price the surface of hedge flows of notes for many days and draws of their terms.

A note trades from the close on which it is fixed. On each day the hedge moves from the evening
before, at that evening's volatility, to the close at a grid of moves and volatilities: full
repricing at one volatility for all notes, without a skew. Listed puts are sold against the vega of
the evening before, anew every day (:mod:`~attribution.estimate.event_overlay`). What enters: terms
with their doubts, closes and volatilities; what leaves: a
:class:`~attribution.estimate.event_surface.NoteSurface`.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from attribution.estimate.event_evenings import evenings
from attribution.estimate.event_overlay import CARRY, RATE, ListedPuts, overlay_table
from attribution.estimate.event_surface import LocalFlows, NoteSurface
from attribution.estimate.note_closes import fixing_rows, lows
from attribution.mechanics.note_deltas import book_table
from attribution.mechanics.note_draws import Doubts, NoteTerms, drawn_fixings
from attribution.mechanics.notes import AT_MATURITY, KINDS, Notes

__all__ = ["ListedPuts", "LocalFlows", "NoteSurface", "note_surface"]

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
