"""A structural posterior and a window in; a historical decomposition that adds up out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pandas as pd

from attribution.core import propagate
from attribution.core import window as kernel
from attribution.errors import EventError, SpecError
from attribution.model.spec import UNATTRIBUTED, Window
from attribution.posterior import Decomposition, StructuralPosterior

LONG = 64
"""Days from which a recursion over all variables is quicker than a sum over pairs of days."""


def decompose(
    structural: StructuralPosterior,
    values: pd.DataFrame,
    window: Window,
    variable: str | None = None,
    *,
    levels: Collection[str] = (),
) -> Decomposition:
    r"""Split the observed path of a window into the eve's forecast and each channel's shocks.

    The recursion starts on the eve of the window: shocks that struck earlier are in the
    baseline, so nothing of the weeks before is booked to the event.

    Parameters
    ----------
    structural : draws of impact matrix, lag coefficients and intercept.
    values : (time, variable) with the variables of ``structural``; unit of the variable.
    window : first and last day that are decomposed.
    variable : the only one that is split; each of them if None.
    levels : variables measured in levels, whose move over the window is not a sum over its days.

    Raises
    ------
    EventError
        If the window is not inside the data, holds no trading day, or a value is missing.

    References
    ----------
    kilian2017, ch. 4
    """
    frame = values.loc[:, list(structural.variables)]
    time, history, observed = window_values(frame, window, structural.lag_coefficients.shape[2])
    origin = history[-1]
    moved, history, steps = from_origin(structural, origin), history - origin, observed - origin
    shocks = window_shocks(moved, time, history, steps)
    named = structural.variables if variable is None else (variable,)
    kept = [structural.variables.index(name) for name in named]
    if variable is not None and len(time) <= LONG:
        parts = _one(moved, history, shocks, kept[0])
    else:
        parts = _all(moved, history, shocks)
        parts = parts if variable is None else (parts[0][..., kept], parts[1][..., kept, :])
    lead = structural.weight.shape
    baseline = parts[0] + origin[kept]
    return Decomposition(
        window=window.name,
        time=time,
        variables=named,
        channels=(*structural.channels, UNATTRIBUTED),
        observed=observed[:, kept],
        baseline=baseline.reshape(*lead, *baseline.shape[1:]),
        contribution=parts[1].reshape(*lead, *parts[1].shape[1:]),
        weight=structural.weight,
        eve={
            name: float(origin[structural.variables.index(name)])
            for name in named
            if name in levels
        },
    )


def from_origin(structural: StructuralPosterior, origin: np.ndarray) -> StructuralPosterior:
    r"""Return the same dynamics for series measured from an origin (variable,).

    .. math:: z_t = y_t - o, \qquad z_t = c + \Big(\sum_l A_l - I\Big) o + \sum_l A_l z_{t-l} + u_t

    Levels of a thousand that move by one lose three digits in a long recursion; their moves from
    the eve do not.
    """
    pull = np.einsum("...lvr,r->...v", structural.lag_coefficients, origin) - origin
    return replace(structural, intercept=structural.intercept + pull)


def window_shocks(
    structural: StructuralPosterior,
    time: pd.DatetimeIndex,
    history: np.ndarray,
    observed: np.ndarray,
) -> np.ndarray:
    """Structural shocks (chain, draw, time, shock) of consecutive days.

    Parameters
    ----------
    history : (lag, variable); the days before, oldest first.
    observed : (time, variable).
    """
    lags, steps = len(history), len(observed)
    path = np.ascontiguousarray(np.concatenate([history, observed]))
    lagged = np.hstack([path[lags - 1 - i : lags - 1 - i + steps] for i in range(lags)])
    errors = kernel.errors(
        flat(structural.lag_coefficients), flat(structural.intercept), lagged, path[lags:]
    )
    return structural.shocks_of(errors.reshape(*structural.weight.shape, *errors.shape[1:]), time)


def flat(array: np.ndarray) -> np.ndarray:
    """Join chains: (chain, draw, ...) to (draw, ...), in one piece."""
    joined = np.ascontiguousarray(array, float)
    return joined.reshape(-1, *joined.shape[2:])


def slots(structural: StructuralPosterior) -> np.ndarray:
    """Channel that each shock belongs to (shock,); the unnamed ones share the last."""
    channels = structural.channels
    return np.array(
        [channels.index(s) if s in channels else len(channels) for s in structural.shocks]
    )


def _all(
    structural: StructuralPosterior, history: np.ndarray, shocks: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Split every variable: (draw, time, variable) and (draw, time, variable, channel)."""
    struck = flat(shocks)
    draws, steps, _ = struck.shape
    n, channels = len(structural.variables), len(structural.channels) + 1
    baseline, parts = np.empty((draws, steps, n)), np.empty((draws, steps, n, channels))
    carried = eve(structural, history)
    kernel.carry(*recursion(structural), struck, slots(structural), carried, baseline, parts)
    return baseline, parts


def _one(
    structural: StructuralPosterior, history: np.ndarray, shocks: np.ndarray, variable: int
) -> tuple[np.ndarray, np.ndarray]:
    """Split one variable; an axis of length one stands for it."""
    struck = flat(shocks)
    draws, steps, _ = struck.shape
    baseline, parts = (
        np.empty((draws, steps)),
        np.empty((draws, steps, len(structural.channels) + 1)),
    )
    before = np.ascontiguousarray(history[::-1], float).ravel()
    kernel.one_variable(
        *recursion(structural), struck, slots(structural), variable, before, baseline, parts
    )
    return baseline[..., None], parts[:, :, None]


def recursion(structural: StructuralPosterior) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lag coefficients, intercept and impact, chains joined."""
    return flat(structural.lag_coefficients), flat(structural.intercept), flat(structural.impact)


def eve(structural: StructuralPosterior, history: np.ndarray) -> np.ndarray:
    """State (draw, lag x variable, shock + 1) before any shock: the data are the baseline's."""
    state = np.zeros((structural.weight.size, history.size, len(structural.shocks) + 1))
    state[..., -1] = history[::-1].ravel()
    return state


def window_values(
    frame: pd.DataFrame, window: Window, lags: int
) -> tuple[pd.DatetimeIndex, np.ndarray, np.ndarray]:
    """Return the days of a window, the lags before it (oldest first) and the observed values."""
    start, end = pd.Timestamp(window.start), pd.Timestamp(window.end)
    inside = frame.loc[start:end]
    place = f"window '{window.name}' ({window.start} to {window.end})"
    if end < start:
        raise EventError(f"{place}: it ends before it starts; swap the two dates")
    if start < frame.index[0] or end > frame.index[-1]:
        raise EventError(
            f"{place}: it is outside the data, which run from {frame.index[0]:%Y-%m-%d} to"
            f" {frame.index[-1]:%Y-%m-%d}; choose days inside them"
        )
    if inside.empty:
        raise EventError(f"{place}: it holds no trading day; choose days on which the series trade")
    before = frame.loc[: inside.index[0]].iloc[:-1]
    if len(before) < lags:
        raise EventError(f"{place}: fewer than {lags} days precede it; choose a later window")
    history = before.iloc[len(before) - lags :]
    gaps = pd.concat([history, inside]).isna()
    if gaps.to_numpy().any():
        column = gaps.any().idxmax()
        day = gaps.index[gaps[column]][0]
        raise EventError(
            f"{place}: '{column}' has no value on {day:%Y-%m-%d}; supply it or use a model without"
            " it"
        )
    return pd.DatetimeIndex(inside.index), history.to_numpy(float), inside.to_numpy(float)


# A structural posterior in; who moves each variable on average, horizon by horizon, out.


def variance_shares(
    structural: StructuralPosterior, horizons: int, *, cumulated: bool = False
) -> np.ndarray:
    """Shares of shocks in forecast error variances, each shock of variance one in its scale.

    Horizon h is the error of the forecast h + 1 periods ahead.  Where the law of errors gives
    shocks variances that differ or move, these are the shares of shocks of one scale each.

    Parameters
    ----------
    cumulated : whether the forecast is of the sum of each variable, a change, since the origin.

    Returns
    -------
    (chain, draw, horizon, variable, shock); sum to one over shocks in every draw.

    References
    ----------
    kilian2017, ch. 4
    """
    found = kernel.responses(flat(structural.lag_coefficients), flat(structural.impact), horizons)
    found = found.cumsum(axis=1) if cumulated else found
    return propagate.shares(found).reshape(*structural.weight.shape, *found.shape[1:])


def long_run_shares(structural: StructuralPosterior) -> np.ndarray:
    """Shares in the unconditional variance: the horizon grows without bound.

    Returns
    -------
    (chain, draw, variable, shock).

    Raises
    ------
    SpecError
        If a draw is not stationary: its forecast error variance has no limit.

    References
    ----------
    kilian2017, ch. 4
    """
    lead, shape = structural.weight.shape, structural.impact.shape[2:]
    out = np.empty((structural.weight.size, *shape))
    wild = propagate.long_run(flat(structural.lag_coefficients), flat(structural.impact), out)
    if wild:
        raise SpecError(
            f"long-run variance shares: {wild:,} of {len(out):,} draws are not stationary, so their"
            " forecast error variance has no limit; ask for shares at a finite horizon"
        )
    return out.reshape(*lead, *shape)
