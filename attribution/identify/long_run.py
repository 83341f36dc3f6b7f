r"""A reduced form and an order of long-run effects in; shocks identified by them out.

.. math:: \Theta_\infty = \sum_h \Theta_h = (I - \sum_l A_l)^{-1} H
    \quad \text{lower triangular in the order given, its diagonal positive}

For variables measured as changes the sum is the effect on the level: only the first shock moves
the first variable for good (Blanchard and Quah 1989).
"""

from __future__ import annotations

import numpy as np

from attribution.errors import IdentificationError
from attribution.identify.triangular import Drawn, Ordered, drawn, ordering
from attribution.reduced import ReducedForm

SINGULAR = 1e6
"""Condition of the long-run matrix, variables in units of their errors, above which it is none."""
TOLERATED = 0.05
"""Share of draws that may have no long run."""
LOOKED_AT = 1000
"""Draws whose roots are computed."""


def long_run(
    reduced: ReducedForm,
    *,
    order: tuple[str, ...] = (),
    shocks: tuple[str, ...] = (),
    draws: int = 4000,
    seed: int | np.random.SeedSequence,
) -> Ordered:
    """Identify shocks by what they do in the long run.

    Parameters
    ----------
    reduced : draws of (B, Σ), of stationary series.
    order : variables; the shock of a place has no long-run effect on those before it.
    shocks : names of the shocks in that order; the variables' own if empty.
    draws : over all chains, a multiple of their number.

    Raises
    ------
    SpecError
        If order or names do not fit the variables.
    IdentificationError
        If more than one draw in twenty is explosive, or its long-run matrix near singular.

    References
    ----------
    blanchardquah1989; kilian2017, ch. 10
    """
    place, names = ordering(reduced.variables, order, shocks)
    sample = drawn(reduced, draws, seed)
    _refuse_without_long_run(sample)
    inverse = np.eye(len(place)) - sample.lag_coefficients.sum(2)
    through = np.linalg.solve(inverse, sample.covariance)
    total = np.linalg.solve(inverse, through.swapaxes(-1, -2))
    ordered = 0.5 * (total + total.swapaxes(-1, -2))[..., place, :][..., place]
    summed = np.empty_like(total)
    summed[..., place, :] = np.linalg.cholesky(ordered)
    return sample.ordered(reduced.variables, names, inverse @ summed)


def _refuse_without_long_run(sample: Drawn) -> None:
    lags, n = sample.lag_coefficients.shape[2:4]
    flat = sample.lag_coefficients.reshape(-1, lags, n, n)
    spread = np.sqrt(np.diagonal(sample.covariance, axis1=-2, axis2=-1)).reshape(-1, n)
    some = np.linspace(0, len(flat) - 1, min(LOOKED_AT, len(flat))).astype(int)
    scaled = flat[some] * (spread[some, None, None, :] / spread[some, None, :, None])
    companion = np.zeros((len(some), lags * n, lags * n))
    companion[:, :n] = scaled.swapaxes(1, 2).reshape(len(some), n, lags * n)
    companion[:, n:, :-n] = np.eye((lags - 1) * n)
    explosive = np.abs(np.linalg.eigvals(companion)).max(1) >= 1
    singular = np.linalg.cond(np.eye(n) - scaled.sum(1)) > SINGULAR
    without = float((explosive | singular).mean())
    if without > TOLERATED:
        raise IdentificationError(
            f"the long run does not exist in {100 * without:.0f} % of the draws"
            f" ({100 * float(explosive.mean()):.0f} % are explosive), more than"
            f" {100 * TOLERATED:.0f} %; enter series as changes, or use another scheme"
        )
