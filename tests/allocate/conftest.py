"""Small games, and the answers that listing every order gives."""

from itertools import permutations

import numpy as np
import pytest

from attribution.allocate import coalitions, coalitions_of

NAMES = ("F", "B", "G", "L", "D", "K")


def listed(game, stages):
    """What each player adds (order, draw, player), one admissible order after the other.

    An order is admissible if stages do not go back and a block, once left, is not entered again.
    """
    blocks = [(k, [game.players.index(p) for p in b]) for k, s in enumerate(stages) for b in s]
    stage = {p: k for k, block in blocks for p in block}
    block = {p: b for b, (_, members) in enumerate(blocks) for p in members}
    found = []
    for order in permutations(range(len(game.players))):
        seen = [block[p] for p in order]
        left = [b for i, b in enumerate(seen) if i == 0 or seen[i - 1] != b]
        if [stage[p] for p in order] != sorted(stage[p] for p in order):
            continue
        if len(left) != len(set(left)):
            continue
        added, on = np.empty_like(game.values[:, : len(order)]), 0
        for p in order:
            added[:, p] = game.values[:, on | 1 << p] - game.values[:, on]
            on |= 1 << p
        found.append(added)
    return np.array(found)


@pytest.fixture(name="listed")
def _listed():
    return listed


@pytest.fixture
def scattered():
    """Return a maker of games without any structure."""

    def make(players, seed, draws=3):
        names = NAMES[:players]
        values = np.random.default_rng(seed).normal(size=(draws, 1 << players))
        return coalitions_of(values, names, unit="pp")

    return make


def amplified(on):
    """Two shocks and two amplifiers that feed on each other; intensities are allowed too."""
    on = np.asarray(on, float)
    fall = (-4.0 * on[:, 0] - 1.5 * on[:, 1]) / (1.0 - 0.25 * on[:, 2] - 0.2 * on[:, 3])
    return fall[None]


@pytest.fixture(name="amplified")
def _amplified():
    return amplified


@pytest.fixture
def golden():
    return coalitions(amplified, NAMES[:4], unit="pp")
