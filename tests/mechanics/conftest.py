"""Random options of every kind on both sides of their barrier, and differences of high order."""

import numpy as np
import pytest

from attribution.mechanics.barrier import KINDS

MIDDLE = ((-2, 1.0 / 12), (-1, -8.0 / 12), (1, 8.0 / 12), (2, -1.0 / 12))
ONWARD = ((0, -25.0 / 12), (1, 4.0), (2, -3.0), (3, 4.0 / 3), (4, -1.0 / 4))
"""Weights of five-point differences of fourth order, central and one-sided."""


def _slope(function, step, weights=MIDDLE):
    """Differentiate a function of the distance from here, one Richardson step on top."""

    def rough(h):
        return sum(weight * function(k * h) for k, weight in weights) / h

    return (16.0 * rough(step / 2.0) - rough(step)) / 15.0


def _options(kind, n=400, seed=0, *, deep=0.6):
    """Random spots, strikes on both sides of the barrier, barriers on the far side of spot."""
    rng = np.random.default_rng([seed, sorted(KINDS).index(kind)])
    eta = KINDS[kind][0]
    spot = rng.uniform(20.0, 200.0, n)
    level = spot * np.exp(-eta * rng.uniform(0.01, deep, n))
    strike = spot * np.exp(rng.normal(0.0, 0.4, n))
    rate = rng.uniform(0.0, 0.1, n)
    market = {
        "time": rng.uniform(0.05, 3.0, n),
        "vol": rng.uniform(0.1, 1.2, n),
        "rate": rate,
        "carry": rate - rng.uniform(-0.05, 0.1, n),
    }
    return {"spot": spot, "strike": strike, "level": level, **market}


@pytest.fixture(scope="session")
def slope():
    return _slope


@pytest.fixture(scope="session")
def options():
    return _options


@pytest.fixture(scope="session")
def onward():
    return ONWARD
