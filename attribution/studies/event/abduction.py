r"""Draws of parameters and the observed day in; the world that ends exactly there out.

Drivers, the basis trade and what notes trade on volatility's own surprise are read off the draws;
the unexplained rest is what is left of the observed move, so that no fixed point is solved here.

Two estimands are kept apart.  M: how much of the move each mechanism makes, from coalitions of a
model in which the others answer anew.  O: who traded, at the observed move, as a share of the
impact of all that was traded,

.. math:: C^O_i = \varepsilon_i + \frac{I(F)}{F} F_i, \qquad F = \sum_i F_i,

which adds up to the move and asks nothing of a counterfactual.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from attribution import allocate
from attribution.allocate import Coalitions, Interactions, OrderRange
from attribution.errors import DataError
from attribution.mechanics.impact import Response
from attribution.studies.event.density import response
from attribution.studies.event.flows import (
    book_scale,
    gamma_flow,
    levels_on,
    liquidation_flow,
    note_flow,
    unwinding_flow,
    upright,
    usual_volatility,
)
from attribution.studies.event.notes import NoteSurface
from attribution.studies.event.question import AMPLIFIERS, BASIS, REST, EventQuestion
from attribution.studies.event.rows import EventRows
from attribution.studies.event.world import LOG_POINTS, POINTS, Playable, World

STEPS = np.r_[0.0025, 0.005, np.arange(0.01, 0.2, 0.005), np.arange(0.2, 0.301, 0.02), 0.35, 0.4]
GRID = np.concatenate([-STEPS[::-1], [0.0], STEPS]).round(12)
"""Nodes of the move, log units; its ends are the bracket in which a day must end."""
APART = 1e-6
"""Log units; of two nodes that lie closer, one that was observed is kept, the day's move first."""


@dataclass(frozen=True)
class Drawn:
    """Draws of parameters, one after the other.

    Attributes
    ----------
    draws : name -> (draw, ...).
    law : position in ``laws`` of each draw's law of impact, (draw,).
    laws : names.
    scenario : of the notes' terms, whole numbers, (draw,).
    """

    draws: Mapping[str, np.ndarray]
    law: np.ndarray
    laws: tuple[str, ...]
    scenario: np.ndarray

    @property
    def count(self) -> int:
        """How many draws there are."""
        return len(self.law)

    def at(self, kept: np.ndarray) -> Drawn:
        """Keep some draws: their positions, or a mask."""
        draws = {name: x[kept] for name, x in self.draws.items()}
        return Drawn(draws, self.law[kept], self.laws, self.scenario[kept])


def flat(
    draws: Mapping[str, np.ndarray], law: np.ndarray, laws: tuple[str, ...], scenarios: int
) -> Drawn:
    """Lay draws (chain, draw, ...) one chain after the other; terms of notes take turns."""
    found = {name: x.reshape(-1, *x.shape[2:]) for name, x in draws.items()}
    count = law.size
    return Drawn(found, law.ravel(), laws, np.arange(count) % scenarios)


def nodes(observed: float, *others: float) -> np.ndarray:
    """Nodes of a day's tables: the grid, the observed move, and others to be read exactly."""
    reach = max(1.0, 1.5 * max(map(abs, (observed, *others))) / GRID[-1])
    found = np.r_[-reach * GRID[-1], GRID, reach * GRID[-1]] if reach > 1.0 else GRID
    for one in (*others, observed):
        found = np.r_[found[(np.abs(found - one) > APART) | (found == 0.0)], one]
    return np.unique(found)


def world_of(
    question: EventQuestion, rows: EventRows, surface: NoteSurface, drawn: Drawn, day: int
) -> World:
    """Infer one day's shocks from its observed move under every draw.

    Parameters
    ----------
    day : position in the rows; one of the named days, whose unwinding is a parameter.
    """
    observed = float(rows.move[day])
    move, draws = nodes(observed), drawn.draws
    volatility = rows.volatility[day] - usual_volatility(upright(draws), np.array([observed]))
    held = _flows(question, rows, surface, drawn, day, move, volatility, eve=False)
    count, players = drawn.count, question.players
    push = np.zeros((count, len(players)))
    push[:, players.index(BASIS)] = unwinding(rows, draws, day)
    zero = int(np.flatnonzero(move == 0.0)[0])
    for name in AMPLIFIERS:
        push[:, players.index(name)] = held[name][:, zero]
        held[name] = held[name] - held[name][:, zero : zero + 1]
    shock = np.zeros((count, len(question.triggers)))
    for place, group in enumerate(question.drivers):
        at = rows.groups[group.name]
        shock[:, place] = draws["beta"][:, at] @ rows.drivers[day, at]
    law = law_of(question, rows, drawn, day)
    world = World(observed, question.triggers, shock, push, law, move, held)
    rest = observed - law.move(world.trade(observed).sum(axis=1)) - shock.sum(axis=1)
    shock[:, question.triggers.index(REST)] = rest
    return world


def eve_of(
    question: EventQuestion, rows: EventRows, surface: NoteSurface, drawn: Drawn, day: int
) -> World:
    """Give the market as it stood the evening before: no shock, no surprise in what answers.

    Liquidations are at their median for that evening's open interest, implied volatility answers
    a move as it usually does; neither knows how the day went.
    """
    move = GRID
    none = np.zeros((drawn.count, 1))
    held = _flows(question, rows, surface, drawn, day, move, none, eve=True)
    zero = int(np.flatnonzero(move == 0.0)[0])
    tables = {name: table - table[:, zero : zero + 1] for name, table in held.items()}
    law = law_of(question, rows, drawn, day)
    push = np.zeros((drawn.count, 1 + len(tables)))
    return World(0.0, ("shock",), none, push, law, move, tables)


def unwinding(rows: EventRows, draws: Mapping[str, np.ndarray], day: int) -> np.ndarray:
    """Net flow into spot of closing the basis trade on a named day, USD million, (draw,)."""
    at = int(np.flatnonzero(rows.named == day)[0])
    return unwinding_flow(draws, draws["unwound"][:, at])


def unexplained_scale(rows: EventRows, draws: Mapping[str, np.ndarray], day: int) -> np.ndarray:
    """Scale of the unexplained on a day, log units, (draw,)."""
    found: np.ndarray = np.exp(draws["s0"] + draws["s1"] * rows.noise[day])
    return found


def law_of(question: EventQuestion, rows: EventRows, drawn: Drawn, day: int) -> Response:
    """Law of impact on a day, each draw under its own law."""
    parts = np.ones((3, drawn.count))
    for place, name in enumerate(drawn.laws):
        own = drawn.law == place
        if not own.any():
            continue
        scale = drawn.draws["log_impact"][own]
        power = drawn.draws["exponent"][own] if name == "square_root" else np.ones(own.sum())
        law = response(question.impact, name, rows, {"log_impact": scale, "exponent": power}, day)
        parts[:, own] = law.coefficient, law.exponent, law.crossover
    return Response(*parts)


def _flows(
    question: EventQuestion, rows: EventRows, surface: NoteSurface, drawn: Drawn, day: int,
    move: np.ndarray, volatility: np.ndarray, *, eve: bool,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Tables of every amplifier; ``volatility`` (draw, 1) is the change that no move explains."""
    draws = upright(drawn.draws)
    change = volatility + usual_volatility(draws, move)
    level = levels_on(question, rows, draws, day, eve=eve)
    found = {
        "notes": note_flow(surface, draws, np.asarray(day), move, change, drawn.scenario[:, None]),
        "gamma": gamma_flow(draws, book_scale(question, rows)[day], move),
        "liquidations": liquidation_flow(draws, question.liquidations.reference, level, move),
    }
    return {name: found[name] for name in AMPLIFIERS}


RULES = {
    "but_for": "M but-for",
    "stand_alone": "M stand-alone",
    "triggers_first": "M triggers-first",
    "shapley": "M Shapley",
}
"""Rules of a saved run, and what their rows are called."""
PATHS = 100
"""Draws for which intensities are turned up together, evenly spaced: a path takes 700 solutions."""
TOLERANCE = 2e-3


@dataclass(frozen=True)
class Allocated:
    """What each player contributes; draws are those that are kept, chain after chain.

    Attributes
    ----------
    contribution : rule -> (draw, player), log points.
    orders : range over every order of the players.
    pairs : interaction of every pair.
    order_flow : (draw, player), log points; adds up to the observed move.
    path : (some draws, player), intensities turned up together; None where the outcome jumps.
    amplification : all on over amplifiers off (draw,); NaN where the latter is zero.
    """

    players: tuple[str, ...]
    triggers: tuple[str, ...]
    contribution: Mapping[str, np.ndarray]
    orders: OrderRange
    pairs: Interactions
    order_flow: np.ndarray
    path: np.ndarray | None
    amplification: np.ndarray

    def of(self, rule: str, player: str) -> np.ndarray:
        """Contribution (draw,) of one player under one rule."""
        found: np.ndarray = self.contribution[rule][:, self.players.index(player)]
        return found


def allocated(world: Playable, game: Coalitions, *, paths: int = PATHS) -> Allocated:
    """Apply every rule to the coalitions of a day; the world's draws are the game's.

    Parameters
    ----------
    paths : draws for which intensities are turned up together.
    """
    triggers = world.triggers
    stages = [stage for stage in (triggers, world.amplifiers) if stage]
    found = {
        "but_for": allocate.but_for(game),
        "stand_alone": allocate.stand_alone(game),
        "triggers_first": allocate.triggers_first(game, stages),
        "shapley": allocate.shapley(game),
    }
    return Allocated(
        players=game.players,
        triggers=triggers,
        contribution={rule: part.draws for rule, part in found.items()},
        orders=allocate.order_range(game, allocate.every_order(game.players)),
        pairs=allocate.pair_interactions(game),
        order_flow=order_flow(world),
        path=_path(world, paths),
        amplification=amplification(game, triggers),
    )


def order_flow(world: Playable) -> np.ndarray:
    """Share the impact of all that was traded in proportion to who traded (draw, player)."""
    traded = world.bought
    total = traded.sum(axis=1)
    moved = world.response.move(total)
    some = total != 0.0
    each = np.where(some, moved / np.where(some, total, 1.0), 0.0)
    found = traded * each[:, None]
    found[:, : len(world.triggers)] += world.shock
    result: np.ndarray = POINTS * found
    return result


def amplification(game: Coalitions, triggers: tuple[str, ...]) -> np.ndarray:
    """Move with everything on over the move of the triggers alone (draw,)."""
    alone = game.value(*triggers)
    some = alone != 0.0
    whole = game.values[:, -1]
    return np.where(some, whole / np.where(some, alone, 1.0), np.nan)


def interaction_share(game: Coalitions, daily: float) -> np.ndarray | None:
    """Share of the move that no player makes alone; None where the move is too small for shares.

    Parameters
    ----------
    daily : standard deviation of the outcome on a day, log points; a share is taken of moves
        beyond five of them only.
    """
    if (np.abs(game.total) <= 5.0 * daily).any():
        return None
    return allocate.interaction_share(game, least=5.0 * daily)


def _path(world: Playable, paths: int) -> np.ndarray | None:
    """Aumann-Shapley contributions of some draws; None where the path bends too much."""
    some = np.unique(np.linspace(0, len(world.shock) - 1, paths).astype(int))
    try:
        found = allocate.aumann_shapley(
            world.at(some).moves, world.players, unit=LOG_POINTS, tolerance=TOLERANCE
        )
    except DataError:
        return None
    return found.draws
