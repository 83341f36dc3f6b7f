"""Shocks that a law tells apart, without the names of a table, in; groups of a run out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from attribution import record
from attribution.core import niw
from attribution.estimate.variance_shift import VarianceShift
from attribution.estimation.shape import Groups
from attribution.identify.carriers import Carriers
from attribution.model.spec import ModelSpec
from attribution.posterior import StructuralPosterior


def unnamed_columns(spec: ModelSpec, found: Carriers) -> Groups:
    """Make group ``/columns``: the posterior mean of each column, and the names it carries.

    Each column is called after the variable whose impact variance it explains most of.
    """
    variables = list(spec.system.variables)
    data = xr.Dataset(
        {
            "impact": (("variable", "column"), found.impact),
            "carries": (("name", "column"), found.share),
        },
        {
            "variable": variables,
            "column": [f"of {name}" for name in variables],
            "name": list(spec.channels),
        },
    )
    data.attrs["could_be_matched_otherwise"] = found.ambiguous
    return {"/columns": data}


def maximum_likelihood(spec: ModelSpec, units: Mapping[str, str], shift: VarianceShift) -> Groups:
    """Make groups ``/maximum_likelihood`` and ``/point``: the estimate, its errors, its responses.

    Each shock is named after the variable whose impact variance it explains most of.
    """
    variables = list(shift.variables)
    names = tuple(f"of {name}" for name in variables)
    slopes, intercept = niw.split(shift.coefficients, constant=spec.system.constant)
    estimate = StructuralPosterior(
        variables=shift.variables,
        shocks=names,
        channels=names,
        impact=shift.impact[None, None],
        lag_coefficients=slopes[None, None],
        intercept=intercept[None, None],
        weight=np.ones((1, 1)),
    )
    data = xr.Dataset(
        {
            "impact": (("variable", "shock"), shift.impact),
            "impact_error": (("variable", "shock"), shift.impact_error),
            "variance": (("regime", "shock"), shift.variance),
            "variance_error": (("regime", "shock"), shift.variance_error),
            "log_likelihood": shift.log_likelihood,
            "days": ("regime", shift.days),
        },
        {"variable": variables, "shock": list(names)},
    )
    point = record.point(estimate, units, spec.system.horizons, spec.system.cumulated)
    return {"/maximum_likelihood": data, **point}
