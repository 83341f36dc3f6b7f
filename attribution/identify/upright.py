"""Ordered shocks and the sign of a response of each in; the same shocks, that way up, out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from attribution.core.window import responses
from attribution.model.scheme import Sign
from attribution.posterior import StructuralPosterior


def upright(posterior: StructuralPosterior, signs: Iterable[Sign]) -> StructuralPosterior:
    r"""Turn shocks so that a response of each has its sign in every draw.

    The long run is :math:`(I - \sum_l A_l)^{-1} H`.  A response of nought leaves its draw as it is.
    """
    impact = posterior.impact.copy()
    for sign in signs:
        column = impact[..., posterior.shocks.index(sign.shock)]
        moved = _response(posterior, column, sign.horizon)
        place = posterior.variables.index(sign.variable)
        wrong = moved[..., place] < 0 if sign.positive else moved[..., place] > 0
        column[wrong] *= -1.0
    return replace(posterior, impact=impact)


def _response(
    posterior: StructuralPosterior, column: np.ndarray, horizon: int | None
) -> np.ndarray:
    """Return the response (chain, draw, variable) to a shock that strikes as ``column``."""
    slopes, n = posterior.lag_coefficients, len(posterior.variables)
    if horizon is None:
        through: np.ndarray = np.linalg.solve(np.eye(n) - slopes.sum(2), column[..., None])[..., 0]
        return through
    found = responses(
        np.ascontiguousarray(slopes.reshape(-1, *slopes.shape[2:])),
        np.ascontiguousarray(column.reshape(-1, n, 1)),
        horizon,
    )
    return np.asarray(found[:, horizon, :, 0].reshape(column.shape))
