"""A shipped table in; a market that obeys it, or breaks it in one known way, and its crash out.

The impact columns of the channels come from the structural prior, restricted to the table's
cones; shocks have heavy tails; on the last day several channels strike at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from attribution.errors import SpecError, nearest
from attribution.model.read import read_var
from attribution.model.spec import Event, ModelSpec, Window
from attribution.var.estimate.cones import table_cones
from attribution.var.estimate.structural_prior import impact_prior

WORLDS = ("right", "common-volatility", "wrong-sign", "noise", "event-in")
SPREAD = {
    "btc_return": 2.5,
    "igv_return": 1.5,
    "vix_change": 1.5,
    "gold_return": 1.0,
    "dvol_change": 2.5,
    "etf_spot_gap": 20.0,
    "taker_share": 1.5,
    "funding_next": 0.6,
}
"""Round numbers of the size of a usual day, in the unit of each series."""
STRIKE = {
    "factor_derisking": 3.0,
    "basis_unwind": 3.5,
    "barrier_hedging": 4.0,
    "crypto_liquidation": 3.0,
}
"""Shocks of the crash, in standard deviations, before a log-normal spread of a quarter."""
VIOLATED = ("barrier_hedging", "etf_spot_gap")
UNNAMED = ("igv_return", "taker_share")
FIRST_DAY = "2020-01-01"
TAIL, TRIES = 5, 4000
TEST_NOISE, TEST_SIGNS = 1.0, {"basis_unwind": 1.0, "crypto_liquidation": -1.0}
"""A series kept out as a test: what the named shocks do to it, beside unit noise."""


@dataclass(frozen=True)
class Truth:
    """A structural VAR.

    Attributes
    ----------
    lags : (lag, variable, regressor); nearest lag first.
    intercept : (variable,).
    impact : (variable, shock).
    """

    lags: np.ndarray
    intercept: np.ndarray
    impact: np.ndarray

    def path(self, shocks: np.ndarray, history: np.ndarray) -> np.ndarray:
        """Run the VAR from ``history`` (lag, variable), oldest first; the days after (time, n)."""
        days = list(history)
        for struck in shocks:
            today = self.intercept + self.impact @ struck
            for lag, slopes in enumerate(self.lags):
                today = today + slopes @ days[-1 - lag]
            days.append(today)
        return np.array(days[len(history) :])

    def carried(self, shocks: np.ndarray, shock: int) -> np.ndarray:
        """Run the VAR from a dead calm with one shock of each day and none of the others."""
        alone = np.zeros_like(shocks)
        alone[:, shock] = shocks[:, shock]
        calm = Truth(self.lags, np.zeros_like(self.intercept), self.impact)
        return calm.path(alone, np.zeros((len(self.lags), len(self.intercept))))


@dataclass(frozen=True)
class Crash:
    """What happened.

    Attributes
    ----------
    values : (time, variable); observed.
    contribution : (channel,); truth on the last day, unit of the outcome.
    test : (time,); a series that no restriction touches.
    """

    values: pd.DataFrame
    contribution: np.ndarray
    test: np.ndarray


def question(model: str, days: int) -> ModelSpec:
    """Return a shipped model, without columns of its own, asked about the day after ``days``."""
    spec = read_var(model)
    last = pd.bdate_range(FIRST_DAY, periods=days + 2)[-1].date()
    event = Event("crash", spec.event.outcome, (Window("crash", last, last),), (last, last))
    first = pd.Timestamp(FIRST_DAY).date()
    return replace(
        spec,
        event=event,
        sample=replace(spec.sample, start=first, end=last),
        system=replace(spec.system, auxiliary=(), tests=()),
        structural=replace(spec.structural, scale_columns=()),
        exposures=(),
        expectations=(),
    )


def crash(spec: ModelSpec, world: str, days: int, rng: np.random.Generator) -> Crash:
    """Draw a market, ``days`` of it, and a crash on the day after.

    Raises
    ------
    SpecError
        If the world is unknown.
    """
    if world not in WORLDS:
        raise SpecError(f"coverage: no world '{world}'{nearest(world, WORLDS)}; correct it")
    names, channels = spec.system.variables, spec.channels
    n = len(names)
    unit = np.array([SPREAD[name] for name in names])
    own = np.array([spec.prior.mean_of(name) for name in names])
    lags = np.diag(own) + 0.05 * rng.standard_normal((n, n))
    impact = unit[:, None] * _impact(spec, world, rng)
    truth = Truth((lags * unit[:, None] / unit)[None], np.zeros(n), impact)
    shocks = rng.standard_t(TAIL, (days + 1, impact.shape[1])) * np.sqrt((TAIL - 2) / TAIL)
    if world == "common-volatility":
        shocks *= _volatility(days + 1, rng)[:, None]
    for name, size in STRIKE.items():
        shocks[-1, channels.index(name)] = size * np.exp(0.25 * rng.standard_normal())
    path = np.concatenate([np.zeros((1, n)), truth.path(shocks, np.zeros((1, n)))])
    parts = [truth.carried(shocks[-1:], k)[0, 0] for k in range(len(channels))]
    if world == "noise":
        noise = 0.35 * path.std(0) * rng.standard_normal(path.shape)
        noise[:, names.index(spec.event.outcome)] = 0.0
        path = path + noise
    load = np.array([TEST_SIGNS.get(name, 0.0) for name in channels])
    test = shocks[:, : len(channels)] @ load + TEST_NOISE * rng.standard_normal(days + 1)
    return Crash(frame(path, names), np.array(parts), test)


def _impact(spec: ModelSpec, world: str, rng: np.random.Generator) -> np.ndarray:
    """Impact matrix in standard deviations, channels first; for the headline with its noise."""
    prior, cones = impact_prior(spec, SPREAD), table_cones(spec)
    drawn = prior.draw(rng, TRIES)
    k = len(spec.channels)
    unit = np.array([SPREAD[name] for name in spec.system.variables])
    strength = np.abs(drawn[:, prior.outcome, :k])
    columns = []
    for j, rows in enumerate(np.split(cones.rows, cones.ends[:-1])):
        inside = np.flatnonzero((rows @ (unit[:, None] * drawn[..., j].T) >= 0).all(0))
        columns.append(drawn[inside[0], :, j] / strength[inside[0], j] * strength[0, j])
    named = np.stack(columns, axis=1)
    if world == "wrong-sign":
        named[spec.system.variables.index(VIOLATED[1]), spec.channels.index(VIOLATED[0])] *= -1
    rest = drawn[0, :, k:] if spec.kind == "bvar" else _unnamed(spec, rng)
    return np.concatenate([named, rest], axis=1)


def _unnamed(spec: ModelSpec, rng: np.random.Generator) -> np.ndarray:
    """Columns that make the impact matrix square: news of two variables, felt by all a little."""
    names = spec.system.variables
    n, left = len(names), len(names) - len(spec.channels)
    columns = 0.2 * rng.standard_normal((n, left))
    columns[names.index(spec.event.outcome)] *= 0.5
    for j, variable in enumerate(UNNAMED[:left]):
        columns[names.index(variable), j] = np.exp(0.3 * rng.standard_normal())
    return columns


def _volatility(days: int, rng: np.random.Generator) -> np.ndarray:
    """One scale a day for all shocks, persistence 0.95, log sd of the variance near one."""
    level = rng.standard_normal()
    logs = []
    for _ in range(days):
        level = 0.95 * level + 0.3 * rng.standard_normal()
        logs.append(level)
    found: np.ndarray = np.exp(0.5 * np.array(logs) - 0.12)
    return found


def frame(path: np.ndarray, names: tuple[str, ...]) -> pd.DataFrame:
    """Give a path (time, variable) working days."""
    days = pd.bdate_range(FIRST_DAY, periods=len(path), name="time")
    return pd.DataFrame(path, days, list(names))
