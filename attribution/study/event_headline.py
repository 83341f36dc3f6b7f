"""A solved event in; its answer in one sentence out: what would be missing, and of whom."""

from __future__ import annotations

import numpy as np

from attribution.core.largest import NOBODY, chances, leading, likeliest
from attribution.finding import SURE
from attribution.model.event_study import REST
from attribution.study.answer import spread
from attribution.study.event_allocation import interaction_share
from attribution.study.event_solved import Solved
from attribution.study.event_tables import MECHANISMS, answer, daily, led
from attribution.study.event_world import LOG_POINTS

SMALL = 0.05
"""Log points that one decimal does not show."""
NONE = "none"
"""Stands for no player."""
HALF = 0.5
"""Share of the move that only players together make, above which there is no single cause."""


def largest(solved: Solved, among: tuple[str, ...] = MECHANISMS) -> tuple[str, float]:
    """Return the player whose but-for effect in the move's direction is most often the largest.

    A player that does nothing in a draw, or works against the move, is not the largest there,
    whatever the others do; ``none`` where it is likelier that none works for it.
    """
    effects = np.stack([solved.parts.of("but_for", name) for name in among], axis=-1)
    place, chance = likeliest(chances(leading(effects, solved.way), len(among)))
    return (NONE if place == NOBODY else among[place]), chance


def headline_of(solved: Solved) -> str:
    """Say what would be missing, and of whom that can be said."""
    day, word = solved.question.day, solved.word
    start = "Under the model and its priors, without"
    move = f"the {word} of {abs(solved.observed):.1f} {LOG_POINTS} on {day} would have been"
    together = (
        f"{start} the market's answers to its own {word} (notes, options, liquidations) {move}"
        f" {missing(solved, answer(solved))}"
    )
    share = interaction_share(solved.played.game, daily(solved))
    name, chance = largest(solved)
    if share is not None and float(np.abs(share).mean()) > HALF:
        said = f"{together}; more than half of it is interaction, so that no cause is named"
    elif chance < SURE or name == NONE:
        said = (
            f"{together}; none of the mechanisms surely does most ({name} with probability"
            f" {chance:.2f})"
        )
    else:
        said = (
            f"{start} {name} {move} {missing(solved, solved.parts.of('but_for', name))}, the"
            f" largest such effect of {len(MECHANISMS)} mechanisms with probability {chance:.2f}"
        )
    return f"{said}; {_started(solved)}"


def _started(solved: Solved) -> str:
    """Say which trigger did most, on the average over orders."""
    place, chance = likeliest(led(solved))
    if place == NOBODY:
        return f"no trigger works for it with probability {chance:.2f}"
    name = solved.parts.triggers[place]
    mean = float((solved.way * solved.parts.of("shapley", name)).mean())
    return (
        f"the largest trigger is {called(name)} (Shapley {mean:.1f} of {abs(solved.observed):.1f},"
        f" probability {chance:.2f})"
    )


def called(name: str) -> str:
    """Return a player in words."""
    return "what no driver explains" if name == REST else name


def missing(solved: Solved, effect: np.ndarray) -> str:
    """Put a but-for effect in words."""
    found = spread(solved.way * effect + 0.0)  # no minus before a zero
    low, high, mean = found["q05"], found["q95"], found["mean"]
    if abs(mean) < SMALL:
        return f"as large (90 % {low:.1f} to {high:.1f} {LOG_POINTS} smaller)"
    if mean < 0.0:
        return f"{-mean:.1f} {LOG_POINTS} larger (90 % {-high:.1f} to {-low:.1f})"
    return f"{mean:.1f} {LOG_POINTS} smaller (90 % {low:.1f} to {high:.1f})"
