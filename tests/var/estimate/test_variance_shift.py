"""Variances that shift on a known day: published numbers, bands, and the test of proportion."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from oracles.variance_shift_bootstrap import bootstrap_variance_shift
from scipy import stats

from attribution.core import niw
from attribution.core.laws import variance_shift
from attribution.core.rotations.naming import match, reordered
from attribution.errors import DataError, SpecError
from attribution.model.scheme import Scheme
from attribution.model.spec import Event, ModelSpec, Sample, System
from attribution.var.estimate.variance_shift import (
    distinct_variances,
    fit_variance_shift,
    proportional,
    proportional_pairs,
    standardised,
)

FOLDER = Path(__file__).resolve().parents[2] / "reference" / "svars_usa"
SHIFT = (date(1979, 7, 1),)
NAMES = ("x", "pi", "i")
VIGNETTE = {"demand": -3, "supply": -2, "monetary": 1}  # columns 3, 2 and 1 of the estimate


def question(variables=NAMES, lags=6, *, constant=True, breaks=SHIFT):
    return ModelSpec(
        name="usa",
        kind="svar",
        title="",
        references=(),
        sample=Sample("usa", date(1965, 1, 1), date(2008, 7, 1)),
        event=Event("none", "x", ()),
        system=System(variables, lags, constant),
        scheme=Scheme("heteroskedasticity", breaks=breaks),
    )


@pytest.fixture(scope="module")
def values():
    frame = pd.read_csv(FOLDER / "usa.csv")
    time = pd.PeriodIndex(frame.pop("quarter"), freq="Q").to_timestamp()
    return frame.set_index(time)


@pytest.fixture(scope="module")
def expected():
    return pd.read_csv(FOLDER / "expected.csv").set_index("id")


@pytest.fixture(scope="module")
def fit(values):
    return fit_variance_shift(question(), values)


def close(expected, key, found):
    row = expected.loc[key]
    assert abs(found - row["value"]) <= row["tolerance"], key


def published_order(fit, expected):
    """Columns in the order and signs of the printed matrix."""
    printed = np.array(
        [[expected.loc[f"B.{name}.c{c}", "value"] for c in (1, 2, 3)] for name in NAMES]
    )
    order, _ = match(np.linalg.solve(fit.impact, printed).transpose()[None])
    return order


def test_the_estimate_is_the_published_one(fit, expected):
    close(expected, "loglik.unrestricted", fit.log_likelihood)
    for rank, value in enumerate(np.sort(fit.variance[1]), 1):
        close(expected, f"lambda.sorted.{rank}", value)
    order = published_order(fit, expected)
    impact = reordered(fit.impact[None], order)[0]
    error = fit.variance_error[1][np.abs(order[0]) - 1]
    for c in range(3):
        for i, name in enumerate(NAMES):
            close(expected, f"B.{name}.c{c + 1}", impact[i, c])
        close(expected, f"lambda_se.c{c + 1}", error[c])


def test_a_triangular_impact_is_tested_as_published(fit, values, expected):
    low = fit_variance_shift(question(), values, free=np.tril(np.ones((3, 3), bool)))
    close(expected, "loglik.lower_triangular", low.log_likelihood)
    ratio = 2.0 * (fit.log_likelihood - low.log_likelihood)
    close(expected, "LR", ratio)
    close(expected, "LR.pvalue", stats.chi2.sf(ratio, 3))
    for i, j in zip(*np.tril_indices(3), strict=True):
        close(expected, f"restricted.B.{i + 1}{j + 1}", low.impact[i, j])
    for j in range(3):
        close(expected, f"restricted.lambda.{j + 1}", low.variance[1, j])
    assert (low.impact_error[np.triu_indices(3, 1)] == 0).all()


def test_the_variants_of_the_package_are_met(values, expected):
    none = fit_variance_shift(question(constant=False), values)
    close(expected, "variant.none.loglik", none.log_likelihood)
    two = fit_variance_shift(question(("x", "pi"), 3), values)
    close(expected, "variant.2dim_p3.loglik", two.log_likelihood)


def test_a_trend_is_one_more_regressor(values, expected):
    response, regressors = niw.design(values.to_numpy(float), lags=6)
    trend = np.arange(len(response))[:, None]
    spell = (np.arange(len(response)) >= 52).astype(int)
    units = standardised(response[None], np.hstack([regressors, trend])[None], spell)
    found = variance_shift.maximise(units.moment, units.days, variables=3)
    value = variance_shift.log_likelihood(found.rows, found.variance, units.days)[0]
    value -= len(response) * np.log(units.spread).sum()
    close(expected, "variant.const_trend.loglik", value)
    close(expected, "variant.const_trend.trace_lambda", found.variance[0, 1].sum())


def responses(fit, impact, horizons):
    """Responses (horizon, variable, shock) by the companion recursion, written out."""
    lags, _ = niw.split(fit.coefficients, constant=True)
    theta = [impact]
    for h in range(1, horizons + 1):
        theta.append(sum(lags[p] @ theta[h - 1 - p] for p in range(min(h, 6))))
    return np.array(theta)


def test_variance_shares_and_the_history_of_the_gap_are_those_of_the_reference(
    fit, values, expected
):
    order = published_order(fit, expected)
    printed = reordered(fit.impact[None], order)[0]
    named = reordered(printed[None], np.array([list(VIGNETTE.values())]))[0]
    theta = responses(fit, named, 200)
    share = np.cumsum(theta**2, 0)
    share /= share.sum(2, keepdims=True)
    for key in expected.index[expected.index.str.startswith("fevd")]:
        _, name, horizon, shock = key.split(".")
        at = share[int(horizon[1:]) - 1, NAMES.index(name), list(VIGNETTE).index(shock)]
        close(expected, key, 100.0 * at)
    response, regressors = niw.design(values.to_numpy(float), lags=6)
    shocks = np.linalg.solve(named, (response - regressors @ fit.coefficients).T).T
    history = pd.read_csv(FOLDER / "expected_hd_x.csv")
    first = len(shocks) - len(history)
    for t, row in history.iterrows():
        now = t + first
        parts = (theta[: now + 1, 0] * shocks[now::-1]).sum(0)
        assert_allclose(parts, row[list(VIGNETTE)].astype(float), atol=5e-4)


def test_units_and_the_order_of_variables_change_nothing(fit, values):
    units = np.array([1000.0, 1.0, 1e-3])
    scaled = fit_variance_shift(question(), values * units)
    assert_allclose(scaled.impact, fit.impact * units[:, None], rtol=1e-5, atol=1e-9)
    assert_allclose(scaled.variance, fit.variance, rtol=1e-6)
    volume = len(fit.time) * np.log(units).sum()
    assert_allclose(scaled.log_likelihood, fit.log_likelihood - volume)
    turned = [2, 0, 1]
    other = fit_variance_shift(question(tuple(NAMES[i] for i in turned)), values)
    assert_allclose(other.impact, fit.impact[np.ix_(turned, turned)], rtol=1e-5, atol=1e-7)
    assert_allclose(other.log_likelihood, fit.log_likelihood)


def test_replicates_carry_the_labels_of_the_estimate(fit, values):
    """Unlabelled, the bands of the replicates are several times too wide."""
    rng = np.random.default_rng(0)
    found = bootstrap_variance_shift(fit, values.to_numpy(float), draws=200, rng=rng)
    assert found.impact.shape == (200, 3, 3)
    assert found.coefficients.shape == (200, 19, 3)
    assert found.variance[:, 0] == pytest.approx(1.0)
    inside = np.abs(found.impact.mean(0) - fit.impact) < 2.0 * found.impact.std(0)
    assert inside.all()
    mixed = np.sort(np.abs(found.variance[:, 1]), axis=1)
    assert not np.allclose(mixed, found.variance[:, 1])  # order statistics are no labels
    again = bootstrap_variance_shift(
        fit, values.to_numpy(float), draws=200, rng=np.random.default_rng(0)
    )
    assert (again.impact == found.impact).all()


def simulated(variance, *, days=150, seed=0):
    rng = np.random.default_rng(seed)
    impact = np.array([[1.0, 0.5, -0.3], [-0.4, 2.0, 0.6], [0.8, -0.9, 0.5]])
    spell = np.repeat(np.arange(len(variance)), days)
    shocks = rng.standard_normal((len(spell), 3)) * np.sqrt(np.asarray(variance)[spell])
    time = pd.bdate_range("2000-01-03", periods=len(spell))
    breaks = tuple(time[days * r].date() for r in range(1, len(variance)))
    frame = pd.DataFrame(shocks @ impact.T, time, list(NAMES))
    spec = question(lags=1, breaks=breaks)
    return spec, frame


@pytest.mark.parametrize("regimes", [2, 3])
def test_proportional_pairs_are_found_at_the_stated_rate(regimes):
    """The first two shocks' variances move together: 200 samples, p below 0.1 in a tenth."""
    variance = [[1.0, 1.0, 1.0], [3.0, 3.0, 0.3], [0.5, 0.5, 2.0]][:regimes]
    p = []
    for seed in range(200):
        spec, frame = simulated(variance, seed=seed)
        p.append(max(pair.p for pair in proportional_pairs(_dated(spec, frame))))
    count = int((np.array(p) < 0.1).sum())
    assert stats.binom.sf(count - 1, 200, 0.1) > 1e-3
    assert stats.binom.cdf(count, 200, 0.1) > 1e-3


def _dated(spec, frame):
    from dataclasses import replace

    first, last = frame.index[0].date(), frame.index[-1].date()
    return fit_variance_shift(replace(spec, sample=Sample("usa", first, last)), frame)


def test_variances_that_differ_are_told_apart_and_a_common_factor_is_not():
    apart = _dated(*simulated([[1.0, 1.0, 1.0], [0.2, 1.0, 5.0]]))
    assert max(pair.p for pair in proportional_pairs(apart)) < 1e-4
    assert distinct_variances(apart, ("a", "b", "c")).verdict == "holds"
    together = _dated(*simulated([[1.0, 1.0, 1.0], [3.0, 3.0, 3.0]]))
    assert proportional(together, (0, 1, 2)).dof == 5
    finding = distinct_variances(together, ("a", "b", "c"))
    assert finding.verdict == "fails"
    assert "the closest pair" in finding.evidence


def test_the_published_shift_tells_two_shocks_apart_barely(fit):
    """Variances 0.19 and 0.39 on 52 and 117 quarters: the pair that is hardest to tell apart."""
    pairs = {pair.shocks: pair.p for pair in proportional_pairs(fit)}
    assert max(pairs.values()) == pytest.approx(0.13, abs=0.12)
    assert sorted(pairs.values())[0] < 0.01


def test_breaks_that_cannot_be_used_are_refused(values):
    with pytest.raises(SpecError, match=r"scheme\.breaks is empty"):
        fit_variance_shift(question(breaks=()), values)
    with pytest.raises(DataError, match="the regime from 2008-04-01 has 2 days"):
        fit_variance_shift(question(breaks=(*SHIFT, date(2008, 4, 1))), values)
