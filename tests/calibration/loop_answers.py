"""Parameters and days in; what they say of the event's day, where the model has an answer, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from calibration.loop_target import Target

from attribution.allocate import but_for
from attribution.errors import DiagnosticsError
from attribution.studies.event.abduction import Drawn, amplification, world_of
from attribution.studies.event.density import response
from attribution.studies.event.flows import (
    book_scale,
    gamma_flow,
    levels,
    liquidation_flow,
    note_flow,
    unwinding_flow,
    usual_volatility,
)
from attribution.studies.event.question import AMPLIFIERS, BASIS
from attribution.studies.event.world import one_off, play

WAY = np.arange(40)[:, None] / 40
"""Places on the way from no move to the observed one, in shares of it."""
EFFECTS = (*AMPLIFIERS, BASIS)
PARAMETERS = (
    "log_impact", "dealer_position", "liquidation_multiple", "absorbed", "gross_gamma", "overlay",
    "face", "s0",
)  # fmt: skip


@dataclass(frozen=True)
class Answers:
    """What draws say; those without an answer are left out.

    Attributes
    ----------
    quantities : name -> (draw,); effects in log points, parameters in their own units.
    kept : positions of the draws that have an answer.
    """

    quantities: Mapping[str, np.ndarray]
    kept: np.ndarray


def answers_of(target: Target, points: np.ndarray, absorbed: np.ndarray) -> Answers | None:
    """Answer for every draw under which all days, and all switches of the event's, have one.

    Under other draws some day's move is a fixed point at which the price, coming from zero, does
    not arrive: they have a density, and no part in the law by which days are drawn.

    Parameters
    ----------
    points : (draw, dimension).
    absorbed : (draw,), 1 where forced orders leave no mark, else 0.

    Returns
    -------
    None where no draw has an answer.
    """
    draws, rows, question = target.named(points, absorbed), target.rows, target.question
    arrived = [reached(target, {n: x[i] for n, x in draws.items()}) for i in range(len(points))]
    first = np.flatnonzero(arrived)
    if not len(first):
        return None
    laws = tuple(law.name for law in question.impact.laws)
    drawn = Drawn(
        {name: x[first] for name, x in draws.items()},
        np.full(len(first), target.law),
        laws,
        np.zeros(len(first), dtype=np.int64),
    )
    world = world_of(question, rows, target.surface, drawn, rows.event)
    try:
        played = play(world, only=one_off(world.players, len(world.triggers)))
    except DiagnosticsError:
        return None
    kept, game = first[played.kept.ravel()], played.game
    effect = but_for(game).draws
    at = int(np.flatnonzero(rows.named == rows.event)[0])
    found = {f"but for {name}": effect[:, game.players.index(name)] for name in EFFECTS}
    found["amplification"] = amplification(game, world.triggers)
    found |= {name: draws[name][kept] for name in PARAMETERS}
    found["beta of the first driver"] = draws["beta"][kept, 0]
    found["unwound on the event's day"] = draws["unwound"][kept, at]
    found["log likelihood"] = np.array([target.log_likelihood(points[i]) for i in kept])
    return Answers(found, kept)


def reached(target: Target, draw: Mapping[str, np.ndarray]) -> bool:
    """Whether under one draw the price, coming from zero, meets every day's move first."""
    rows = target.rows
    r = rows.move
    way = WAY * r
    name = target.question.impact.laws[target.law].name
    law = response(target.question.impact, name, rows, draw)
    ended = law.move(_traded(target, draw, r[None]))[0]
    gap = r - ended + law.move(_traded(target, draw, way)) - way
    return bool((np.sign(r) * gap > 0.0)[:, r != 0.0].all())


def _traded(target: Target, draw: Mapping[str, np.ndarray], move: np.ndarray) -> np.ndarray:
    """All flow at moves of each day (place, day), that day's own shocks held, USD million."""
    question, rows = target.question, target.rows
    rise = rows.volatility + usual_volatility(draw, move) - usual_volatility(draw, rows.move)
    flow = note_flow(target.surface, draw, np.arange(len(rows.days)), move, rise)
    flow = flow + gamma_flow(draw, book_scale(question, rows), move)
    reference, level = question.liquidations.reference, levels(question, rows, draw)
    flow = flow + liquidation_flow(draw, reference, level, move)
    flow[:, rows.named] += unwinding_flow(draw, draw["unwound"])
    return np.asarray(flow)
