"""One function, every rotation-invariant law: dispatch, refusals, units, order, the event."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from made_up import system
from numpy.testing import assert_allclose

from attribution.core import niw
from attribution.errors import DataError, SpecError
from attribution.model.scheme import Errors
from attribution.model.spec import Event, Minnesota, Sample, System, Window
from attribution.sampling.diagnostics import split_rhat
from attribution.var.estimate.conjugate import CHAINS, ConjugateForm, conjugate_prior
from attribution.var.estimate.hierarchical import HierarchicalForm
from attribution.var.estimate.reduced_form import ScaledForm, reduced_form

NAMES = ("a", "b", "c")
TIME = pd.bdate_range("2020-01-01", periods=200)
MIX = np.array([[1.0, 0, 0], [0.6, 0.8, 0], [-0.5, 0.3, 1.0]])
HELD = TIME[180].date(), TIME[183].date()
EVENT = Event("fall", "a", (Window("fall", *HELD),), HELD)
TIGHT = Minnesota(own_lag=0.9, sum_of_coefficients=1.0, single_unit_root=1.0)
CASES = {
    "flat": (Minnesota(flat=True), Errors()),
    "minnesota": (Minnesota(), Errors()),
    "dummies": (TIGHT, Errors()),
    "hierarchical": (replace(TIGHT, hierarchical=True), Errors()),
    "hierarchical outliers": (
        replace(TIGHT, hierarchical=True),
        Errors(outliers=(TIME[50].date(),)),
    ),
    "outliers": (Minnesota(), Errors(outliers=(TIME[50].date(), TIME[90].date()))),
    "student_t": (Minnesota(), Errors("student_t")),
    "given dof": (Minnesota(flat=True), Errors("student_t", dof=6.0)),
    "common_volatility": (TIGHT, Errors("common_volatility")),
    "volatile outliers": (
        Minnesota(),
        Errors("common_volatility", outliers=(TIME[50].date(),)),
    ),
}


@pytest.fixture(scope="module")
def values():
    rng = np.random.default_rng(12)
    path = np.zeros((len(TIME), 3))
    for t in range(1, len(TIME)):
        path[t] = [0.1, 0.0, 0.05] + 0.8 * path[t - 1] + MIX @ rng.standard_normal(3)
    path[181] += 15.0
    return pd.DataFrame(path, TIME, list(NAMES))


def question(case="minnesota", **changes):
    prior, errors = CASES[case]
    return system(NAMES, TIME, lags=2, **{"prior": prior, "errors": errors} | changes)


@pytest.mark.parametrize("case", CASES)
def test_every_law_hands_out_batches_of_one_shape(values, case):
    spec = question(case)
    form = reduced_form(spec, values, seed=1)
    batch = form.batch(30)
    assert form.variables == NAMES
    assert form.chains == CHAINS
    assert form.constant
    assert list(form.time) == list(TIME[2:])
    assert batch.factor.shape == (CHAINS, 30, 3, 3)
    assert (np.triu(batch.factor, 1) == 0).all()
    assert (np.diagonal(batch.factor, axis1=2, axis2=3) > 0).all()
    chosen = np.array([0, 31, 119])
    assert batch.coefficients(chosen, np.random.default_rng(0)).shape == (3, 7, 3)
    assert batch.weight.shape == (CHAINS, 30)
    if batch.scale is not None:
        assert batch.scale.shape == (CHAINS, 30, 198)
        assert (batch.scale > 0).all()
    for drawn in batch.hyper.values():
        assert drawn.shape[:2] == (CHAINS, 30)
        assert np.isfinite(drawn).all()


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        ("flat", ConjugateForm),
        ("dummies", ConjugateForm),
        ("hierarchical", HierarchicalForm),
        ("hierarchical outliers", HierarchicalForm),
        ("outliers", ScaledForm),
        ("student_t", ScaledForm),
    ],
)
def test_independent_draws_are_made_wherever_a_closed_form_exists(values, case, kind):
    assert isinstance(reduced_form(question(case), values, seed=1), kind)


@pytest.mark.parametrize("case", CASES)
def test_one_seed_makes_one_posterior_and_batches_go_on(values, case):
    spec = question(case)
    one, two, other = (reduced_form(spec, values, seed=seed) for seed in (3, 3, 4))
    first = one.batch(5)
    assert_allclose(two.batch(5).factor, first.factor, rtol=0)
    assert not np.allclose(other.batch(5).factor, first.factor)
    again = one.batch(5)
    assert not np.allclose(again.factor, first.factor)
    assert_allclose(two.batch(5).factor, again.factor, rtol=0)


@pytest.mark.parametrize("case", ["minnesota", "hierarchical", "student_t", "common_volatility"])
def test_coefficients_belong_to_their_factors(values, case):
    """Residuals over scales, put in units of P, have unit variance whatever was drawn."""
    form = reduced_form(question(case), values, seed=2)
    batch = form.batch(200)
    y, x = niw.design(values.to_numpy(), lags=2)
    chosen = np.arange(0, 800, 40)
    b = batch.coefficients(chosen, np.random.default_rng(0))
    scale = np.ones((800, len(y))) if batch.scale is None else batch.scale.reshape(800, -1)
    factor = batch.factor.reshape(-1, 3, 3)[chosen]
    errors = (y - x @ b)[:, :180] / scale[chosen, :180, None]
    units = np.linalg.solve(factor, errors.swapaxes(1, 2))
    assert np.abs(units.mean(2)).max() < 0.4
    assert_allclose((units**2).mean((0, 2)), 1.0, atol=0.35)


def test_the_students_scales_have_unit_mean_square():
    """So that a shock of one is a shock of one standard deviation."""
    rng = np.random.default_rng(5)
    wild = np.sqrt(5.0 / rng.chisquare(5, (600, 1))) * rng.standard_normal((600, 3)) @ MIX.T
    frame = pd.DataFrame(wild, pd.bdate_range("2019-01-01", periods=600), list(NAMES))
    sample = Sample("none", frame.index[0].date(), frame.index[-1].date())
    spec = question("student_t", sample=sample, errors=Errors("student_t", dof=5.0))
    batch = reduced_form(spec, frame, seed=1).batch(300)
    covariance = (batch.factor @ batch.factor.swapaxes(2, 3)).mean((0, 1))
    assert_allclose(covariance, MIX @ MIX.T * 5 / 3, rtol=0.15, atol=0.12)
    assert abs((batch.scale**2).mean() - 1.0) < 0.1


@pytest.mark.parametrize("case", ["flat", "dummies", "outliers", "student_t", "common_volatility"])
def test_units_of_a_series_scale_its_rows_and_nothing_else(values, case):
    """Exact, draw by draw."""
    spec = question(case)
    other = values.assign(b=1000.0 * values["b"])
    one, two = (reduced_form(spec, frame, seed=6).batch(4) for frame in (values, other))
    stretch = np.array([1.0, 1000.0, 1.0])
    assert_allclose(two.factor / stretch[:, None], one.factor, rtol=1e-5, atol=1e-8)
    chosen = np.arange(3)
    b, c = (batch.coefficients(chosen, np.random.default_rng(1)) for batch in (one, two))
    turned = c / stretch * np.concatenate([[1.0], stretch, stretch])[:, None]
    assert_allclose(turned, b, rtol=1e-5, atol=1e-7)


def test_larger_units_hardly_touch_a_hierarchical_prior(values):
    """The published law of residual scales is flat in logs but for scales near 0.02."""
    modes = [
        reduced_form(question("hierarchical"), frame, seed=1).notes["hyperparameter_mode"]
        for frame in (values, values.assign(b=1000.0 * values["b"]))
    ]
    assert_allclose(modes[0]["tightness"], modes[1]["tightness"], rtol=1e-3)
    scales = np.array(modes[1]["residual_scale"]) / modes[0]["residual_scale"]
    assert_allclose(scales, [1.0, 1000.0, 1.0], rtol=1e-3)


@pytest.mark.parametrize("case", ["dummies", "hierarchical"])
def test_the_order_of_variables_does_not_matter(values, case):
    order = ("c", "a", "b")
    spec = question(case)
    other = replace(spec, system=System(order, 2))
    forms = [reduced_form(s, values, seed=1) for s in (spec, other)]
    if case == "dummies":
        places = [NAMES.index(name) for name in order]
        one, two = (form.posterior for form in forms)
        assert_allclose(two.scale, one.scale[np.ix_(places, places)], rtol=1e-9)
        evidence = [form.notes["log_evidence"] for form in forms]
    else:
        evidence = [form.notes["log_posterior_at_mode"] for form in forms]
    assert_allclose(evidence[0], evidence[1], rtol=1e-8)


@pytest.mark.parametrize("case", ["student_t", "common_volatility"])
def test_the_order_of_variables_does_not_matter_to_chains_on_average(values, case):
    spec = question(case)
    other = replace(spec, system=System(("c", "a", "b"), 2))
    found = []
    for s, places in ((spec, [0, 1, 2]), (other, [1, 2, 0])):
        factor = reduced_form(s, values, seed=1).batch(400).factor
        sigma = (factor @ factor.swapaxes(2, 3))[..., places, :][..., places]
        found.append(np.log(np.diagonal(sigma, axis1=2, axis2=3)))
    gap = found[0].mean((0, 1)) - found[1].mean((0, 1))
    assert np.abs(gap).max() < 0.25 * found[0].std((0, 1)).max()


@pytest.mark.parametrize("case", ["outliers", "student_t", "common_volatility"])
def test_chains_agree_after_their_burn_in(values, case):
    batch = reduced_form(question(case), values, seed=8).batch(400)
    logs = np.log(np.diagonal(batch.factor, axis1=2, axis2=3))
    scales = np.log(batch.scale[..., [48, 88]])  # those of the listed days
    assert split_rhat(np.concatenate([logs, scales], axis=2)).max() < 1.1


def test_the_event_is_out_in_or_scaled(values):
    spec = question(event=EVENT)
    out, inside, scaled = (
        reduced_form(spec, values, seed=1, event_in=where) for where in ("out", "in", "scale")
    )
    assert out.time[-1] == TIME[179]
    assert inside.time[-1] == scaled.time[-1] == TIME[-1]  # the sample's end, beyond the event
    drawn = scaled.batch(300)
    assert drawn.hyper["outlier_scale"].shape == (CHAINS, 300, 4)
    held = scaled.time.get_indexer(TIME[180:184])
    assert (np.delete(drawn.scale, held, axis=-1) == 1.0).all()
    assert np.median(drawn.scale[..., held[1]]) > 3.0  # the day of the fall
    size = [np.log(np.linalg.det(f.batch(300).factor)).mean() for f in (out, inside, scaled)]
    assert abs(size[2] - size[0]) < 0.2 * (size[1] - size[0])


def test_a_hierarchical_prior_can_scale_the_event_too(values):
    spec = question("hierarchical", event=EVENT)
    form = reduced_form(spec, values, seed=1, event_in="scale")
    batch = form.batch(1000)
    share = batch.weight / batch.weight.sum()
    fall = form.time.get_loc(TIME[181])
    assert (share * batch.scale[..., fall]).sum() > 3.0
    assert form.notes["importance_effective_share"] > 0.1


def test_the_hierarchical_form_says_what_it_found(values):
    form = reduced_form(question("hierarchical"), values, seed=1)
    mode = form.notes["hyperparameter_mode"]
    assert set(mode) == {
        "tightness",
        "sum_of_coefficients",
        "single_unit_root",
        "residual_scale",
    }
    assert form.notes["importance_effective_share"] > 0.4
    batch = form.batch(50)
    assert set(batch.hyper) == set(mode)
    assert batch.hyper["residual_scale"].shape == (CHAINS, 50, 3)
    assert np.isfinite(form.notes["log_posterior_at_mode"])


def test_a_tightness_not_asked_for_is_left_out(values):
    spec = question(prior=Minnesota(hierarchical=True, single_unit_root=1.0))
    batch = reduced_form(spec, values, seed=1).batch(10)
    assert set(batch.hyper) == {"tightness", "single_unit_root", "residual_scale"}


def test_the_evidence_prefers_the_prior_that_is_true(values):
    loose = reduced_form(question(prior=Minnesota(own_lag=0.8)), values, seed=1)
    wrong = reduced_form(question(prior=Minnesota(own_lag=-0.8)), values, seed=1)
    assert loose.notes["log_evidence"] > wrong.notes["log_evidence"] + 3
    assert "log_evidence" not in reduced_form(question("flat"), values, seed=1).notes


def test_given_residual_scales_take_the_place_of_estimated_ones(values):
    series, spread = values.to_numpy(), np.array([2.0, 3.0, 4.0])
    assert_allclose(conjugate_prior(question(), series, spread=spread).scale, np.diag(spread**2))
    own = niw.autoregressive_spread(series)
    assert_allclose(conjugate_prior(question(), series).scale, np.diag(own**2))


@pytest.mark.parametrize(
    ("changes", "where", "said"),
    [
        ({}, "about", r"event-in is 'about'; use out, in or scale \(nearest: 'out'\)"),
        ({}, "scale", "event-in is scale, but there is no"),
        ({"errors": Errors("independent_t")}, "out", "law 'independent_t' has no reduced form"),
        (
            {"prior": Minnesota(hierarchical=True), "errors": Errors("student_t")},
            "out",
            "a hierarchical prior goes with law gaussian, found 'student_t'",
        ),
        ({"prior": Minnesota(hierarchical=True, flat=True)}, "out", "both flat and hierarchical"),
        ({"errors": Errors("student_t", dof=2.0)}, "out", "dof is 2"),
    ],
)
def test_settings_that_cannot_be_met_are_refused(values, changes, where, said):
    with pytest.raises(SpecError, match=said):
        reduced_form(question(**changes), values, seed=1, event_in=where)


def test_an_outlier_that_is_no_estimation_day_is_refused(values):
    spec = question(errors=Errors(outliers=(date(2020, 2, 1),)))
    with pytest.raises(
        DataError, match=r"2020-02-01 is not an estimation day .*nearest: 2020-01-31"
    ):
        reduced_form(spec, values, seed=1)
