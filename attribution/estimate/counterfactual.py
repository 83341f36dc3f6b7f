"""What every form of a counterfactual hands over: draws of where the outcome should have been."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import xarray as xr

CHAINS = 4


@dataclass(frozen=True)
class Counterfactual:
    """Draws of the counterfactual, in the outcome's unit.

    Attributes
    ----------
    predicted : (chain, draw, row after the pre-period); with the noise of single rows.
    expected : the same without that noise: its mean given coefficients and level.
    accounted : (chain, draw, row after the pre-period, control); what each control's move brings:
        its coefficient times its distance from its mean of the pre-period (returns), or from its
        last value there (level).
    fitted : (sample, row of the pre-period); expected plus noise.
    coefficients : (chain, draw, control); unit of the outcome per unit of the control, as they
        stand at the end of the pre-period; zero where a control is out.
    posterior : further draws (chain, draw, ...), standardised where their names say so.
    paths : quantiles of coefficients that wander (step, quantile, control); None if they do not.
    stats : ``diverging`` (chain, draw) where NUTS was used; empty where draws are independent.
    """

    predicted: np.ndarray
    expected: np.ndarray
    accounted: np.ndarray
    fitted: np.ndarray
    coefficients: np.ndarray
    posterior: xr.Dataset
    paths: np.ndarray | None = None
    stats: Mapping[str, np.ndarray] = field(default_factory=dict)


def moved(gap: np.ndarray, window: np.ndarray, *, level: bool) -> np.ndarray:
    """Add up, over a window, what stands on rows (..., row after the pre-period).

    Changes add up; of a level it is the last row's over the eve's, which is zero while the
    pre-period lasts: there a gap to the counterfactual has not begun.
    """
    if not level:
        return np.asarray(gap[..., window].sum(-1))
    eve = gap[..., window[0] - 1] if window[0] else 0.0
    return np.asarray(gap[..., window[-1]] - eve)


def chained(draws: np.ndarray) -> np.ndarray:
    """Lay independent draws (draw, ...) out as chains of equal length."""
    return draws.reshape(CHAINS, -1, *draws.shape[1:])
