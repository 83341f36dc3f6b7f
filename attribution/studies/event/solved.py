"""A fit in; the event's day, the placebo days, each law and the prior, all solved, out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from attribution.allocate import but_for
from attribution.errors import DiagnosticsError
from attribution.studies.event.abduction import (
    PATHS,
    Allocated,
    Drawn,
    allocated,
    amplification,
    eve_of,
    flat,
    law_of,
    nodes,
    unexplained_scale,
    unwinding,
    world_of,
)
from attribution.studies.event.fit import EventFit
from attribution.studies.event.flows import (
    book_scale,
    gamma_flow,
    levels_on,
    liquidation_flow,
    note_flow,
    upright,
    usual_volatility,
)
from attribution.studies.event.notes import NoteSurface
from attribution.studies.event.path import DayPath
from attribution.studies.event.question import AMPLIFIERS, BASIS, REST, EventQuestion
from attribution.studies.event.rows import EventRows
from attribution.studies.event.steps import PathFlows, extremes, implied_shock
from attribution.studies.event.world import Curve, Playable, Played, World, curve_of, one_off, play
from attribution.studies.event.world_in_steps import Lost, SteppedWorld, lost_by_step

# Draws of parameters and the event's day in steps; the world that takes exactly that path out.


def stepped_of(
    question: EventQuestion, rows: EventRows, surface: NoteSurface, drawn: Drawn, day: DayPath
) -> SteppedWorld:
    r"""Infer what of every shock had come by each step of the event's day, under every draw.

    Nothing is assumed about which trigger came when, except: drivers, the surprise of volatility
    and the basis trade come in proportion to time or by bars of their own, and the unexplained rest
    is what is left of each step. Notes are a table over the price alone: their flow at a price is
    that of the close, at the volatility of the day's end and with the barriers that such a close
    has touched. Where the day's liquidations were published, they were closed at its extremes,

    .. math:: X = \text{total} / \bigl(\text{base} + h(\textstyle\min_h R_h)\bigr)

    for longs, and at the highest move for shorts, with h how far a move reaches into levels.
    """
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


@dataclass(frozen=True)
class Day:
    """But-for effects of one day.

    Attributes
    ----------
    observed : log points.
    effect : but-for, log points, (draw, player); draws without an answer are left out.
    alone : all amplifiers off, log points, (draw,).
    amplification : (draw,).
    played : what was left out, and why.
    """

    observed: float
    players: tuple[str, ...]
    effect: np.ndarray
    alone: np.ndarray
    amplification: np.ndarray
    played: Played

    def of(self, player: str) -> np.ndarray:
        """But-for effect (draw,) of one player."""
        found: np.ndarray = self.effect[:, self.players.index(player)]
        return found


@dataclass(frozen=True)
class Within:
    """The event's day by steps.

    Attributes
    ----------
    path : what bars say of the day.
    world : the day under the kept draws.
    lost : where draws are lost, of all of them.
    at_once : the same day solved at once; None where no draw has an answer then.
    """

    path: DayPath
    world: SteppedWorld
    lost: Lost
    at_once: Day | None


@dataclass(frozen=True)
class Solved:
    """Everything that tables, findings and groups are made of.

    Attributes
    ----------
    drawn : every draw of the posterior; ``world`` the event's day under the kept ones.
    day : the event's day, all coalitions; ``parts`` what each player contributes.
    days : label -> each named day; the event's among them.
    tail : label -> posterior mean of the distribution function of the unexplained at its value.
    laws : law -> the event's day under its own posterior; None where no draw has an answer.
    prior : the event's day under draws of the prior, the observed move given.
    prior_drawn : those draws, all of them.
    curve : of the evening before, draws of the posterior.
    within : of the event's day, if it was solved by steps; None: it was solved at once.
    """

    question: EventQuestion
    fit: EventFit
    drawn: Drawn
    world: Playable
    played: Played
    parts: Allocated
    days: Mapping[str, Day]
    tail: Mapping[str, float]
    laws: Mapping[str, Day | None]
    prior: Day
    prior_drawn: Drawn
    curve: Curve
    within: Within | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Chains, and kept draws of each."""
        chains, draws = self.played.kept.shape
        return chains, draws

    @property
    def observed(self) -> float:
        """The day's move, log points."""
        return float(self.played.game.observed or 0.0)

    @property
    def way(self) -> float:
        """Minus one for a fall."""
        return -1.0 if self.observed < 0.0 else 1.0

    @property
    def word(self) -> str:
        """What the move is called."""
        return "fall" if self.observed < 0.0 else "rise"

    @property
    def kept(self) -> Drawn:
        """Draws that are kept."""
        return self.drawn.at(self.played.kept.ravel())


def solved_of(
    question: EventQuestion,
    fit: EventFit,
    before: Drawn,
    say: Callable[[str], None],
    *,
    paths: int = PATHS,
    path: DayPath | None = None,
) -> Solved:
    """Solve every coalition of the event's day, and but-for effects everywhere else.

    Parameters
    ----------
    before : draws of the prior.
    path : the event's day in steps, under the posterior, each law and the prior; other days, and
        the event's where it is left out, are solved at once.
    paths : draws for which intensities are turned up together.

    Raises
    ------
    DiagnosticsError
        If no draw of a chain ends at the observed move.
    """
    rows, surface, event = fit.rows, fit.surface, fit.rows.event
    laws = tuple(each.law for each in fit.laws)
    chains = fit.law.shape[0]
    drawn = flat(fit.draws, fit.law, laws, surface.scenarios)

    def world(day: int, draws: Drawn) -> Playable:
        if path is not None and day == event:
            return stepped_of(question, rows, surface, draws, path)
        return world_of(question, rows, surface, draws, day)

    steps = "" if path is None else f", {len(path.move)} steps each"
    say(f"solving every coalition of the event's day{steps}")
    whole = world(event, drawn)
    played = play(whole, chains=chains)
    kept = played.kept.ravel()
    say("allocating the move")
    own = whole.at(kept)
    parts = allocated(own, played.game, paths=paths)
    say("putting placebo days, every law and the prior to the same questions")
    days, tail = {}, {}
    for label, place in zip(rows.labels, map(int, rows.named), strict=True):
        other = whole if place == event else world(place, drawn)
        days[label] = _of(played, own) if place == event else _day(other, chains)
        tail[label] = _tail(fit, other, drawn, place)
    return Solved(
        question=question,
        fit=fit,
        drawn=drawn,
        world=own,
        played=played,
        parts=parts,
        days=days,
        tail=tail,
        laws=_by_law(fit, world),
        prior=_day(world(event, before), 1),
        prior_drawn=before,
        curve=curve_of(eve_of(question, rows, surface, drawn.at(kept), event)),
        within=_within(path, whole, kept, world_of(question, rows, surface, drawn, event), chains),
    )


def _within(
    path: DayPath | None, whole: Playable, kept: np.ndarray, at_once: World, chains: int
) -> Within | None:
    """Look into the steps of the event's day, and solve it at once too, as if it had no bars."""
    if path is None or not isinstance(whole, SteppedWorld):
        return None
    try:
        day = _of(play(at_once, chains=chains), at_once)
    except DiagnosticsError:
        day = None
    return Within(path, whole.at(kept), lost_by_step(whole), day)


def _day(world: Playable, chains: int) -> Day:
    only = one_off(world.players, len(world.triggers))
    return _of(play(world, chains=chains, only=only), world)


def _of(played: Played, world: Playable) -> Day:
    """Take but-for effects from coalitions that are solved."""
    game = played.game
    return Day(
        observed=float(game.observed or 0.0),
        players=game.players,
        effect=but_for(game).draws,
        alone=game.value(*world.triggers),
        amplification=amplification(game, world.triggers),
        played=played,
    )


def _by_law(fit: EventFit, world: Callable[[int, Drawn], Playable]) -> dict[str, Day | None]:
    """Solve the event's day under every law's own posterior."""
    names = tuple(each.law for each in fit.laws)
    found: dict[str, Day | None] = {}
    for place, each in enumerate(fit.laws):
        size = each.draws["log_impact"].shape
        drawn = flat(each.draws, np.full(size, place), names, fit.surface.scenarios)
        try:
            found[each.law] = _day(world(fit.rows.event, drawn), size[0])
        except DiagnosticsError:
            found[each.law] = None
    return found


def _tail(fit: EventFit, world: Playable, drawn: Drawn, day: int) -> float:
    """Posterior mean probability of an unexplained rest below the day's own."""
    draws = drawn.draws
    rest = world.shock[:, world.triggers.index(REST)] - draws["mu"]
    scale = unexplained_scale(fit.rows, draws, day)
    return float(stats.t.cdf(rest / scale, draws["nu"]).mean())
