r"""A book of notes, a day and draws in; what its hedge traded, and what would turn its sign, out.

Each draw is priced in full on the eve and at the close. With overlay ratio ω its flow is

.. math:: F = \sum_i \bigl[A_i(S_0 \to S_1, \sigma_0 \to \sigma_1) + \omega B_i\bigr]

A from the notes, B from listed puts that take all of their vega. USD million, positive bought.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.mechanics.barrier import barrier
from attribution.mechanics.inputs import one_of
from attribution.mechanics.note_prices import holders_put, touched, years_left
from attribution.mechanics.notes import CONTINUOUS, Notes, PricePath
from attribution.mechanics.terms import Greeks
from attribution.mechanics.vanilla import vanilla
from attribution.studies.notes.book import Assumed, Day, book_on, repeated, thinned
from attribution.studies.notes.question import BarrierQuestion

# What the hedge of a book of notes trades along a path: full repricing, never gamma times move.

WEIGHTINGS = ("raw", "root_time")


@dataclass(frozen=True)
class Overlay:
    r"""Listed puts sold against the vega of the notes before the path begins.

    With u units a note and a dealer of position p, the holding is :math:`h = -p\,u\,\Delta` and the
    flow of a step :math:`(h_t - h_{t-1}) S_t`. Positive is bought.

    Attributes
    ----------
    ratio : share of the vega that is sold, (draw,) or a number; negative for puts bought.
    strike : as a fraction of the first price, (draw,) or a number.
    tenor : years from the first step, (draw,) or a number.
    vol : annual volatility of the listed put along the path, (step,) or (draw, step).
    weighting : "raw" sells ratio times the vega; "root_time" that times √(tenor/maturity),
        since volatilities of long tenors move less.

    References
    ----------
    haug2007
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


MOVES = np.arange(-30.0, 31.0, 2.0)
"""Moves of the profile, log points."""
RISES = np.arange(0.0, 61.0, 2.5)
"""Rises of long-dated volatility in which its break-even is sought, points."""
FEW = 500
"""Draws behind a profile or a break-even."""
MOST_RATIO = 10.0
"""Overlay ratio from which on a break-even counts as none."""


@dataclass(frozen=True)
class DayFlows:
    """What hedges traded on a day, USD million, bought above zero.

    Attributes
    ----------
    day : as observed.
    book : as it stood on the eve.
    notes : (draw, note).
    whole : of listed puts where all of the vega is sold, (draw, note).
    overlay : the same at the drawn ratio, (draw, note).
    block : traded at once at the touch of a barrier watched all day, in ``notes``; (draw, note).
    """

    day: Day
    book: Notes
    notes: np.ndarray
    whole: np.ndarray
    overlay: np.ndarray
    block: np.ndarray

    @property
    def alone(self) -> np.ndarray:
        """Flow of all notes without an overlay, (draw,)."""
        return np.asarray(self.notes.sum(axis=-1))

    @property
    def total(self) -> np.ndarray:
        """Flow of all notes with the overlay, (draw,)."""
        return np.asarray((self.notes + self.overlay).sum(axis=-1))


def day_flows(
    question: BarrierQuestion, found: Assumed, day: Day, eve: Day, *, calm: bool = False
) -> DayFlows:
    """Price a day's flows.

    Parameters
    ----------
    eve : the event's day, on whose eve the level of long-dated volatility is believed.
    calm : hold volatility at the eve's, to see what its change does.
    """
    book = book_on(found, day)
    listed = np.repeat(day.listed[:1], 2) if calm else day.listed
    notes, whole, block = _priced(
        question, found, book, day, day.spot,
        found.long_dated(listed, eve.listed[0]), found.of_puts(listed, eve.listed[0]),
    )  # fmt: skip
    return DayFlows(day, book, notes, whole, found.ratio[:, None] * whole, block)


def profile(
    question: BarrierQuestion, found: Assumed, day: Day, *, calm: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Price flows had the event's day ended elsewhere, volatility as it was or as on the eve.

    Returns
    -------
    Notes without and with the overlay, (draw, move), of at most ``FEW`` draws.
    """
    few = thinned(found, FEW)
    count, size = len(MOVES), len(few.level)
    spot = np.stack([np.full(count, day.spot[0]), day.spot[0] * np.exp(MOVES / 100.0)], axis=-1)
    listed = np.repeat(day.listed[:1], 2) if calm else day.listed
    many = repeated(few, count)
    notes, puts, _ = _priced(
        question, many, book_on(many, day), day, np.tile(spot, (size, 1)),
        many.long_dated(listed, day.listed[0]), many.of_puts(listed, day.listed[0]),
    )  # fmt: skip
    alone = notes.sum(axis=-1).reshape(size, count)
    whole = puts.sum(axis=-1).reshape(size, count)
    return alone, alone + few.ratio[:, None] * whole


@dataclass(frozen=True)
class BreakEven:
    """What turns buying into selling, of at most ``FEW`` draws.

    Attributes
    ----------
    alone, with_overlay : rise of long-dated volatility, points, (draw,); zero where hedges sell
        without any, the last of ``RISES`` where they buy after all of them.
    ratio : of the overlay at the day's own volatilities; zero or ``MOST_RATIO`` likewise.
    """

    alone: np.ndarray
    with_overlay: np.ndarray
    ratio: np.ndarray


def break_even(question: BarrierQuestion, found: Assumed, day: Day) -> BreakEven:
    """Search rises of long-dated volatility for the one at which a day's hedges trade nothing."""
    few = thinned(found, FEW)
    count, size = len(RISES), len(few.level)
    many = repeated(few, count)
    vol = np.stack([many.level, many.level + np.tile(RISES / 100.0, size)], axis=-1)
    notes, puts, _ = _priced(
        question, many, book_on(many, day), day, day.spot, vol,
        many.of_puts(day.listed, day.listed[0]),
    )  # fmt: skip
    alone = notes.sum(axis=-1).reshape(size, count)
    whole = puts.sum(axis=-1).reshape(size, count)
    extra = few.ratio[:, None] * whole
    return BreakEven(
        _first_zero(RISES, alone),
        _first_zero(RISES, alone + extra),
        _ratio(day_flows(question, few, day, day)),
    )


def _first_zero(x: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Where each row (draw, node) first turns from above zero to zero or below, by straight lines.

    Zero where it starts there; the last node where it never does.
    """
    low = flow <= 0.0
    at = np.where(low.any(axis=1), low.argmax(axis=1), flow.shape[1] - 1)
    row, before = np.arange(len(flow)), np.maximum(at - 1, 0)
    fall = flow[row, before] - flow[row, at]
    share = np.divide(flow[row, before], fall, out=np.ones(len(flow)), where=fall > 0.0)
    crossing = x[before] + np.minimum(share, 1.0) * (x[at] - x[before])
    found: np.ndarray = np.where(low[:, 0], x[0], np.where(low.any(axis=1), crossing, x[-1]))
    return found


def _ratio(flows: DayFlows) -> np.ndarray:
    """Overlay ratio at which the flow is nothing."""
    alone, whole = flows.alone, flows.whole.sum(axis=-1)
    turning = np.divide(-alone, whole, out=np.full(len(alone), MOST_RATIO), where=whole < 0.0)
    found: np.ndarray = np.clip(np.where(alone <= 0.0, 0.0, turning), 0.0, MOST_RATIO)
    return found


def _priced(
    question: BarrierQuestion,
    found: Assumed,
    book: Notes,
    day: Day,
    spot: np.ndarray,
    vol: np.ndarray,
    listed: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Trade from the eve to the close; volatilities of notes and of listed puts (draw, 2).

    Returns
    -------
    Flow of the notes, of listed puts that take all of their vega, and the block; (draw, note).
    """
    time = np.array([0.0, day.years])
    close = np.array([True, True])
    path = PricePath(spot, vol[:, None, :], time, close, question.rate, question.carry)
    flows = hedge_flows(book, path, Overlay(1.0, found.strike, found.tenor, listed))
    root = np.where(found.rooted[:, None], np.sqrt(found.tenor[:, None] / book.maturity), 1.0)
    return flows.flow[..., 0], root * flows.overlay[..., 0], flows.block
