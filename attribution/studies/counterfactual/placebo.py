"""The same question asked of earlier windows, where nothing is claimed: rows in, effects out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from attribution.studies.counterfactual.level import LevelModel, forecast_level, sample_level
from attribution.studies.counterfactual.returns import moved

MOST_LEVEL, DRAWS_LEVEL = 60, 400
LEAST = 20
ILL = 1e-10
"""Least eigenvalue of the regressors' scaled moments, below which they are collinear."""
"""Earlier windows below which nothing is said of size or rank."""


@dataclass(frozen=True)
class Placebo:
    """Cumulated effects of earlier windows of one length, each from the rows before it.

    Attributes
    ----------
    effect, sd : (window,); unit of the outcome.
    p_value : (window,); two-sided probability of zero.
    event : effect over sd, and p-value, of the window asked about, by the same method.
    length : rows of a window.
    """

    effect: np.ndarray
    sd: np.ndarray
    p_value: np.ndarray
    event: tuple[float, float]
    length: int

    @property
    def enough(self) -> bool:
        """Whether there are windows enough to say anything."""
        return len(self.effect) >= LEAST

    @property
    def rank(self) -> float:
        """Share of windows, the event among them, whose effect is at least as many sds."""
        larger = np.abs(self.effect / self.sd) >= abs(self.event[0])
        return float((1 + larger.sum()) / (1 + len(larger)))

    def size(self, level: float) -> float:
        """Share of earlier windows found significant at a level."""
        return float(np.mean(self.p_value < level)) if len(self.p_value) else np.nan


def placebo_returns(
    y: np.ndarray, x: np.ndarray, scale: np.ndarray, pre: int, window: np.ndarray
) -> Placebo:
    r"""Weighted least squares on the rows before each window, with constant betas.

    .. math:: \hat d_s = \sum_{t \in W_s} (y_t - z_t'\hat b_s), \qquad
        \mathrm{var} = \hat\sigma_s^2 \Big(\sum_{W_s} \omega_t^2 + Z_s' A_s^{-1} Z_s\Big)

    Every window from the middle of the pre-period on before which the controls have moved, each on
    its own; moments of the rows before are running
    sums.  Gaussian: heavy tails show as a size above the nominal one.

    Parameters
    ----------
    scale : (row,); relative sd of each row's noise, as the whole pre-period has taught it.
    window : (row,) of numbers, counted from the first row after the pre-period.
    """
    length, unit = len(window), y[:pre].std()
    y, x = (y - y[:pre].mean()) / unit, (x - x[:pre].mean(0)) / x[:pre].std(0)
    z = np.column_stack([np.ones(len(y)), x])
    first = max(pre // 2, z.shape[1] + 10, _first_moving(x[:pre]))
    starts = np.arange(first, max(pre - length + 1, first))
    used = np.r_[starts, pre]
    zw, yw = z[:pre] / scale[:pre, None], y[:pre] / scale[:pre]
    gram = _before(zw[:, :, None] * zw[:, None, :], used)
    size = np.sqrt(np.einsum("wkk->wk", gram))
    sound = np.linalg.eigvalsh(gram / (size[:, :, None] * size[:, None, :]))[:, 0] > ILL
    starts, used, gram = starts[sound[:-1]], used[sound], gram[sound]
    moment, square = _before(zw * yw[:, None], used), _before(yw**2, used)
    inside = np.vstack([starts[:, None] + np.arange(length), pre + window])
    total, spread = z[inside].sum(1), (scale[inside] ** 2).sum(1)
    b = np.linalg.solve(gram, moment[:, :, None])[:, :, 0]
    dof = used - z.shape[1]
    variance = (square - (moment * b).sum(1)) / dof
    leverage = (total * np.linalg.solve(gram, total[:, :, None])[:, :, 0]).sum(1)
    effect = y[inside].sum(1) - (total * b).sum(1)
    sd = np.sqrt(variance * (spread + leverage))
    p_value = 2.0 * student.sf(np.abs(effect / sd), dof)
    event = float(effect[-1] / sd[-1]), float(p_value[-1])
    return Placebo(unit * effect[:-1], unit * sd[:-1], p_value[:-1], event, length)


def _first_moving(x: np.ndarray) -> int:
    """Row from which every control (row, control) has moved, so that it can have a coefficient."""
    still = (x == x[0]).cumprod(0).sum(0)
    return int(np.max(still, initial=0)) + 1


def _before(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Sum over the rows before each of some rows."""
    found: np.ndarray = np.cumsum(values, axis=0)[at - 1]
    return found


def placebo_level(
    y: np.ndarray,
    x: np.ndarray,
    model: LevelModel,
    pre: int,
    window: np.ndarray,
    *,
    effects: np.ndarray,
    seed: int,
    level: bool = False,
) -> Placebo:
    """Local level with regression, exact but for draws, on the rows before each window.

    Parameters
    ----------
    effects : (sample,); draws of the effect of the window asked about.
    level : whether the outcome is a level, whose effect is that of the last row.
    """
    length, ahead = len(window), int(window[-1]) + 1
    first = max(pre // 2, x.shape[1] + 10, _first_moving(x[:pre]))
    last = pre - ahead
    count = min(MOST_LEVEL, max(last - first + 1, 0))
    starts = np.unique(np.linspace(first, max(last, first), count).astype(int))
    seeds = np.random.SeedSequence([seed, 2]).spawn(len(starts))
    found = np.array(
        [
            _level_effect(y, x, model, int(start), window, np.random.default_rng(child), level)
            for start, child in zip(starts, seeds, strict=True)
        ]
    ).reshape(-1, 3)
    return Placebo(found[:, 0], found[:, 1], found[:, 2], _summary(effects), length)


def _level_effect(
    y: np.ndarray,
    x: np.ndarray,
    model: LevelModel,
    start: int,
    window: np.ndarray,
    rng: np.random.Generator,
    level: bool,
) -> tuple[float, float, float]:
    """Mean and sd of an effect, and the p-value of zero."""
    centre, spread = y[:start].mean(), y[:start].std(ddof=1)
    means, sds = x[:start].mean(0), x[:start].std(0, ddof=1)
    found = sample_level((y[:start] - centre) / spread, (x[:start] - means) / sds, model,
                         draws=DRAWS_LEVEL, rng=rng)  # fmt: skip
    rows = start + window
    ahead = (x[start : rows[-1] + 1] - means) / sds
    path = centre + spread * forecast_level(found, ahead, rng)
    effect = moved(y[start : rows[-1] + 1] - path, window, level=level)
    ratio, p_value = _summary(effect)
    sd = float(effect.std(ddof=1))
    return ratio * sd, sd, p_value


def _summary(effects: np.ndarray) -> tuple[float, float]:
    below = float(np.mean(effects < 0))
    return float(effects.mean() / effects.std(ddof=1)), 2.0 * min(below, 1.0 - below)
