r"""What notes, options and liquidations trade at a move, USD million: mechanics with draws.

.. math::
    K(r) = \text{face}\,[A(r, \chi x) + \omega B(r, x)], \quad x(r) = w + g(r), \qquad
    G(r) = -s\,\Gamma\,d\sqrt{\pi/2}\,\mathrm{erf}\frac{r}{d\sqrt2}, \qquad
    L(r) = (1 - \delta)\,m \sum_{\text{sides}} \mp X\, h(r)

with w the day's own change of implied volatility, g its usual answer to a move, X what a move of
the reference closes, and delta one where forced orders leave no mark on the price, else zero.
Written once, for one draw on many days, for many draws on one day and for grids of both: parameters
are numbers or arrays, and everything broadcasts.  Moves are log units.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from attribution.mechanics.basis import spot_move
from attribution.mechanics.forced_flow import power_flow, power_reach
from attribution.mechanics.gamma import bell_flow
from attribution.studies.event.notes import NoteSurface
from attribution.studies.event.question import EventQuestion
from attribution.studies.event.rows import EventRows

Draw = Mapping[str, Any]
"""Name -> a parameter: a number, or draws of it that broadcast with the moves."""
SIDES = {"long": -1.0, "short": 1.0}
"""Who is closed, and the sign of what that trades."""


def upright(draws: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Give draws (draw, ...) a last axis for moves."""
    return {name: x[..., None] for name, x in draws.items()}


def usual_volatility(draw: Draw, move: np.ndarray) -> np.ndarray:
    """Part of the change of implied volatility that answers the move, fraction."""
    fall, rise = np.minimum(move, 0.0), np.maximum(move, 0.0)
    return np.asarray(draw["vol_down"] * fall + draw["vol_up"] * rise)


def note_flow(
    surface: NoteSurface,
    draw: Draw,
    day: Any,
    move: np.ndarray,
    volatility: np.ndarray,
    scenario: np.ndarray | None = None,
) -> np.ndarray:
    """Hedge of the notes and of the puts sold against their vega.

    Parameters
    ----------
    day : place of the day, whole numbers.
    volatility : change of short-dated volatility at the move, fraction.
    scenario : of the terms, whole numbers; None for their mean.
    """
    book = surface.book_at(day, move, draw["pass_through"] * volatility, scenario)
    puts = surface.overlay_at(day, move, volatility, scenario)
    return np.asarray(draw["face"] * (book + draw["overlay"] * puts))


def book_scale(question: EventQuestion, rows: EventRows) -> np.ndarray:
    """Dollars of a coin over those at the event, (day,); zero where options hedge not apart."""
    relative = rows.price / rows.price[rows.event]
    if question.gamma.days == "all":
        return np.asarray(relative)
    apart = np.zeros(len(relative), dtype=bool)
    apart[rows.named] = True
    return np.where(apart, relative, 0.0)


def gamma_flow(draw: Draw, scale: Any, move: np.ndarray) -> np.ndarray:
    """Hedge of listed options; ``scale`` is the book's size over that on the event's day."""
    gross = draw["gross_gamma"] * scale
    return bell_flow(draw["dealer_position"], gross, draw["gamma_width"], move)


def reach(draw: Draw, side: str, reference: float, move: np.ndarray) -> np.ndarray:
    """How far a move reaches into levels of liquidation, one at a move of the reference."""
    return power_reach(move, reference, draw[f"power_{side}"], -SIDES[side])


def usual_level(
    draw: Draw, side: str, open_interest: Any, funding: Any, shock: Any = 0.0
) -> np.ndarray:
    """Return what a move of the reference closes, USD million: its median, if without a shock."""
    center = np.log(open_interest) + draw[f"alpha_{side}"] + draw[f"funding_{side}"] * funding
    return np.asarray(np.exp(center + shock))


def known_level(draw: Draw, side: str, reference: float, total: Any, move: Any) -> np.ndarray:
    """Return what a move of the reference closes where a move is known to have closed ``total``."""
    return np.asarray(total / (draw[f"base_{side}"] + reach(draw, side, reference, move)))


def levels(question: EventQuestion, rows: EventRows, draw: Draw) -> dict[str, np.ndarray]:
    """Return what a move of the reference closes, side -> (day,), each day's own shock held."""
    reference, found = question.liquidations.reference, {}
    published = ~np.isnan(rows.longs) & ~np.isnan(rows.shorts)
    for side in SIDES:
        shock = np.zeros(len(rows.days))
        if len(rows.latent):
            shock[rows.named[rows.latent]] = draw[f"tau_{side}"] * draw[f"zeta_{side}"]
        total = np.nan_to_num(rows.closed(side))
        found[side] = np.where(
            published,
            known_level(draw, side, reference, total, rows.move),
            usual_level(draw, side, rows.open_interest, rows.funding, shock),
        )
    return found


def levels_on(
    question: EventQuestion, rows: EventRows, draw: Draw, day: int, *, eve: bool,
    reached: Mapping[str, float] | None = None,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Return what a move of the reference closes on one day, side -> of the draws' shape.

    Parameters
    ----------
    draw : upright, latent shocks as (draw, latent, 1).
    eve : at their median given the evening before, instead of what the day is known to have closed.
    reached : side -> the move by which the day closed what it is known to have closed; None: that
        of its close.
    """
    reference, found = question.liquidations.reference, {}
    published = not (np.isnan(rows.longs[day]) or np.isnan(rows.shorts[day]))
    for side in SIDES:
        if published and not eve:
            total, move = rows.closed(side)[day], (reached or {}).get(side, rows.move[day])
            found[side] = known_level(draw, side, reference, total, move)
            continue
        shock: Any = 0.0
        if not eve:
            place = int(np.flatnonzero(rows.named[rows.latent] == day)[0])
            shock = draw[f"tau_{side}"] * draw[f"zeta_{side}"][:, place]
        at = (rows.open_interest[day], rows.funding[day])
        found[side] = usual_level(draw, side, *at, shock)
    return found


def liquidation_flow(
    draw: Draw, reference: float, level: Mapping[str, np.ndarray], move: np.ndarray
) -> np.ndarray:
    """Longs sold in falls and shorts bought in rises, as far as that reaches the price.

    Parameters
    ----------
    draw : ``absorbed`` among its parameters: 1 where forced orders leave no mark, else 0.
    level : what the reference closes, by side.
    """
    forced: Any = 0.0
    for side, held in level.items():
        power = draw[f"power_{side}"]
        forced = forced + power_flow(held, move, reference, power, -SIDES[side])
    return np.asarray(net_multiple(draw) * forced)


def net_multiple(draw: Draw) -> Any:
    """Return what moves the price over what is published; zero where the market absorbs it."""
    return draw["liquidation_multiple"] * (1.0 - draw["absorbed"])


def unwinding_flow(draw: Draw, closed: Any) -> np.ndarray:
    """Net flow into spot of closing so much of the basis trade; part of its futures leg arrives."""
    return spot_move(closed, 1.0, draw["leg_ratio"], draw["arbitrage"])
