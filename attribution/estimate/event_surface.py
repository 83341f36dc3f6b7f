r"""What the hedge of structured notes trades on a day, as a table over moves and volatility.

The likelihood of an event asks for this flow at thousands of parameter values, so it is priced
once, for drawn terms of the notes, and read off by interpolation afterwards:

.. math:: K_t(r) = \text{face}\,\bigl[A_t(r, \chi y) + \omega B_t(r, y)\bigr]

with y the day's change of short-dated volatility and χ the share of it that long-dated volatility
follows. Terms keep their prior: nothing about a day's price changes what is believed about a
filing. What enters: a priced surface (:mod:`~attribution.estimate.event_notes` makes it); what
leaves: USD million per USD million of face outstanding on the day of reference.

References: plummer2015 (beliefs that are not updated).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from scipy.interpolate import CubicSpline

from attribution.errors import DataError

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
