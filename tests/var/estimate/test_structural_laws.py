"""A law per shock: recovery, names, units, order, and refusals."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from made_up import system
from numpy.testing import assert_allclose
from oracles.structural_prior_draw import StructuralModel

from attribution.core import niw
from attribution.core.laws import structural_form as form
from attribution.errors import DataError, IdentificationError, SpecError
from attribution.model.scheme import Errors, Scheme
from attribution.model.spec import Minnesota, System
from attribution.sampling import diagnostics
from attribution.var.estimate.independent_laws import law_of, prior_of, structural_draws
from attribution.var.estimate.variance_shift import non_gaussian
from attribution.var.identify.labels import name_by_likeness

NAMES = ("a", "b", "c")
IMPACT = np.array([[1.0, 0.5, -0.3], [-0.4, 2.0, 0.6], [0.8, -0.9, 0.5]])
UNITS = np.array([1.0, 50.0, 0.02])
TRUE = IMPACT * UNITS[:, None]
DAYS = 420
TIME = pd.bdate_range("2020-01-01", periods=DAYS)
SETTINGS = {
    "independent_t": (Errors("independent_t"), Scheme("non_gaussian")),
    "stochastic_volatility": (Errors("stochastic_volatility"), Scheme("heteroskedasticity")),
    "regimes": (
        Errors(),
        Scheme("heteroskedasticity", breaks=(TIME[140].date(), TIME[280].date())),
    ),
}
VARIANCE = np.array([[1.0, 1.0, 1.0], [0.25, 1.0, 4.0], [3.0, 0.3, 1.0]])


def question(law="independent_t", **changes):
    errors, scheme = SETTINGS[law]
    return system(NAMES, TIME, lags=1, **{"errors": errors, "scheme": scheme} | changes)


def shocks_of(law, rng):
    """Shocks (time, shock), and their size: what one-scale means for the law."""
    if law == "independent_t":
        drawn = rng.standard_t([3.5, 5.0, 4.0], (DAYS, 3))
        return drawn * np.sqrt([1.5 / 3.5, 0.6, 0.5]), np.ones(3)
    if law == "regimes":
        scale = np.sqrt(VARIANCE[np.arange(DAYS) // 140])
        return rng.standard_normal((DAYS, 3)) * scale, np.ones(3)
    states, noise = np.zeros((DAYS, 3)), rng.standard_normal((DAYS, 3))
    for t in range(1, DAYS):
        states[t] = [0.95, 0.97, 0.9] * states[t - 1] + [0.35, 0.25, 0.4] * noise[t]
    drawn = np.exp(0.5 * states) * rng.standard_normal((DAYS, 3))
    return drawn, np.sqrt(np.exp(states[1:]).mean(0))


def market(law, seed=0):
    rng = np.random.default_rng(seed)
    path, errors = np.zeros((DAYS, 3)), shocks_of(law, rng)[0] @ TRUE.T
    for t in range(1, DAYS):
        path[t] = [0.5, 0.3, 0.2] * path[t - 1] + errors[t]
    return pd.DataFrame(path, TIME, list(NAMES))


@pytest.fixture(scope="module", params=SETTINGS)
def fitted(request):
    """Draws of each law, named by likeness to the truth."""
    law = request.param
    draws = structural_draws(question(law), market(law), seed=1)
    batch = draws.batch(800)
    return law, draws, batch, name_by_likeness(batch.impact, TRUE)


def test_an_asymmetric_impact_matrix_is_recovered(fitted):
    """Chains from uniform rotations; each entry within four posterior standard deviations."""
    law, _, batch, likeness = fitted
    impact = likeness.naming.columns(batch.impact)
    assert likeness.ambiguous == 0.0
    true = TRUE * shocks_of(law, np.random.default_rng(0))[1]
    score = (impact.mean((0, 1)) - true) / impact.std((0, 1))
    assert np.abs(score).max() < 4.0
    assert np.abs((impact.mean((0, 1)) - true) / UNITS[:, None]).max() < 0.5
    assert diagnostics.split_rhat((impact / UNITS[:, None]).reshape(4, -1, 9)).max() < 1.05


def test_coefficients_and_scales_are_recovered(fitted):
    law, _, batch, likeness = fitted
    slopes, intercept = niw.split(batch.coefficients, constant=True)
    own = np.diagonal(slopes[:, :, 0], axis1=2, axis2=3)
    assert (np.abs(own.mean((0, 1)) - [0.5, 0.3, 0.2]) < 4 * own.std((0, 1))).all()
    assert np.abs(intercept / UNITS).max() < 1.0
    scale = likeness.naming.reordered(batch.scale)
    assert scale.shape == (4, 800, DAYS - 1, 3)
    if law == "regimes":
        for regime, name in ((1, "variance_2"), (2, "variance_3")):
            found = np.log(likeness.naming.reordered(batch.hyper[name]))
            score = (found.mean((0, 1)) - np.log(VARIANCE[regime])) / found.std((0, 1))
            assert np.abs(score).max() < 4.0
            day = 140 * regime + 5
            assert_allclose(np.log(scale[:, :, day]), 0.5 * found, atol=1e-5)
        assert (scale[:, :, :139] == 1.0).all()


def test_residuals_are_the_impact_times_the_shocks(fitted):
    """Impact and coefficients of one draw belong together, in the units of the data."""
    law, draws, batch, _ = fitted
    response, regressors = niw.design(market(law).to_numpy(float), lags=1)
    errors = response - regressors @ batch.coefficients[0, -1]
    shocks = np.linalg.solve(batch.impact[0, -1], errors.T).T / batch.scale[0, -1]
    assert len(draws.time) == len(shocks)
    assert np.abs(shocks.std(0) - 1.0).max() < 0.2  # one over the root of 420, four times


def test_units_do_not_matter():
    """A thousandfold change of units: the same chains, up to the rounding that they amplify."""
    values = market("independent_t")
    plain = structural_draws(question(), values, seed=3).batch(300)
    units = np.array([1000.0, 1.0, 0.001])
    scaled = structural_draws(question(), values * units, seed=3).batch(300)
    for a, b in zip(
        _moments(plain.impact / UNITS[:, None]),
        _moments(scaled.impact / (units * UNITS)[:, None]),
        strict=True,
    ):
        assert_allclose(a, b, atol=0.08)


def _moments(impact):
    """Mean and sd of what signed permutations leave alone: log spreads and correlations."""
    covariance = impact @ impact.swapaxes(-1, -2)
    spread = np.sqrt(np.diagonal(covariance, axis1=2, axis2=3))
    rho = covariance / spread[..., :, None] / spread[..., None, :]
    values = np.concatenate([np.log(spread), rho[..., [0, 0, 1], [1, 2, 2]]], -1)
    return values.mean((0, 1)), values.std((0, 1))


def test_the_order_of_the_variables_does_not_matter():
    values, turned = market("independent_t"), [2, 0, 1]
    plain = structural_draws(question(), values, seed=3).batch(800)
    other_system = System(tuple(NAMES[i] for i in turned), 1)
    other = structural_draws(question(system=other_system), values, seed=4).batch(800)
    one = name_by_likeness(plain.impact, TRUE).naming.columns(plain.impact)
    two = name_by_likeness(other.impact, TRUE[turned]).naming.columns(other.impact)
    two = two[:, :, np.argsort(turned)]
    size = np.minimum(*(diagnostics.effective_size(x.reshape(4, -1, 9)) for x in (one, two)))
    error = (one.std((0, 1)).ravel() * np.sqrt(2.0 / size)).reshape(3, 3)
    assert (np.abs(one.mean((0, 1)) - two.mean((0, 1))) < 4.5 * error).all()


def test_batches_go_on_where_the_last_one_stopped():
    values = market("regimes")
    once = structural_draws(question("regimes"), values, seed=5).batch(40)
    twice = structural_draws(question("regimes"), values, seed=5)
    parts = [twice.batch(15), twice.batch(25)]
    assert_allclose(np.concatenate([part.impact for part in parts], 1), once.impact)


def test_gaussian_shocks_of_one_variance_are_not_told_apart():
    """The law is inferred, the data say nothing of the rotation: no labels are made up."""
    rng = np.random.default_rng(2)
    values = pd.DataFrame(rng.standard_normal((DAYS, 3)) @ TRUE.T, TIME, list(NAMES))
    batch = structural_draws(question(), values, seed=1).batch(800)
    with pytest.raises(IdentificationError, match="the shocks cannot be told apart"):
        name_by_likeness(batch.impact)
    finding = non_gaussian(batch.hyper["dof"])
    assert finding.verdict != "holds"
    assert finding.probability < 1 - 0.14  # the data have moved it away from "holds"


def test_heavy_tails_are_seen():
    batch = structural_draws(question(), market("independent_t"), seed=1).batch(400)
    finding = non_gaussian(batch.hyper["dof"])
    assert finding.verdict == "holds"
    assert "0.14 before the data" in finding.evidence


def test_the_tightness_is_inferred_where_asked():
    values = market("independent_t")
    spec = question(prior=Minnesota(hierarchical=True), system=System(NAMES, 4))
    found = structural_draws(spec, values, seed=1).batch(400).shared["tightness"]
    assert 0.02 < np.median(found) < 1.0
    assert found.std() > 0.01
    fixed = structural_draws(question(system=System(NAMES, 4)), values, seed=1).batch(4)
    assert fixed.shared == {}


def test_artificial_observations_tighten_the_prior():
    series = 100.0 + np.cumsum(np.random.default_rng(0).standard_normal((60, 3)), 0)
    plain, _ = prior_of(question(), series)
    both = Minnesota(own_lag=1.0, sum_of_coefficients=1.0, single_unit_root=1.0)
    dummied, rows = prior_of(question(prior=both), series)
    assert np.linalg.slogdet(dummied.precision)[1] > np.linalg.slogdet(plain.precision)[1]
    assert rows.dof == dummied.dof == plain.dof + 4
    with pytest.raises(SpecError, match="infers the tightness alone"):
        prior_of(question(prior=replace(both, hierarchical=True)), series)


def test_laws_that_cannot_be_met_are_refused():
    late = (date(2030, 1, 1),)
    for changes, error, words in (
        ({"errors": Errors("student_t")}, SpecError, "'student_t' cannot tell shocks apart"),
        ({"errors": Errors("independent_t", 1.5)}, SpecError, "need more than 2"),
        (
            {"errors": Errors("independent_t", outliers=(TIME[3].date(),))},
            SpecError,
            "remove the outliers",
        ),
        (
            {"scheme": Scheme("heteroskedasticity", breaks=late)},
            SpecError,
            "breaks goes with law 'gaussian'",
        ),
        (
            {"errors": Errors(), "scheme": Scheme("heteroskedasticity", breaks=late)},
            DataError,
            "has 0 days in the estimation sample",
        ),
    ):
        with pytest.raises(error, match=words):
            law_of(question(**changes), TIME)
    with pytest.raises(SpecError, match="event-in is 'ou'"):
        structural_draws(question(), market("regimes"), seed=1, event_in="ou")


@pytest.mark.parametrize("law", [form.independent_t(25), form.stochastic_volatility(25)])
def test_a_trial_is_drawn_and_fitted_under_one_prior(law):
    """Ranks of a scale-free truth among its posterior draws are spread out (a short SBC)."""
    conjugate = niw.minnesota(
        np.ones(2),
        lags=1,
        constant=True,
        own_lag=np.zeros(2),
        tightness=0.2,
        decay=1.0,
        intercept_scale=1.0,
    )
    prior = form.row_prior(replace(conjugate, dof=6.0))
    model = StructuralModel(prior, law, np.zeros((1, 2)), True)
    rng = np.random.default_rng(8)
    trial = model.draw(60, rng)
    assert trial.series.shape == (60, 26, 2)
    ranks = []
    for impact, series in zip(trial.impact, trial.series, strict=True):
        chain = model.chain(series, rng)
        chain.advance(1, every=50)
        rows = chain.advance(63, every=10).rows
        inverse = rows[:, :, -2:].swapaxes(1, 2) @ rows[:, :, -2:]
        true = np.linalg.inv(impact @ impact.T)
        ranks.append((np.log(inverse[:, 0, 0]) < np.log(true[0, 0])).sum())
    share = (np.array(ranks) + 0.5) / 64
    assert abs(share.mean() - 0.5) < 4 * np.sqrt(1 / 12 / 60)
    assert abs(share.var() - 1 / 12) < 4 * np.sqrt(1 / 180 / 60)
