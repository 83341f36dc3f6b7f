r"""Draws of parameters and the event's day in steps; the world that takes exactly that path out.

Nothing is assumed about which trigger came when, except: drivers, the surprise of volatility and
the basis trade come in proportion to time or by bars of their own, and the unexplained rest is what
is left of each step.  Notes are a table over the price alone: their flow at a price is that of the
close, at the volatility of the day's end and with the barriers that such a close has touched.
Where the day's liquidations were published, they were closed at its extremes,

.. math:: X = \text{total} / \bigl(\text{base} + h(\textstyle\min_h R_h)\bigr)

for longs, and at the highest move for shorts, with h how far a move reaches into levels.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from attribution.estimate.event_flows import (
    book_scale,
    gamma_flow,
    levels_on,
    liquidation_flow,
    note_flow,
    upright,
    usual_volatility,
)
from attribution.estimate.event_rows import EventRows
from attribution.estimate.event_surface import NoteSurface
from attribution.mechanics.steps import PathFlows, extremes, implied_shock
from attribution.model.event_study import AMPLIFIERS, BASIS, REST, EventQuestion
from attribution.study.event_abduction import Drawn, law_of, nodes, unwinding
from attribution.study.event_path import DayPath
from attribution.study.event_steps import SteppedWorld


def stepped_of(
    question: EventQuestion, rows: EventRows, surface: NoteSurface, drawn: Drawn, day: DayPath
) -> SteppedWorld:
    """Infer what of every shock had come by each step of the event's day, under every draw."""
    event, draws, players = rows.event, drawn.draws, question.players
    low, high = (float(ends[-1]) for ends in extremes(day.move))
    move = nodes(float(day.move[-1]), low, high)
    surprise = surprise_by_step(rows, drawn, day)
    pushes = np.zeros((drawn.count, len(players), len(day.move)))
    unwound, scale = unwinding(rows, draws, event), book_scale(question, rows)[event]
    pushes[:, players.index(BASIS)] = unwound[:, None] * day.elapsed
    pushes[:, players.index("notes")] = _note_push(surface, drawn, event, surprise, day.elapsed)
    answers = {
        "notes": _notes(surface, drawn, event, move, surprise[:, -1:]),
        "gamma": _by_price(move, gamma_flow(upright(draws), scale, move)),
        "liquidations": _forced(question, rows, drawn, move, {"long": low, "short": high}),
    }
    shocks = np.zeros((drawn.count, len(question.triggers), len(day.move)))
    for place, group in enumerate(question.drivers):
        at = rows.groups[group.name]
        shocks[:, place] = draws["beta"][:, at] @ day.drivers[:, at].T
    law = law_of(question, rows, drawn, event)
    held = {name: answers[name] for name in AMPLIFIERS}
    world = SteppedWorld(day.move, question.triggers, shocks, pushes, law, held)
    whole = world.whole
    rest = implied_shock(day.move, pushes.sum(axis=1), law, whole) - shocks.sum(axis=1)
    shocks[:, question.triggers.index(REST)] = rest
    return world


def surprise_by_step(rows: EventRows, drawn: Drawn, day: DayPath) -> np.ndarray:
    """Change of implied volatility that no move explains, so far, fraction (draw, step)."""
    one = upright(drawn.draws)
    if day.volatility is not None:
        return np.asarray(day.volatility - usual_volatility(one, day.move))
    whole = rows.volatility[rows.event] - usual_volatility(one, day.move[-1:])
    return np.asarray(whole * day.elapsed)


def _note_push(
    surface: NoteSurface, drawn: Drawn, event: int, surprise: np.ndarray, elapsed: np.ndarray
) -> np.ndarray:
    """Flow of notes so far at an unmoved price (draw, step): surprises, and time that passes."""
    one, which, still = upright(drawn.draws), drawn.scenario[:, None], np.zeros(1)
    moved = note_flow(surface, one, np.asarray(event), still, surprise, which)
    day = note_flow(surface, one, np.asarray(event), still, np.zeros((drawn.count, 1)), which)
    return np.asarray(moved - (1.0 - elapsed) * day)


def _notes(
    surface: NoteSurface, drawn: Drawn, event: int, move: np.ndarray, surprise: np.ndarray
) -> PathFlows:
    """Flow of notes beyond their push, by the move."""
    one, which = upright(drawn.draws), drawn.scenario[:, None]
    change = surprise + usual_volatility(one, move)
    table = note_flow(surface, one, np.asarray(event), move, change, which)
    return _by_price(move, table - table[:, move == 0.0])


def _forced(
    question: EventQuestion, rows: EventRows, drawn: Drawn, move: np.ndarray,
    reached: Mapping[str, float],
) -> PathFlows:  # fmt: skip
    """Longs closed by the lowest move so far, shorts by the highest."""
    one, reference = upright(drawn.draws), question.liquidations.reference
    level = levels_on(question, rows, one, rows.event, eve=False, reached=reached)
    longs, shorts = (
        liquidation_flow(one, reference, {side: level[side]}, move) for side in ("long", "short")
    )
    return PathFlows(move, np.zeros(len(move)), longs, shorts)


def _by_price(move: np.ndarray, table: np.ndarray) -> PathFlows:
    """Flows that answer where the price is, whatever way it came."""
    none = np.zeros(len(move))
    return PathFlows(move, table, none, none)
