"""The nouns that hold draws: a structural posterior, and a decomposition that adds up or does not exist."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.errors import AttributionError
from attribution.model.spec import UNATTRIBUTED

ADDITIVITY = 1e-10


class AdditivityError(AttributionError):
    """Parts that do not sum to the whole; always a fault of the program, never of the user."""

    exit_code = 70


@dataclass(frozen=True)
class StructuralPosterior:
    """Draws of a structural vector autoregression.

    Attributes
    ----------
    variables, shocks : names; a shock named in the identification table is a channel, the other
        shocks are unnamed and end in ``unattributed``.
    channels : the names among ``shocks`` that are reported by name.
    impact : (chain, draw, variable, shock); unit of the variable per one-scale shock, on the day.
    lag_coefficients : (chain, draw, lag, variable, regressor); nearest lag first.
    intercept : (chain, draw, variable); unit of the variable.
    weight : (chain, draw); non-negative, mean one.
    """

    variables: tuple[str, ...]
    shocks: tuple[str, ...]
    channels: tuple[str, ...]
    impact: np.ndarray
    lag_coefficients: np.ndarray
    intercept: np.ndarray
    weight: np.ndarray

    def __post_init__(self) -> None:
        n, lead = len(self.variables), self.impact.shape[:2]
        lags = self.lag_coefficients.shape[2]
        expected = {
            "impact": (*lead, n, n),
            "lag_coefficients": (*lead, lags, n, n),
            "intercept": (*lead, n),
            "weight": lead,
        }
        for name, shape in expected.items():
            array = getattr(self, name)
            if array.shape != shape:
                raise ValueError(f"{name} has shape {array.shape}, expected {shape}")
            if not np.isfinite(array).all():
                raise ValueError(f"{name} is not finite")
        if len(self.shocks) != n or len(set(self.shocks)) != n:
            raise ValueError("a structural posterior needs as many distinct shocks as variables")
        if not set(self.channels) <= set(self.shocks):
            raise ValueError("every channel must be one of the shocks")
        if (self.weight < 0).any() or not np.isclose(self.weight.mean(), 1.0):
            raise ValueError("weights must be non-negative with mean one")


@dataclass(frozen=True)
class Decomposition:
    """Historical decomposition of one window, for every variable.

    .. math:: y_t = \\mathrm{baseline}_t + \\sum_k c_{k,t}

    Attributes
    ----------
    window : its name.
    time : the days of the window.
    variables, channels : names; ``channels`` ends in ``unattributed``.
    observed : (time, variable); unit of the variable.
    baseline : (chain, draw, time, variable); the path expected on the eve, no shocks after.
    contribution : (chain, draw, time, variable, channel); what each channel adds.

    Raises
    ------
    AdditivityError
        If baseline and contributions miss the data by more than 1e-10 of their scale.
    """

    window: str
    time: pd.DatetimeIndex
    variables: tuple[str, ...]
    channels: tuple[str, ...]
    observed: np.ndarray
    baseline: np.ndarray
    contribution: np.ndarray
    weight: np.ndarray

    def __post_init__(self) -> None:
        if self.channels[-1] != UNATTRIBUTED:
            raise ValueError("the last channel must be 'unattributed'")
        total = self.baseline + self.contribution.sum(-1)
        scale = np.maximum(1.0, np.abs(self.contribution).sum(-1) + np.abs(self.observed))
        gap = float(np.max(np.abs(total - self.observed) / scale))
        if not gap <= ADDITIVITY:
            raise AdditivityError(
                f"window '{self.window}': baseline and contributions miss the data by {gap:.1e}"
                " of their scale; please report this as a defect"
            )

    def cumulated(self, variable: str) -> tuple[np.ndarray, np.ndarray, float]:
        """Sum over the window: contributions (chain, draw, channel), baseline (chain, draw), observed."""
        i = self.variables.index(variable)
        return (
            self.contribution[:, :, :, i].sum(2),
            self.baseline[:, :, :, i].sum(2),
            float(self.observed[:, i].sum()),
        )
