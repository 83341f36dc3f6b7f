"""What the prior says happens: draws follow it, and posteriors averaged over data give it back."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from calibration.prior_tables import prior_draw
from numpy.testing import assert_allclose
from scipy import stats

from attribution.core import niw
from attribution.errors import SpecError
from attribution.model.scheme import Errors
from attribution.model.spec import Event, Minnesota, ModelSpec, Sample, System
from attribution.var.estimate.reduced_form import reduced_form

NAMES = ("a", "b")
TIME = pd.bdate_range("2020-01-01", periods=31)
START = np.array([[0.5, -1.0]])
SPREAD = np.array([1.0, 0.5])
TIGHT = Minnesota(tightness=0.05, own_lag=0.3, intercept_scale=0.5)
DUMMIES = replace(TIGHT, sum_of_coefficients=1.0, single_unit_root=1.0)
LISTED = TIME[4].date(), TIME[8].date()
CASES = {
    "gaussian": (TIGHT, Errors()),
    "dummies": (DUMMIES, Errors()),
    "hierarchical": (replace(DUMMIES, hierarchical=True), Errors()),
    "hierarchical outliers": (replace(DUMMIES, hierarchical=True), Errors(outliers=LISTED)),
    "outliers": (TIGHT, Errors(outliers=LISTED)),
    "student_t": (TIGHT, Errors("student_t")),
    "common_volatility": (DUMMIES, Errors("common_volatility", outliers=LISTED)),
}


def question(case):
    prior, errors = CASES[case]
    return ModelSpec(
        name="toy",
        kind="svar",
        title="",
        references=(),
        sample=Sample("none", TIME[0].date(), TIME[-1].date()),
        event=Event("none", "a", ()),
        system=System(NAMES, 1),
        prior=prior,
        errors=errors,
    )


def days_of(case):
    """A tightness of one or two makes explosive worlds: few days, lest numbers overflow."""
    return TIME[:12] if "hierarchical" in case else TIME


def drawn(case, rng):
    return prior_draw(question(case), START, days_of(case), spread=SPREAD, rng=rng)


@pytest.mark.parametrize("case", CASES)
def test_a_draw_is_a_sample_with_its_parameters(case):
    found = drawn(case, np.random.default_rng(1))
    assert list(found.values.index) == list(days_of(case))
    assert_allclose(found.values.to_numpy()[:1], START)
    y, x = niw.design(found.values.to_numpy(), lags=1)
    assert np.isfinite(y).all()
    assert found.scale.shape == (len(days_of(case)) - 1,)
    shocks = np.linalg.solve(found.factor, ((y - x @ found.coefficients) / found.scale[:, None]).T)
    assert 0.2 < (shocks**2).mean() < 4.0
    assert (np.triu(found.factor, 1) == 0).all()


def test_listed_days_have_the_scales_that_are_told():
    found = drawn("outliers", np.random.default_rng(2))
    assert_allclose(found.scale[[3, 7]], found.hyper["outlier_scale"])
    assert (np.delete(found.scale, [3, 7]) == 1.0).all()


def test_hyperparameters_follow_their_laws():
    rng = np.random.default_rng(3)
    hyper = [drawn("hierarchical", rng).hyper for _ in range(600)]
    tightness = np.array([h["tightness"] for h in hyper])
    law = stats.gamma(1.640388, scale=0.312311)
    assert stats.kstest(tightness, law.cdf).pvalue > 1e-3
    logs = np.log(np.array([h["residual_scale"] for h in hyper]) / SPREAD)
    assert np.abs(logs).max() <= 0.5 * np.log(100.0)
    uniform = stats.uniform(-0.5 * np.log(100.0), np.log(100.0))  # flat in logs, nearly
    assert stats.kstest(logs[:, 0], uniform.cdf).pvalue > 1e-3


def test_a_flat_prior_makes_no_data():
    spec = replace(question("gaussian"), prior=Minnesota(flat=True))
    with pytest.raises(SpecError, match="no data come from a flat prior"):
        prior_draw(spec, START, TIME, spread=SPREAD, rng=np.random.default_rng(1))


def rank(truth, draws, weight):
    """Share of the posterior below the truth; uniform over worlds if all is right."""
    return float(((draws < truth) * weight).sum() / weight.sum())


def one_world(case, rng):
    truth = drawn(case, rng)
    form = reduced_form(question(case), truth.values, seed=int(rng.integers(2**31)), spread=SPREAD)
    batch = form.batch(100)
    flat = np.arange(batch.weight.size)
    slopes = batch.coefficients(flat, rng)
    weight = batch.weight.ravel()
    factor = batch.factor.reshape(-1, 2, 2)
    pairs = {
        "log det": (np.log(np.linalg.det(truth.factor)), np.log(np.linalg.det(factor))),
        "correlation": (
            truth.factor[1, 0] / truth.factor[1, 1],
            factor[:, 1, 0] / factor[:, 1, 1],
        ),
        "own lag": (truth.coefficients[1, 0], slopes[:, 1, 0]),
        "constant": (truth.coefficients[0, 1], slopes[:, 0, 1]),
    }
    if batch.scale is not None:
        scale = batch.scale.reshape(len(flat), -1)
        for day in (7, 9):
            if np.ptp(scale[:, day]) > 0:
                pairs[f"scale of day {day}"] = (truth.scale[day], scale[:, day])
    for name, values in batch.hyper.items():
        at = np.atleast_1d(truth.hyper[name])[0]
        pairs[name] = (at, values.reshape(len(flat), -1)[:, 0])
    return {name: rank(*pair, weight) for name, pair in pairs.items()}


def check_uniform(case, worlds, seed):
    rng = np.random.default_rng(seed)
    ranks = pd.DataFrame([one_world(case, rng) for _ in range(worlds)])
    for name in ranks:
        found = stats.kstest(ranks[name], "uniform")
        assert found.pvalue > 1e-3 / len(ranks.columns), (name, found.pvalue)


@pytest.mark.parametrize("case", ["gaussian", "dummies", "hierarchical", "outliers"])
def test_ranks_of_the_truth_are_uniform(case):
    check_uniform(case, 150, seed=4)


@pytest.mark.slow
@pytest.mark.stored
@pytest.mark.parametrize("case", CASES)
def test_ranks_of_the_truth_are_uniform_over_many_worlds(case):
    check_uniform(case, 600, seed=5)
