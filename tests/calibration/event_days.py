"""A structural question, its days and one draw of parameters in; days that could have been out.

Everything known on the eve (volatility, volume, price, open interest, funding, drivers) is kept as
it was; moves, liquidations, volatility, the basis and net creations are drawn, the move by solving
its fixed point on each day.  Moves that the question holds out are given, and stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from attribution.mechanics.feedback import Flows, fixed_point
from attribution.mechanics.impact import Response
from attribution.studies.event.density import response
from attribution.studies.event.flows import (
    SIDES,
    book_scale,
    gamma_flow,
    liquidation_flow,
    note_flow,
    reach,
    unwinding_flow,
    usual_level,
    usual_volatility,
)
from attribution.studies.event.notes import NoteSurface
from attribution.studies.event.question import EventQuestion
from attribution.studies.event.rows import EventRows

NODES = np.linspace(-0.6, 0.6, 481)
"""Moves at which flows are tabulated, log units; a day that leaves them has no fixed point."""


@dataclass(frozen=True)
class _Shocks:
    """Drawn shocks of each day: price and volatility; liquidations (side, day)."""

    price: np.ndarray
    volatility: np.ndarray
    closed: np.ndarray


def simulate_days(
    question: EventQuestion,
    rows: EventRows,
    surface: NoteSurface,
    draws: Mapping[str, Any],
    index: int,
    rng: np.random.Generator,
) -> EventRows | None:
    """Draw all days under one draw of parameters.

    Parameters
    ----------
    surface : its mean over scenarios, as in the likelihood.
    draws : as :func:`~attribution.studies.event.fit.prior_draws` gives them, (draw, ...).
    index : which draw.

    Returns
    -------
    Days with the same cells missing; no bound of what was closed (``vanished``), which is evidence
    and no outcome.  None if some day has no fixed point that the price reaches.
    """
    draw = {name: value[index] for name, value in draws.items()}
    law = question.impact.laws[int(draw["law"])].name
    shocks = _shocks(rows, draw, rng)
    impact = response(question.impact, law, rows, draw)
    table = _flows(question, rows, surface, draw, shocks)
    still = int(np.flatnonzero(NODES == 0.0)[0])
    start = table[:, [still]]
    push = start[:, 0].copy()
    push[rows.named] += unwinding_flow(draw, draw["unwound"])
    found = fixed_point(shocks.price, push, impact, Flows(NODES, table - start))
    given = np.zeros(len(rows.days), dtype=bool)
    given[rows.named] = question.held_out
    move = np.where(given, rows.move, found.move)
    if np.isnan(move).any():
        return None
    return _outcomes(question, rows, impact, draw, shocks, move, rng)


def _shocks(rows: EventRows, draw: Mapping[str, Any], rng: np.random.Generator) -> _Shocks:
    """Draw them; days without published liquidations have none of their own, named ones aside."""
    size = len(rows.days)
    scale = np.exp(draw["s0"] + draw["s1"] * rows.noise)
    price = draw["mu"] + rows.drivers @ draw["beta"] + scale * rng.standard_t(draw["nu"], size)
    vol = draw["vol_intercept"] + draw["vol_sd"] * rng.standard_t(draw["vol_nu"], size)
    closed = rng.standard_normal((2, size))
    closed[:, np.isnan(rows.longs) | np.isnan(rows.shorts)] = 0.0
    for number, side in enumerate(SIDES):
        if len(rows.latent):
            closed[number, rows.named[rows.latent]] = draw[f"zeta_{side}"]
        closed[number] *= draw[f"tau_{side}"]
    return _Shocks(price, vol, closed)


def _flows(
    question: EventQuestion,
    rows: EventRows,
    surface: NoteSurface,
    draw: Mapping[str, Any],
    shocks: _Shocks,
) -> np.ndarray:
    """Flows that answer each move, (day, node), USD million bought."""
    r, day = NODES[None, :], np.arange(len(rows.days))[:, None]
    rise = shocks.volatility[:, None] + usual_volatility(draw, r)
    notes = note_flow(surface, draw, day, r, rise)
    gamma = gamma_flow(draw, book_scale(question, rows)[:, None], r)
    level = {side: x[:, None] for side, x in _levels(rows, draw, shocks).items()}
    return np.asarray(
        notes + gamma + liquidation_flow(draw, question.liquidations.reference, level, r)
    )


def _levels(rows: EventRows, draw: Mapping[str, Any], shocks: _Shocks) -> dict[str, np.ndarray]:
    """Return what a move of the reference closes on each day, side -> (day,)."""
    return {
        side: usual_level(draw, side, rows.open_interest, rows.funding, shock)
        for side, shock in zip(SIDES, shocks.closed, strict=True)
    }


def _outcomes(
    question: EventQuestion,
    rows: EventRows,
    impact: Response,
    draw: Mapping[str, Any],
    shocks: _Shocks,
    move: np.ndarray,
    rng: np.random.Generator,
) -> EventRows:
    """Draw what follows from the moves."""
    size = len(move)
    reference = question.liquidations.reference
    closed = {
        side: level * (draw[f"base_{side}"] + reach(draw, side, reference, move))
        for side, level in _levels(rows, draw, shocks).items()
    }
    lacking = np.isnan(rows.longs) | np.isnan(rows.shorts)
    before = np.where(np.isnan(rows.before), np.nan, np.r_[rows.before[0], move[:-1]])
    basis = draw["basis_intercept"] + 100.0 * draw["basis_move"] * move
    creations = draw["creation_intercept"] + 100.0 * draw["creation_move"] * move
    creations = creations + 100.0 * draw["creation_before"] * np.nan_to_num(before)
    closing = np.zeros(size)
    closing[rows.named] = draw["unwound"]
    widened = (1.0 - draw["arbitrage"]) * (1.0 + draw["leg_ratio"]) * impact.move(closing)
    basis = basis + 1e4 * widened + draw["basis_sd"] * rng.standard_t(draw["basis_nu"], size)
    creations = creations - draw["redeemed"] * closing
    creations = creations + draw["creation_sd"] * rng.standard_t(draw["creation_nu"], size)
    return replace(
        rows,
        move=move,
        before=before,
        longs=np.where(lacking, np.nan, closed["long"]),
        shorts=np.where(lacking, np.nan, closed["short"]),
        vanished=np.full(size, np.nan),
        volatility=shocks.volatility + usual_volatility(draw, move),
        basis=np.where(np.isnan(rows.basis), np.nan, basis),
        creations=np.where(np.isnan(rows.creations), np.nan, creations),
    )
