r"""A reduced form and a causal order in; recursively identified shocks out.

.. math:: \Sigma = H H', \qquad H \text{ lower triangular in the order given, its diagonal positive}

The shock of a place moves its own variable and those behind it on impact, and none before.
"""

from __future__ import annotations

import numpy as np

from attribution.identify.triangular import Ordered, drawn, ordering
from attribution.reduced import ReducedForm


def recursive(
    reduced: ReducedForm,
    *,
    order: tuple[str, ...] = (),
    shocks: tuple[str, ...] = (),
    draws: int = 4000,
    seed: int | np.random.SeedSequence,
) -> Ordered:
    """Identify shocks by a causal order.

    Parameters
    ----------
    reduced : draws of (B, Σ).
    order : variables, the first to move first; those of the reduced form if empty.
    shocks : names of the shocks in that order; the variables' own if empty.
    draws : over all chains, a multiple of their number.

    Returns
    -------
    Ordered
        Variables in the order of the reduced form, shocks in the causal order.

    Raises
    ------
    SpecError
        If order or names do not fit the variables.

    References
    ----------
    kilian2017, ch. 8
    """
    place, names = ordering(reduced.variables, order, shocks)
    sample = drawn(reduced, draws, seed)
    impact = np.empty_like(sample.covariance)
    ordered = sample.covariance[..., place, :][..., place]
    impact[..., place, :] = np.linalg.cholesky(ordered)
    return sample.ordered(reduced.variables, names, impact)
