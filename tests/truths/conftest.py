"""A simulated world whose shocks, labels and dynamics are known."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from attribution.model.spec import Window
from attribution.posterior import StructuralPosterior


@dataclass(frozen=True)
class World:
    variables: tuple[str, ...]
    shocks: tuple[str, ...]
    lags: np.ndarray
    intercept: np.ndarray
    impact: np.ndarray
    path: np.ndarray
    """(time, shock): the shocks that made the data."""
    values: pd.DataFrame

    def posterior(self, channels=None):
        """The truth as a posterior of a single draw."""
        return StructuralPosterior(
            variables=self.variables,
            shocks=self.shocks,
            channels=self.shocks if channels is None else tuple(channels),
            impact=self.impact[None, None],
            lag_coefficients=self.lags[None, None],
            intercept=self.intercept[None, None],
            weight=np.ones((1, 1)),
        )

    def scattered(self, seed, channels=None, chains=2, draws=7):
        """Draws around the truth, each with an asymmetric impact matrix of its own."""
        rng = np.random.default_rng(seed)
        lead = (chains, draws)
        return StructuralPosterior(
            variables=self.variables,
            shocks=self.shocks,
            channels=self.shocks if channels is None else tuple(channels),
            impact=self.impact * np.exp(0.3 * rng.normal(size=(*lead, *self.impact.shape))),
            lag_coefficients=self.lags + 0.1 * rng.normal(size=(*lead, *self.lags.shape)),
            intercept=self.intercept + rng.normal(size=(*lead, len(self.intercept))),
            weight=np.ones(lead),
        )

    def window(self, first, last, name="crash"):
        days = self.values.index
        return Window(name, days[first].date(), days[last].date())


def simulate(impact, lags, intercept, path, variables, shocks):
    """Run a VAR day by day from zero, in plain Python sums."""
    order, n = lags.shape[0], len(variables)
    days = [np.zeros(n) for _ in range(order)]
    for strike in path:
        today = intercept + impact @ strike
        for lag in range(order):
            today = today + lags[lag] @ days[-1 - lag]
        days.append(today)
    index = pd.bdate_range("2025-01-02", periods=len(path), name="time")
    return pd.DataFrame(np.array(days[order:]), index, list(variables))


@pytest.fixture(scope="session")
def world():
    """Four variables in very different units, an asymmetric impact with determinant below zero."""
    rng = np.random.default_rng(20260205)
    variables = ("price", "software", "volatility", "volume")
    shocks = ("derisking", "unwind", "hedging", "liquidation")
    unit = np.array([1.0, 0.5, 20.0, 1000.0])
    impact = unit[:, None] * np.array(
        [
            [-1.2, -0.8, -0.6, -1.1],
            [-1.5, 0.1, -0.1, 0.2],
            [0.6, 0.1, 0.9, 0.4],
            [0.3, 1.4, 0.5, -0.7],
        ]
    )
    if np.linalg.det(impact) > 0:
        impact = impact[:, [1, 0, 2, 3]]
    lags = 0.25 * rng.normal(size=(2, 4, 4)) * unit[:, None] / unit
    intercept = unit * np.array([0.1, -0.2, 0.0, 0.3])
    path = rng.standard_t(5, size=(80, 4))
    values = simulate(impact, lags, intercept, path, variables, shocks)
    return World(variables, shocks, lags, intercept, impact, path, values)


@pytest.fixture(scope="session")
def simulation():
    """The plain simulator, for tests that build a world of their own."""

    def build(impact, lags, intercept, path, variables, shocks):
        values = simulate(impact, lags, intercept, path, variables, shocks)
        return World(variables, shocks, lags, intercept, impact, path, values)

    return build
