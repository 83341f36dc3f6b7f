"""The nouns that hold draws: a structural posterior, and a decomposition that adds up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from attribution.core.propagate import solve
from attribution.core.window import worst_gap
from attribution.errors import AttributionError, EventError, IdentificationError
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
        At least as many shocks as variables.
    lag_coefficients : (chain, draw, lag, variable, regressor); nearest lag first.
    intercept : (chain, draw, variable); unit of the variable.
    weight : (chain, draw); non-negative, mean one.
    days, struck : where there are more shocks than variables, errors do not determine them: the
        days of the event and the shocks drawn for them (chain, draw, day, shock).
    """

    variables: tuple[str, ...]
    shocks: tuple[str, ...]
    channels: tuple[str, ...]
    impact: np.ndarray
    lag_coefficients: np.ndarray
    intercept: np.ndarray
    weight: np.ndarray
    days: pd.DatetimeIndex | None = None
    struck: np.ndarray | None = None

    def __post_init__(self) -> None:
        n, k, lead = len(self.variables), len(self.shocks), self.impact.shape[:2]
        lags = self.lag_coefficients.shape[2]
        expected = {
            "impact": (*lead, n, k),
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
        if k < n or len(set(self.shocks)) != k:
            raise ValueError(
                "a structural posterior needs at least as many distinct shocks as variables"
            )
        if self.struck is None:
            if k > n:
                raise ValueError("more shocks than variables need the shocks of the event's days")
        elif self.days is None or self.struck.shape != (*lead, len(self.days), k):
            raise ValueError("the shocks of the event need one row for each of their days")
        if not set(self.channels) <= set(self.shocks):
            raise ValueError("every channel must be one of the shocks")
        if (self.weight < 0).any() or not np.isclose(self.weight.mean(), 1.0):
            raise ValueError("weights must be non-negative with mean one")

    def shocks_of(self, errors: np.ndarray, time: pd.DatetimeIndex) -> np.ndarray:
        """Structural shocks (chain, draw, time, shock) behind errors (chain, draw, time, variable).

        Raises
        ------
        EventError
            If there are more shocks than variables and none were drawn for one of the days.
        IdentificationError
            If an impact matrix is singular.
        """
        if self.struck is None or self.days is None:
            n = len(self.variables)
            flat = np.ascontiguousarray(errors, float).reshape(-1, *errors.shape[2:])
            try:
                solved = solve(np.ascontiguousarray(self.impact).reshape(-1, n, n), flat)
            except ZeroDivisionError:
                raise IdentificationError(
                    "an impact matrix is singular, so errors do not determine shocks; restrict the"
                    " shocks so that no two of them move every variable alike"
                ) from None
            return np.asarray(solved).reshape(errors.shape)
        at = self.days.get_indexer(time)
        if (at < 0).any():
            raise EventError(
                f"{time[at < 0][0]:%Y-%m-%d} is not among the days of the event"
                f" ({self.days[0]:%Y-%m-%d} to {self.days[-1]:%Y-%m-%d}), for which shocks were"
                " drawn; fit the model with a window that holds it"
            )
        return self.struck[:, :, at]


def require_additive(
    window: str, baseline: np.ndarray, contribution: np.ndarray, observed: np.ndarray
) -> None:
    """Refuse parts (..., time, variable[, channel]) that miss the data (time, variable).

    Raises
    ------
    AdditivityError
        If one draw of one value misses by more than 1e-10 of its parts' scale.
    """
    shape = contribution.shape[-3:]
    gap = worst_gap(
        np.ascontiguousarray(baseline).reshape(-1, *shape[:2]),
        np.ascontiguousarray(contribution).reshape(-1, *shape),
        np.ascontiguousarray(observed),
    )
    if not gap <= ADDITIVITY:
        raise AdditivityError(
            f"window '{window}': baseline and contributions miss the data by {gap:.1e}"
            " of their scale; please report this as a defect"
        )


@dataclass(frozen=True)
class Decomposition:
    r"""Historical decomposition of one window, for every variable.

    .. math:: y_t = \mathrm{baseline}_t + \sum_k c_{k,t}

    Attributes
    ----------
    window : its name.
    time : the days of the window.
    variables, channels : names; ``channels`` ends in ``unattributed``.
    observed : (time, variable); unit of the variable.
    baseline : (chain, draw, time, variable); the path expected on the eve, no shocks after.
    contribution : (chain, draw, time, variable, channel); what each channel adds.
    eve : name -> last value before the window, of variables measured in levels.  Over a window
        they move by their last value less that of the eve; all others are changes and add up.

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
    eve: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.channels[-1] != UNATTRIBUTED:
            raise ValueError("the last channel must be 'unattributed'")
        require_additive(self.window, self.baseline, self.contribution, self.observed)

    def cumulated(self, variable: str) -> tuple[np.ndarray, np.ndarray, float]:
        """Move of a window: contributions (chain, draw, channel), baseline (chain, draw), observed.

        The sum over its days or, of a variable in levels, what the last day is above the eve.
        """
        i = self.variables.index(variable)
        if variable in self.eve:
            eve = self.eve[variable]
            return (
                self.contribution[:, :, -1, i],
                self.baseline[:, :, -1, i] - eve,
                float(self.observed[-1, i] - eve),
            )
        return (
            self.contribution[:, :, :, i].sum(2),
            self.baseline[:, :, :, i].sum(2),
            float(self.observed[:, i].sum()),
        )
