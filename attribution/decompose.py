"""A structural posterior and a window in; a historical decomposition that adds up out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from attribution.core import propagate
from attribution.errors import EventError
from attribution.model.spec import UNATTRIBUTED, Window
from attribution.posterior import Decomposition, StructuralPosterior


def decompose(
    structural: StructuralPosterior, values: pd.DataFrame, window: Window
) -> Decomposition:
    r"""Split the observed path of a window into the eve's forecast and each channel's shocks.

    The recursion starts on the eve of the window: shocks that struck earlier are in the
    baseline, so nothing of the weeks before is booked to the event.

    Parameters
    ----------
    structural : draws of impact matrix, lag coefficients and intercept.
    values : (time, variable) with the variables of ``structural``; unit of the variable.
    window : first and last day that are decomposed.

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
    errors = propagate.residuals(
        structural.lag_coefficients, structural.intercept, history, observed
    )
    shocks = structural.shocks_of(errors, time)
    impulses = structural.impact[:, :, None] * shocks[:, :, :, None, :]
    parts = propagate.contributions(structural.lag_coefficients[:, :, :], impulses)
    return Decomposition(
        window=window.name,
        time=time,
        variables=structural.variables,
        channels=(*structural.channels, UNATTRIBUTED),
        observed=observed,
        baseline=propagate.baseline(
            structural.lag_coefficients, structural.intercept, history, len(time)
        ),
        contribution=_by_channel(parts, structural),
        weight=structural.weight,
    )


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


def _by_channel(parts: np.ndarray, structural: StructuralPosterior) -> np.ndarray:
    """Reorder shocks into channels and sum the unnamed ones into the last column."""
    named = [structural.shocks.index(name) for name in structural.channels]
    unnamed = [j for j in range(len(structural.shocks)) if j not in named]
    rest = parts[..., unnamed].sum(-1, keepdims=True)
    return np.concatenate([parts[..., named], rest], axis=-1)
