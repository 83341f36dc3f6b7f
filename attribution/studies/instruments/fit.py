"""Columns of an equation in; coefficients by method, and what instruments are worth, out."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from attribution.core.instruments.first_stage import first_stage
from attribution.errors import DataError
from attribution.studies.instruments.rows import (
    Columns,
    refuse_collinear,
    refuse_few_groups,
    refuse_no_number,
    standardised,
)
from attribution.studies.instruments.sets import AndersonRubin, anderson_rubin


@dataclass(frozen=True)
class Instrumented:
    """What an equation's methods find.

    Attributes
    ----------
    coefficients, errors : (column, method), least squares first.
    freedom : by method, of the t law that an estimate over its error follows; infinite where it is
        the normal law of large samples.
    r2, kappa : by method; kappa is that of LIML, NaN elsewhere.
    first_stage : (endogenous, statistic): ``partial_r2``, ``shea_r2``, ``f`` (of the instruments,
        equal variances), ``f_robust`` (Wald by the covariance asked for, over their number),
        ``f_effective`` and ``f_critical`` (Montiel Olea and Pflueger; one endogenous column).
    tests : (test, statistic, p): overidentification and exogeneity.
    anderson_rubin : of the endogenous column, where there is one.
    """

    coefficients: pd.DataFrame
    errors: pd.DataFrame
    freedom: pd.Series
    r2: pd.Series
    kappa: float
    first_stage: pd.DataFrame
    tests: pd.DataFrame
    anderson_rubin: AndersonRubin | None


def instrumental(
    columns: Columns,
    *,
    methods: Sequence[str],
    covariance: str,
    bandwidth: int,
    small_sample: bool = False,
) -> Instrumented:
    r"""Estimate an equation by least squares and with instruments.

    .. math:: y = X \beta + W \gamma + e, \qquad E[Z' e] = 0

    Least squares divides by n - k and follows Student's t with as much freedom, as regressions are
    printed everywhere.  With instruments variances are divided by n and estimates follow the normal
    law, as ``ivregress`` and linearmodels print them by default, unless ``small_sample`` asks for
    n - k and t there too.  Rows in groups have (n - 1) / (n - k) G / (G - 1) and t with G - 1
    degrees of freedom by every method.

    Parameters
    ----------
    columns : with its ``grouping`` where ``covariance`` is ``clustered`` or ``driscoll_kraay``.
    methods : of ``2sls``, ``liml``, ``gmm`` (two steps; with one grouping and no kernel of days).
    covariance : ``unadjusted``, ``robust``, ``kernel`` (Bartlett weights up to ``bandwidth``), or
        of rows in groups.

    Raises
    ------
    DataError
        If rows or groups are too few, columns collinear, or an error is no number.

    References
    ----------
    staiger1997, montielolea2013, newey1987, hausman1978, sargan1958, hansen1982, cameron2011,
    driscoll1998
    """
    columns, units = standardised(columns)
    refuse_collinear(columns)
    refuse_few_groups(columns)
    if bandwidth >= len(columns.outcome):
        raise DataError(
            f"bandwidth = {bandwidth} reaches beyond the {len(columns.outcome)} complete rows of"
            f" '{columns.outcome.name}'; shorten it"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of kernels and small samples; said in findings
            fits, two_stage = _fits(columns, methods, covariance, bandwidth, small_sample)
            spread = _covariances(columns, fits)
            errors = pd.DataFrame({name: units.errors(cov) for name, cov in spread.items()})
            refuse_no_number(errors, str(columns.outcome.name), covariance)
            tests = _tests(columns, two_stage, fits)
            stage = _first_stage(columns, two_stage)
            sets = _anderson_rubin(columns, covariance, bandwidth)
    except (ValueError, np.linalg.LinAlgError) as error:
        raise DataError(
            f"the equation for '{columns.outcome.name}' cannot be estimated"
            f" ({str(error).split('.')[0]}); give more rows, or fewer columns"
        ) from None
    order = [*columns.endogenous.columns, *columns.exogenous.columns]
    groups, rows = columns.grouping, len(columns.outcome)
    large = np.inf if groups is None and not small_sample else rows - len(order)
    freedom = {name: large if name != "ols" else rows - len(order) for name in fits}
    if groups is not None:
        freedom = dict.fromkeys(fits, groups.groups - 1)
    return Instrumented(
        coefficients=pd.DataFrame(
            {name: units.coefficients(fit.params) for name, fit in fits.items()}
        ).loc[order],
        errors=errors.loc[order],
        freedom=pd.Series(freedom, dtype=float),
        r2=pd.Series({name: float(fit.rsquared) for name, fit in fits.items()}),
        kappa=float(fits["liml"].kappa) if "liml" in fits else np.nan,
        first_stage=stage,
        tests=tests,
        anderson_rubin=None if sets is None else units.test(sets, order[0]),
    )


def _fits(
    columns: Columns, methods: Sequence[str], covariance: str, bandwidth: int, small_sample: bool
) -> tuple[dict[str, Any], Any]:
    """Fit by every method, least squares first; and two stages, asked for or not."""
    from linearmodels.iv import IV2SLS, IVGMM, IVLIML

    y, x, w, z = columns.outcome, columns.endogenous, columns.exogenous, columns.instruments
    given: dict[str, Any] = {"cov_type": covariance}
    weighted: dict[str, Any] = {"weight_type": covariance}
    if covariance == "kernel":
        kernel: dict[str, Any] = {"kernel": "bartlett", "bandwidth": bandwidth}
        given, weighted = given | kernel, weighted | kernel
    if columns.grouping is not None:  # its errors are made below, but for those of gmm
        given, small_sample = {"cov_type": "unadjusted"}, True
        labels = columns.grouping.labels[0]
        weighted = {"weight_type": "clustered", "clusters": labels}
    clustered = {"cov_type": "clustered", "clusters": weighted.get("clusters")}
    instrumented = given | {"debiased": small_sample}
    makers = {
        "2sls": lambda: IV2SLS(y, w, x, z).fit(**instrumented),
        "liml": lambda: IVLIML(y, w, x, z).fit(**instrumented),
        "gmm": lambda: IVGMM(y, w, x, z, **weighted).fit(
            **(instrumented if columns.grouping is None else instrumented | clustered)
        ),
    }
    fits = {"ols": IV2SLS(y, pd.concat([w, x], axis=1), None, None).fit(**given, debiased=True)}
    fits |= {name: makers[name]() for name in methods}
    return fits, fits["2sls"] if "2sls" in fits else makers["2sls"]()


def _covariances(columns: Columns, fits: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """Return the covariance of coefficients by method."""
    found = {name: fit.cov for name, fit in fits.items()}
    if columns.grouping is not None:
        table = pd.concat([columns.endogenous, columns.exogenous], axis=1)
        x, y = table.to_numpy(), columns.outcome.to_numpy()
        q, _ = np.linalg.qr(np.column_stack([columns.exogenous, columns.instruments]))
        for name in set(fits) - {"gmm"}:
            kappa = {"ols": 0.0, "2sls": 1.0}.get(name) if name != "liml" else fits[name].kappa
            moved = x - kappa * (x - q @ (q.T @ x))
            left = y - x @ fits[name].params[table.columns].to_numpy()
            cov = columns.grouping.sandwich(x, moved, left)
            found[name] = pd.DataFrame(cov, table.columns, table.columns)
    return found


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
        grouping=columns.grouping,
    )


def _tests(columns: Columns, two_stage: Any, fits: dict[str, Any]) -> pd.DataFrame:
    """Overidentification, where there are more instruments than needed, and exogeneity."""
    rows: dict[str, tuple[float, float]] = {}
    x, z, groups = columns.endogenous, columns.instruments, columns.grouping
    if z.shape[1] > x.shape[1]:
        rows["sargan"] = _of(two_stage.sargan)
        rows["wooldridge_overidentification"] = (
            _of(two_stage.wooldridge_overid) if groups is None else _over(columns, two_stage)
        )
        if "gmm" in fits:
            rows["hansen_j"] = _of(fits["gmm"].j_stat)
    rows["wu_hausman"] = _of(two_stage.wu_hausman())
    rows["wooldridge_exogeneity"] = (
        _of(two_stage.wooldridge_regression) if groups is None else _exogenous(columns)
    )
    return pd.DataFrame.from_dict(rows, orient="index", columns=["statistic", "p"])


def _of(test: Any) -> tuple[float, float]:
    return float(test.stat), float(test.pval)


def _over(columns: Columns, two_stage: Any) -> tuple[float, float]:
    """Wooldridge's test of more instruments than needed, scores summed over groups."""
    assert columns.grouping is not None
    w, x, z = (c.to_numpy() for c in (columns.exogenous, columns.endogenous, columns.instruments))
    q, _ = np.linalg.qr(np.column_stack([w, z]))
    base, _ = np.linalg.qr(np.column_stack([w, q @ (q.T @ x)]))
    extra = z[:, : z.shape[1] - x.shape[1]]
    scores = (extra - base @ (base.T @ extra)) * two_stage.resids.to_numpy()[:, None]
    return columns.grouping.law(scores.sum(axis=0), columns.grouping.summed(scores))


def _exogenous(columns: Columns) -> tuple[float, float]:
    """Whether what instruments leave of the endogenous columns adds to least squares."""
    assert columns.grouping is not None
    w, x, z = (c.to_numpy() for c in (columns.exogenous, columns.endogenous, columns.instruments))
    q, _ = np.linalg.qr(np.column_stack([w, z]))
    table = np.column_stack([w, x, x - q @ (q.T @ x)])
    return columns.grouping.zero(columns.outcome.to_numpy(), table, x.shape[1])


def _first_stage(columns: Columns, two_stage: Any) -> pd.DataFrame:
    theirs = two_stage.first_stage.diagnostics
    q, _ = np.linalg.qr(columns.exogenous.to_numpy())
    z = columns.instruments.to_numpy()
    z = z - q @ (q.T @ z)
    k, rows = z.shape[1], len(z)
    free = rows - q.shape[1] - k
    single = columns.endogenous.shape[1] == 1
    groups = columns.grouping
    found = {}
    for name in columns.endogenous:
        x = columns.endogenous[name].to_numpy()
        own = x - q @ (q.T @ x)
        stage = first_stage(own, z) if groups is None else first_stage(own, z, groups.summed)
        r2, stat = float(theirs.loc[name, "partial.rsquared"]), float(theirs.loc[name, "f.stat"])
        per = 1 if "F(" in str(theirs.loc[name, "f.dist"]) else k
        if groups is not None:
            table = np.column_stack([columns.exogenous, columns.instruments])
            stat, per = groups.zero(x, table, k)[0], k
        found[name] = {
            "partial_r2": r2,
            "shea_r2": float(theirs.loc[name, "shea.rsquared"]),
            "f": r2 / k / ((1 - r2) / free),
            "f_robust": stat / per,
            "f_effective": stage.f_effective if single else np.nan,
            "f_critical": stage.f_critical if single else np.nan,
        }
    return pd.DataFrame.from_dict(found, orient="index")
