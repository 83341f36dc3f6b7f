"""Named draws of a structural VAR and a table in; which draws obey every claim of it out."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from attribution.errors import SpecError
from attribution.identify.compile import compiled
from attribution.identify.feasible import refuse_infeasible
from attribution.identify.fits import on_columns
from attribution.identify.margins import violation
from attribution.model.restriction import Identification
from attribution.posterior import StructuralPosterior


def obeying(
    posterior: StructuralPosterior,
    table: Identification,
    values: pd.DataFrame,
    *,
    constant: bool,
    levels: Collection[str] = (),
) -> np.ndarray:
    """Judge draws whose shocks have their names already, by instruments or otherwise.

    Returns
    -------
    (chain, draw) bool.

    Raises
    ------
    SpecError
        If a claim is an exact zero or weighs draws, which judging cannot do.
    IdentificationError
        If claims contradict each other.
    """
    claims = compiled(
        table,
        posterior.variables,
        values,
        lags=posterior.lag_coefficients.shape[2],
        constant=constant,
        levels=levels,
    )
    if claims.zeros or claims.conditional:
        what = "an exact zero" if claims.zeros else 'reading = "conditional"'
        raise SpecError(
            f"table '{table.name}': {what} needs scheme 'restrictions'; use bounds, or reading ="
            ' "unconditional"'
        )
    refuse_infeasible(table.name, claims)
    lead, n = posterior.impact.shape[:2], len(posterior.variables)
    order = [posterior.shocks.index(name) for name in claims.channels]
    rest = [j for j in range(n) if j not in order]
    impact = posterior.impact.reshape(-1, n, n)[:, :, [*order, *rest]]
    slopes = posterior.lag_coefficients.reshape(-1, *posterior.lag_coefficients.shape[2:])
    columns = on_columns(claims, impact, slopes, posterior.intercept.reshape(-1, n))
    worst = violation(claims, columns, np.broadcast_to(np.eye(n), impact.shape))
    kept: np.ndarray = (worst <= 0).reshape(lead)
    return kept
