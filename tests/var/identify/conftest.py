"""A closed-form reduced form over simulated data of known impact, and tables written in a line."""

import math
from datetime import date

import numpy as np
import pandas as pd
import pytest

from attribution.core import niw
from attribution.model.restriction import SHOCK, Cell, Channel, Identification, Narrative
from attribution.var.reduced import Batch

IMPACT = np.array([[2.0, -0.6, 0.3], [0.9, 1.4, -0.5], [-4.0, 3.0, 6.0]])
LAGS = np.array(
    [
        [[0.4, 0.1, 0.0], [0.1, 0.3, 0.02], [0.5, 0.0, 0.2]],
        [[0.1, 0.0, 0.01], [0.0, 0.1, 0.0], [0.0, -0.3, 0.1]],
    ]
)
NAMES = ("output", "price", "rate")
DAYS = 240


@pytest.fixture(scope="session")
def simulated():
    """Series (date, variable), their shocks, and the truth behind them; units far from one."""
    rng = np.random.default_rng(7)
    shocks = rng.standard_normal((DAYS, 3))
    path = np.zeros((DAYS, 3))
    for t in range(2, DAYS):
        path[t] = LAGS[0] @ path[t - 1] + LAGS[1] @ path[t - 2] + IMPACT @ shocks[t]
    index = pd.date_range("2001-01-01", periods=DAYS, freq="D")
    return pd.DataFrame(path, index, columns=NAMES), shocks


class ClosedForm:
    """A flat-prior posterior in closed form, as the reduced form that identification asks for."""

    def __init__(self, frame, *, lags=2, constant=True, seed=1, chains=4):
        response, regressors = niw.design(frame.to_numpy(), lags=lags, constant=constant)
        self.after = niw.posterior(
            niw.flat(frame.shape[1], regressors.shape[1]), response, regressors
        )
        self.variables, self.time = tuple(frame.columns), frame.index[lags:]
        self.chains, self.constant = chains, constant
        self.notes = {}
        self.rng = np.random.default_rng(seed)

    def draw(self, count):
        """Factors and the function that draws coefficients given them."""
        factor = niw.draw_factor(self.after, count, self.rng)
        return factor, lambda at, rng: niw.draw_coefficients(self.after, factor[at], rng)

    def batch(self, draws):
        factor, coefficients = self.draw(self.chains * draws)
        shape = (self.chains, draws, *factor.shape[1:])
        return Batch(factor.reshape(shape), coefficients, np.ones(shape[:2]))


@pytest.fixture(scope="session")
def closed(simulated):
    """Make a reduced form over the simulated series, or over others."""

    def make(frame=None, **options):
        return ClosedForm(simulated[0] if frame is None else frame, **options)

    return make


class Tables:
    """Claims in a line each."""

    @staticmethod
    def cell(channel, variable, claim, **more):
        low, high = {"+": (0, math.inf), "-": (-math.inf, 0), "0": (0, 0)}.get(claim, claim)
        return Cell(channel, variable, low, high, "why", "who", **{"per": SHOCK, **more})

    @staticmethod
    def dated(channel, claim, day, to=None, end=None, low=-math.inf, high=math.inf):
        start = date.fromisoformat(day)
        stop = start if end is None else date.fromisoformat(end)
        return Narrative(channel, claim, start, stop, to, low, high, "why", "who")

    @staticmethod
    def table(channels, cells=(), **more):
        given = {"outcome": "", "direction": 0, **more}
        named = tuple(Channel(name, name) for name in channels)
        return Identification("t", None, channels=named, cells=tuple(cells), **given)


@pytest.fixture(scope="session")
def tables():
    return Tables


@pytest.fixture(scope="session")
def truth():
    """Impact matrix behind the simulated series: neither unit nor symmetric."""
    return IMPACT
