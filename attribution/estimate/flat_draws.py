"""The posterior of a sampler in; draws of one parameter after another, chains end to end, out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr


def flat_draws(posterior: xr.Dataset) -> Callable[[str], np.ndarray]:
    """Return what gives a parameter's draws (chain * draw, ...); no columns if it has none."""
    size = posterior.sizes["chain"] * posterior.sizes["draw"]

    def flat(name: str) -> np.ndarray:
        if name not in posterior.data_vars:
            return np.zeros((size, 0))
        array = posterior[name].to_numpy()
        return array.reshape(-1, *array.shape[2:])

    return flat
