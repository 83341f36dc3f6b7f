"""A structural posterior in; who moves each variable on average, horizon by horizon, out."""

from __future__ import annotations

import numpy as np

from attribution.core import variance
from attribution.core import window as kernel
from attribution.decompose.window import flat
from attribution.errors import SpecError
from attribution.posterior import StructuralPosterior


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
    return variance.shares(found).reshape(*structural.weight.shape, *found.shape[1:])


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
    wild = variance.long_run(flat(structural.lag_coefficients), flat(structural.impact), out)
    if wild:
        raise SpecError(
            f"long-run variance shares: {wild:,} of {len(out):,} draws are not stationary, so their"
            " forecast error variance has no limit; ask for shares at a finite horizon"
        )
    return out.reshape(*lead, *shape)
