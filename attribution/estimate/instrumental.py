"""Columns of an equation in; coefficients by method, and what instruments are worth, out."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from attribution.core.first_stage import first_stage
from attribution.errors import DataError
from attribution.estimate.anderson_rubin import AndersonRubin, anderson_rubin
from attribution.estimate.instrument_columns import Columns, refuse_collinear
from attribution.estimate.instrument_units import standardised


@dataclass(frozen=True)
class Instrumented:
    """What an equation's methods find.

    Attributes
    ----------
    coefficients, errors : (column, method), least squares first.
    r2, kappa : by method; kappa is that of LIML, NaN elsewhere.
    first_stage : (endogenous, statistic): ``partial_r2``, ``shea_r2``, ``f`` (of the instruments,
        equal variances), ``f_robust`` (Wald by the covariance asked for, over their number),
        ``f_effective`` and ``f_critical`` (Montiel Olea and Pflueger; one endogenous column).
    tests : (test, statistic, p): overidentification and exogeneity.
    anderson_rubin : of the endogenous column, where there is one.
    """

    coefficients: pd.DataFrame
    errors: pd.DataFrame
    r2: pd.Series
    kappa: float
    first_stage: pd.DataFrame
    tests: pd.DataFrame
    anderson_rubin: AndersonRubin | None


def instrumental(
    columns: Columns, *, methods: Sequence[str], covariance: str, bandwidth: int
) -> Instrumented:
    r"""Estimate an equation by least squares and with instruments.

    .. math:: y = X \beta + W \gamma + e, \qquad E[Z' e] = 0

    Parameters
    ----------
    methods : of ``2sls``, ``liml``, ``gmm`` (two steps).
    covariance : ``unadjusted``, ``robust``, or ``kernel`` (Bartlett weights up to ``bandwidth``).

    Raises
    ------
    DataError
        If rows are too few or columns collinear.

    References
    ----------
    staiger1997, montielolea2013, newey1987, hausman1978, sargan1958, hansen1982
    """
    from linearmodels.iv import IV2SLS, IVGMM, IVLIML

    columns, units = standardised(columns)
    refuse_collinear(columns)
    if bandwidth >= len(columns.outcome):
        raise DataError(
            f"bandwidth = {bandwidth} reaches beyond the {len(columns.outcome)} complete rows of"
            f" '{columns.outcome.name}'; shorten it"
        )
    y, x, w, z = columns.outcome, columns.endogenous, columns.exogenous, columns.instruments
    given: dict[str, Any] = {"cov_type": covariance}
    weighted: dict[str, Any] = {"weight_type": covariance}
    if covariance == "kernel":
        kernel: dict[str, Any] = {"kernel": "bartlett", "bandwidth": bandwidth}
        given, weighted = given | kernel, weighted | kernel
    makers = {
        "2sls": lambda: IV2SLS(y, w, x, z).fit(**given),
        "liml": lambda: IVLIML(y, w, x, z).fit(**given),
        "gmm": lambda: IVGMM(y, w, x, z, **weighted).fit(**given),
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of kernels and small samples; said in findings
            fits: dict[str, Any] = {
                "ols": IV2SLS(y, pd.concat([w, x], axis=1), None, None).fit(**given)
            }
            fits |= {name: makers[name]() for name in methods}
            two_stage = fits["2sls"] if "2sls" in fits else makers["2sls"]()
            tests = _tests(two_stage, fits, over=z.shape[1] > x.shape[1])
            stage = _first_stage(columns, two_stage)
    except (ValueError, np.linalg.LinAlgError) as error:
        raise DataError(
            f"the equation for '{y.name}' cannot be estimated ({str(error).split('.')[0]}); give"
            " more rows, or fewer columns"
        ) from None
    order = [*x.columns, *w.columns]
    test = _anderson_rubin(columns, covariance, bandwidth)
    return Instrumented(
        coefficients=pd.DataFrame(
            {name: units.coefficients(fit.params) for name, fit in fits.items()}
        ).loc[order],
        errors=pd.DataFrame({name: units.errors(fit.cov) for name, fit in fits.items()}).loc[order],
        r2=pd.Series({name: float(fit.rsquared) for name, fit in fits.items()}),
        kappa=float(fits["liml"].kappa) if "liml" in fits else np.nan,
        first_stage=stage,
        tests=tests,
        anderson_rubin=None if test is None else units.test(test, str(x.columns[0])),
    )


def _anderson_rubin(columns: Columns, covariance: str, bandwidth: int) -> AndersonRubin | None:
    if columns.endogenous.shape[1] > 1:
        return None
    return anderson_rubin(
        columns.outcome.to_numpy(),
        columns.endogenous.to_numpy()[:, 0],
        columns.exogenous.to_numpy(),
        columns.instruments.to_numpy(),
        covariance=covariance,
        bandwidth=bandwidth,
    )


def _tests(two_stage: Any, fits: dict[str, Any], *, over: bool) -> pd.DataFrame:
    """Overidentification, where there are more instruments than needed, and exogeneity."""
    rows = {}
    if over:
        rows["sargan"] = two_stage.sargan
        rows["wooldridge_overidentification"] = two_stage.wooldridge_overid
        if "gmm" in fits:
            rows["hansen_j"] = fits["gmm"].j_stat
    rows["wu_hausman"] = two_stage.wu_hausman()
    rows["wooldridge_exogeneity"] = two_stage.wooldridge_regression
    found = {name: {"statistic": float(t.stat), "p": float(t.pval)} for name, t in rows.items()}
    return pd.DataFrame.from_dict(found, orient="index")


def _first_stage(columns: Columns, two_stage: Any) -> pd.DataFrame:
    theirs = two_stage.first_stage.diagnostics
    q, _ = np.linalg.qr(columns.exogenous.to_numpy())
    z = columns.instruments.to_numpy()
    z = z - q @ (q.T @ z)
    k, rows = z.shape[1], len(z)
    free = rows - q.shape[1] - k
    single = columns.endogenous.shape[1] == 1
    found = {}
    for name in columns.endogenous:
        x = columns.endogenous[name].to_numpy()
        stage = first_stage(x - q @ (q.T @ x), z)
        r2, stat = float(theirs.loc[name, "partial.rsquared"]), float(theirs.loc[name, "f.stat"])
        per = 1 if "F(" in str(theirs.loc[name, "f.dist"]) else k
        found[name] = {
            "partial_r2": r2,
            "shea_r2": float(theirs.loc[name, "shea.rsquared"]),
            "f": r2 / k / ((1 - r2) / free),
            "f_robust": stat / per,
            "f_effective": stage.f_effective if single else np.nan,
            "f_critical": stage.f_critical if single else np.nan,
        }
    return pd.DataFrame.from_dict(found, orient="index")
