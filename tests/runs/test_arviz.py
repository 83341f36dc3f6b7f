"""A run in ArviZ's hands, on both of its lines: groups in their places, and numbers of its own."""

import warnings

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

import attribution as at
from attribution.core import niw
from attribution.runs.arviz_groups import PREDICTED, arviz_groups, row_log_density
from attribution.var.estimate.conjugate import conjugate_form, estimation_sample

NAMES = ("output", "prices")
RNG = np.random.default_rng(4)
FRAME = pd.DataFrame(
    np.cumsum(RNG.standard_normal((90, 2)) @ [[1.0, 0.5], [0.2, 30.0]], axis=0),
    pd.bdate_range("2020-01-01", periods=90, name="time"),
    list(NAMES),
)


def asked(**parts):
    index = FRAME.index
    spec = {
        "schema": 1, "kind": "svar", "title": "two series",
        "sample": {"panel": "frame", "start": index[0].date(), "end": index[-1].date()},
        "system": {"variables": list(NAMES), "lags": 2, "horizons": 3},
        "identification": {"scheme": "recursive", "order": list(NAMES)},
        "event": {
            "name": "the last day", "outcome": "output",
            "windows": [{"name": "last", "start": index[-1].date(), "end": index[-1].date()}],
        },
        **parts,
    }  # fmt: skip
    return at.model_from(spec, name="pair")


@pytest.fixture(scope="module")
def run():
    return at.fit(asked(), data=FRAME, draws=2000, seed=1)


@pytest.fixture(scope="module")
def az():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        import arviz
    return arviz


def test_groups_stand_in_their_places_with_the_rows_of_the_estimate(run):
    found = arviz_groups(run.tree, run.manifest)
    assert set(found) == {
        *("posterior", "log_prior", "log_likelihood", "posterior_predictive"),
        *("observed_data", "constant_data"),
    }
    assert {"contribution", "baseline"} <= set(found["posterior"].data_vars)
    rows = FRAME.index[2:-1]  # two lags before, the event after
    for name in ("log_likelihood", "posterior_predictive", "observed_data"):
        assert found[name].get_index("time").equals(rows), name
    assert found["log_likelihood"]["rows"].dims == ("chain", "draw", "time")
    assert found["log_likelihood"].sizes["draw"] == found["posterior"].sizes["draw"]
    assert set(found["posterior_predictive"].data_vars) == set(NAMES)
    np.testing.assert_array_equal(found["observed_data"]["prices"], FRAME["prices"].loc[rows])
    assert found["observed_data"]["output"].attrs["units"]
    logs = [*found["log_prior"].data_vars.values()]
    assert [log.attrs["units"] for log in logs] == ["natural log"]


def test_the_likelihood_of_a_row_is_that_of_a_normal_law_given_the_rows_before(run):
    found = arviz_groups(run.tree, run.manifest)["log_likelihood"]["rows"]
    drawn = at.structural_of(run.tree)
    values = FRAME.to_numpy()
    for chain, draw, row in ((0, 0, 0), (3, 200, 40), (1, 499, 86)):
        slopes, impact = drawn.lag_coefficients[chain, draw], drawn.impact[chain, draw]
        mean = drawn.intercept[chain, draw] + slopes[0] @ values[row + 1] + slopes[1] @ values[row]
        law = stats.multivariate_normal(mean, impact @ impact.T)
        exact = law.logpdf(values[row + 2])
        assert float(found[chain, draw, row]) == pytest.approx(exact, rel=1e-9)


def test_the_density_of_the_prior_is_that_of_its_two_laws():
    rng = np.random.default_rng(2)
    k, n = 5, 2
    precision = np.cov(rng.standard_normal((k, 40))) + np.eye(k)
    law = niw.NormalInverseWishart(
        rng.standard_normal((k, n)), precision, np.array([[2.0, 0.3], [0.3, 1.0]]), 6.5
    )
    root = rng.standard_normal((3, n, n))
    coefficients = rng.standard_normal((3, k, n))
    found = niw.log_density(law, root, coefficients)
    for one, h, b in zip(found, root, coefficients, strict=True):
        sigma = h @ h.T
        exact = stats.invwishart.logpdf(sigma, law.dof, law.scale)
        exact += stats.matrix_normal.logpdf(b, law.mean, np.linalg.inv(precision), sigma)
        assert one == pytest.approx(exact, rel=1e-10)
    with pytest.raises(ValueError, match="improper"):
        niw.log_density(niw.flat(n, k), root, coefficients)


@pytest.mark.parametrize(
    "prior", [{}, {"sum_of_coefficients": 1.0, "single_unit_root": 1.0}], ids=["plain", "dummies"]
)
def test_prior_and_likelihood_less_evidence_are_the_posterior_in_every_draw(prior):
    spec = asked(prior=prior)
    run = at.fit(spec, data=FRAME, draws=2000, seed=2, event_in="in")
    found = arviz_groups(run.tree, run.manifest)
    log = found["log_prior"]["coefficients_and_covariance"] + found["log_likelihood"]["rows"].sum(
        "time"
    )
    form = conjugate_form(
        spec,
        estimation_sample(spec, FRAME, "in", last=spec.sample.end),
        np.random.default_rng(0),
        chains=4,
    )
    drawn = at.structural_of(run.tree)
    coefficients = niw.joined(drawn.lag_coefficients, drawn.intercept, constant=True)
    after = niw.log_density(form.posterior, drawn.impact, coefficients)
    gap = log.to_numpy() - run.manifest["notes"]["log_evidence"] - after
    assert np.abs(gap).max() < 1e-7 * np.abs(log).max()


def test_predictions_have_the_mean_and_the_spread_of_their_draws(run):
    found = arviz_groups(run.tree, run.manifest)
    drawn = at.structural_of(run.tree)
    ahead = found["posterior_predictive"]["output"].to_numpy()
    assert ahead.shape[0] * ahead.shape[1] == PREDICTED
    each = drawn.impact.shape[1]
    chosen = np.arange(ahead.shape[1]) * each // ahead.shape[1]
    values = FRAME.to_numpy()
    past = np.stack([values[1:-2], values[:-3]])  # nearest lag first
    mean = np.einsum("cdlr,ltr->cdt", drawn.lag_coefficients[:, chosen][..., 0, :], past)
    mean += drawn.intercept[:, chosen, :1]
    size = np.sqrt((drawn.impact[:, chosen][..., 0, :] ** 2).sum(-1))[..., None]
    z = ((ahead - mean) / size).ravel()
    assert abs(z.mean()) < 5 / np.sqrt(z.size)
    assert abs(z.std() - 1.0) < 5 / np.sqrt(2 * z.size)
    again = arviz_groups(run.tree, run.manifest)["posterior_predictive"]
    assert again.identical(found["posterior_predictive"])  # the run's seed


def test_arviz_summarises_compares_and_scales_the_run(run, az):
    data = run.to_arviz()
    old = az.__version__.startswith("0.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shown = az.summary(data, var_names=["contribution"])
        loo = az.loo(data)
        scaled = az.psens(data, component="prior") if old else az.psense(data, group="prior")
    assert list(shown.index) == [f"contribution[last, {c}]" for c in (*NAMES, "unattributed")]
    elpd = loo.elpd_loo if old else loo.elpd
    rows = arviz_groups(run.tree, run.manifest)["log_likelihood"]["rows"]
    density = np.logaddexp.reduce(rows.to_numpy().reshape(-1, rows.shape[2]), axis=0)
    lppd = float((density - np.log(rows[:, :, 0].size)).sum())
    assert lppd - 40 < elpd < lppd  # less than the fit to rows that it has seen
    assert float(scaled["contribution"].max()) >= 0.0


def test_a_flat_prior_has_no_density_and_a_law_without_rows_no_likelihood():
    flat = at.fit(asked(prior={"flat": True}), data=FRAME, draws=2000, seed=1)
    found = arviz_groups(flat.tree, flat.manifest)
    assert "log_prior" not in found and "log_likelihood" in found
    heavy = asked(errors={"law": "student_t"})
    other = at.fit(heavy, data=FRAME, draws=2000, seed=1)
    found = arviz_groups(other.tree, other.manifest)
    assert not {"log_prior", "log_likelihood", "posterior_predictive"} & set(found)
    assert set(found["observed_data"].data_vars) == set(NAMES)


@pytest.mark.parametrize("name", ["var_run", "signs_run"])
def test_the_shipped_gaussian_kinds_have_their_rows(request, name):
    run = request.getfixturevalue(name)
    found = arviz_groups(run.tree, run.manifest)
    assert ("log_prior" in found) == (name == "signs_run")
    drawn = at.structural_of(run.tree)
    errors = found["log_likelihood"]["rows"].to_numpy()
    assert np.isfinite(errors).all() and errors.shape[:2] == drawn.impact.shape[:2]


def test_a_prior_of_draws_alone_and_statistics_of_a_sampler_find_their_places():
    lead = {"chain": 2, "draw": 5}
    tree = xr.DataTree.from_dict(
        {
            "/posterior": xr.Dataset({"contribution": (("chain", "draw"), np.ones((2, 5)))}),
            "/prior": xr.Dataset({"contribution": ("draw", np.ones(7))}),
            "/sample_stats": xr.Dataset({"diverging": (tuple(lead), np.zeros((2, 5), bool))}),
            "/ledger": xr.Dataset({"noise": 0.1}),
        }
    )
    found = arviz_groups(tree, {"notes": {}})
    assert set(found) == {"posterior", "prior", "sample_stats"}
    assert dict(found["prior"].sizes) == {"chain": 1, "draw": 7}


def test_row_densities_do_not_depend_on_the_order_of_the_shocks(run):
    drawn = at.structural_of(run.tree)
    turned = at.StructuralPosterior(
        drawn.variables, drawn.shocks[::-1], drawn.channels, drawn.impact[..., ::-1].copy(),
        drawn.lag_coefficients, drawn.intercept, drawn.weight,
    )  # fmt: skip
    values = FRAME.to_numpy()
    np.testing.assert_allclose(
        row_log_density(drawn, values), row_log_density(turned, values), rtol=1e-10
    )
