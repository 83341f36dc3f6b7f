r"""What the hedge of a book of notes trades along a path: full repricing, never gamma times move.

With u units a note and a dealer of position p, the holding is :math:`h = -p\,u\,\Delta` and the
flow of a step :math:`(h_t - h_{t-1}) S_t`. Positive is bought. What enters: a book, a path and, if
wanted, an overlay of listed puts; what leaves: USD million by draw, note and step.

References: haug2007.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.mechanics.barrier import barrier
from attribution.mechanics.greeks import Greeks
from attribution.mechanics.inputs import one_of
from attribution.mechanics.note_prices import holders_put, touched, years_left
from attribution.mechanics.notes import CONTINUOUS, Notes, PricePath
from attribution.mechanics.vanilla import vanilla

WEIGHTINGS = ("raw", "root_time")


@dataclass(frozen=True)
class Overlay:
    """Listed puts sold against the vega of the notes before the path begins.

    Attributes
    ----------
    ratio : share of the vega that is sold, (draw,) or a number; negative for puts bought.
    strike : as a fraction of the first price, (draw,) or a number.
    tenor : years from the first step, (draw,) or a number.
    vol : annual volatility of the listed put along the path, (step,) or (draw, step).
    weighting : "raw" sells ratio times the vega; "root_time" that times √(tenor/maturity),
        since volatilities of long tenors move less.
    """

    ratio: np.ndarray | float
    strike: np.ndarray | float
    tenor: np.ndarray | float
    vol: np.ndarray
    weighting: str = "raw"


@dataclass(frozen=True)
class Flows:
    """Hedge trades; positive is bought.

    Attributes
    ----------
    inventory : million units held as hedge, (draw, note, step).
    flow : USD million traded at each later step, (draw, note, step - 1), at that step's price.
    block : USD million traded at once when a continuous barrier is touched, at the barrier;
        contained in ``flow``; zero where nothing is touched; (draw, note).
    overlay : USD million traded against listed puts, (draw, note, step - 1), or zeros.
    """

    inventory: np.ndarray
    flow: np.ndarray
    block: np.ndarray
    overlay: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """USD million over the whole path and all notes, overlay included, (draw,)."""
        return np.asarray((self.flow + self.overlay).sum(axis=(-2, -1)))


def hedge_flows(book: Notes, path: PricePath, overlay: Overlay | None = None) -> Flows:
    """Trade the hedge of a book along a path.

    Parameters
    ----------
    book : notes, fields (draw, note).
    path : spot, volatility and time by step.
    overlay : listed puts, or none.

    Returns
    -------
    Flows in USD million.

    Raises
    ------
    DataError
        A note that matures on the path; numbers that no formula takes.
    """
    sold = holders_put(book, path)
    size = (book.position * book.units)[..., None]
    held = -size * sold.delta
    flow = np.diff(held, axis=-1) * path.cube[..., 1:]
    extra = np.zeros(flow.shape)
    if overlay is not None:
        extra = overlay_flow(book, path, overlay, size * sold.vega)
    return Flows(held, flow, block_at_touch(book, path), extra)


def listed_put(path: PricePath, overlay: Overlay) -> Greeks:
    """Greeks of the listed put along the path, (draw, 1, step)."""
    vol = np.asarray(overlay.vol)[..., None, :]
    strike = _by_draw(overlay.strike) * path.cube[..., :1]
    left = _by_draw(overlay.tenor) - path.time
    return vanilla("put", path.cube, strike, left, vol, path.rate, path.carry)


def overlay_flow(book: Notes, path: PricePath, overlay: Overlay, vega: np.ndarray) -> np.ndarray:
    """Trade the hedge of listed puts sold against a vega; short n puts, he holds n Δ.

    Returns
    -------
    USD million, (draw, note, step - 1); ``vega`` is the position's, USD million per 1.00.
    """
    one_of("overlay", "weighting", overlay.weighting, WEIGHTINGS)
    put = listed_put(path, overlay)
    number = _by_draw(overlay.ratio) * vega[..., :1] / put.vega[..., :1]
    if overlay.weighting == "root_time":
        number = number * np.sqrt(_by_draw(overlay.tenor) / years_left(book, path)[..., :1])
    return np.asarray(number * np.diff(put.delta, axis=-1) * path.cube[..., 1:])


def _by_draw(value: np.ndarray | float) -> np.ndarray:
    """Give a number or one a draw the axes of notes and steps."""
    return np.asarray(value, dtype=float)[..., None, None]


def block_at_touch(book: Notes, path: PricePath) -> np.ndarray:
    """Trade at once at the touch of a continuously watched barrier, USD million, (draw, note).

    The holding changes from that of the knock-in just above the barrier to that of the vanilla.
    """
    columns = [_block(book.note(i), path.note(i)) for i in range(len(book.names))]
    shape = np.broadcast_shapes(*(column.shape for column in columns))
    return np.concatenate([np.broadcast_to(column, shape) for column in columns], axis=-1)


def _block(book: Notes, path: PricePath) -> np.ndarray:
    hit = touched(book, path, CONTINUOUS)
    alive = ~np.concatenate([np.broadcast_to(book.touched[..., None], hit[..., :1].shape),
                             hit[..., :-1]], axis=-1)  # fmt: skip
    now = hit & alive & (book.watched == CONTINUOUS)[..., None]
    if book.kinds[0] == "buffer" or not now.any():
        return np.zeros(now.shape[:-1])
    level, strike = book.level[..., None], book.initial[..., None]
    market = (years_left(book, path), path.vol, path.rate, path.carry)
    before = barrier("down_in_put", level, strike, level, *market, 0.0, False).delta
    after = vanilla("put", level, strike, *market).delta
    if book.kinds[0] == "dual_directional":
        # He also owned the put that now knocks out: in less out is twice in less the vanilla.
        before = 2.0 * before - after
    jump = -(book.position * book.units)[..., None] * (after - before) * level
    return np.asarray(np.where(now, jump, 0.0).sum(axis=-1))
