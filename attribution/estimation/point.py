"""A closed-form posterior in; one draw at its centre, for estimates beside posteriors, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import xarray as xr

from attribution import record
from attribution.core import niw
from attribution.core.niw import NormalInverseWishart
from attribution.estimate.conjugate import ConjugateForm
from attribution.estimate.hierarchical import HierarchicalForm
from attribution.reduced import Batch, ReducedForm


@dataclass(eq=False)
class Center:
    r"""A reduced form with one draw.

    Coefficients are the posterior mean.  Σ is the posterior mean too,
    :math:`S / (\nu - n - 1)`, or, where the prior is flat, the least-squares estimate
    :math:`S / (T - k)`, which is what textbooks and desks print.
    """

    variables: tuple[str, ...]
    time: pd.DatetimeIndex
    constant: bool
    posterior: NormalInverseWishart
    flat: bool
    chains: int = 1
    notes: Mapping[str, object] = field(default_factory=dict)

    def batch(self, draws: int) -> Batch:
        """Return the centre, as often as asked."""
        k, n = self.posterior.mean.shape
        degrees = self.posterior.dof - (k if self.flat else n + 1)
        factor = np.linalg.cholesky(self.posterior.scale / degrees)

        def coefficients(chosen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
            return np.broadcast_to(self.posterior.mean, (len(chosen), k, n))

        return Batch(
            factor=np.broadcast_to(factor, (1, draws, n, n)),
            coefficients=coefficients,
            weight=np.ones((1, draws)),
        )


def mode_group(form: ReducedForm) -> dict[str, xr.Dataset]:
    """Make group ``/mode`` where the posterior of the reduced form has one in closed form."""
    if not isinstance(form, ConjugateForm | HierarchicalForm):
        return {}
    coefficients, covariance = form.mode
    slopes, intercept = niw.split(coefficients, constant=form.constant)
    return record.mode(form.variables, slopes, intercept, covariance)


def center_of(form: ConjugateForm, *, flat: bool) -> Center:
    """Return the centre of a closed-form posterior."""
    return Center(form.variables, form.time, form.constant, form.posterior, flat)
