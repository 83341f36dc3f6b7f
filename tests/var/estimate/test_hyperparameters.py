"""Hyperparameters inferred one by one, against quadrature over the matrix-t marginal likelihood.

The oracle knows nothing of the estimator: the density of all rows at once, T by T, integrated over
a grid of Gauss and Legendre under the law that the documentation states.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_up import system
from numpy.testing import assert_allclose
from scipy import stats
from scipy.optimize import minimize_scalar
from scipy.special import multigammaln

import attribution as at
from attribution.core.laws import importance
from attribution.core.laws.hierarchy import named, natural_jacobian, points
from attribution.errors import SpecError
from attribution.model.scheme import Errors
from attribution.model.spec import Minnesota
from attribution.var.estimate.reduced_form import reduced_form

NAMES, LAGS, DAYS = ("a", "b"), 3, 63
SCALES = np.array([0.8, 1.3])
TIME = pd.bdate_range("2020-01-01", periods=DAYS)
PLAIN = Minnesota(
    own_lag=0.5, residual_scales=tuple(zip(NAMES, SCALES.tolist(), strict=True)), hierarchical=True
)


@pytest.fixture(scope="module")
def values():
    rng = np.random.default_rng(5)
    path = np.full((DAYS, 2), 2.0)
    for t in range(2, DAYS):
        path[t] = 0.6 * path[t - 1] + 0.2 * path[t - 2] + 0.3 + SCALES * rng.standard_normal(2)
    return pd.DataFrame(path, TIME, list(NAMES))


def question(prior, **changes):
    return system(NAMES, TIME, lags=LAGS, constant=False, prior=prior, **changes)


def matrix_t(y, x, mean, spread, scales):
    """Log density of y (row, variable): a matrix t with row covariance I + X V X'."""
    rows, n = y.shape
    dof = n + 2.0
    within = np.eye(rows) + x @ (spread[:, None] * x.T)
    error = y - x @ mean
    after = np.diag(scales**2) + error.T @ np.linalg.solve(within, error)
    found = multigammaln(0.5 * (dof + rows), n) - multigammaln(0.5 * dof, n)
    found += 0.5 * dof * np.log(scales**2).sum() - 0.5 * (dof + rows) * np.linalg.slogdet(after)[1]
    return found - 0.5 * n * rows * np.log(np.pi) - 0.5 * n * np.linalg.slogdet(within)[1]


def evidence(series, tightness=0.2, decay=1.0, many=None, one=None, over=None):
    """Log marginal likelihood of the rows given those of the dummy observations."""
    y = series[LAGS:]
    x = np.hstack([series[LAGS - lag : -lag] for lag in range(1, LAGS + 1)])
    if over is not None:
        y, x = y / over[:, None], x / over[:, None]
    lag = np.repeat(np.arange(1, LAGS + 1), 2)
    spread = (tightness / lag**decay / np.tile(SCALES, LAGS)) ** 2
    mean = np.zeros((2 * LAGS, 2))
    mean[:2] = 0.5 * np.eye(2)
    level = series[:LAGS].mean(0)
    dummies = [np.diag(level) / many] if many else []
    dummies += [level[None] / one] if one else []
    found = 0.0 if over is None else -2 * np.log(over).sum()
    if dummies:
        yd = np.concatenate(dummies)
        xd = np.hstack([yd] * LAGS)
        found -= matrix_t(yd, xd, mean, spread, SCALES)
        y, x = np.concatenate([yd, y]), np.concatenate([xd, x])
    return found + matrix_t(y, x, mean, spread, SCALES)


def gamma_with(mode, sd):
    """The gamma law with this mode and sd: both equations solved, scale t: mode = (k - 1) t."""
    scale = (-mode + np.sqrt(mode**2 + 4 * sd**2)) / 2
    law = stats.gamma(sd**2 / scale**2, scale=scale)
    assert_allclose([law.std(), law.kwds["scale"] * (law.args[0] - 1)], [sd, mode])
    return law


LAWS = {
    "tightness": (gamma_with(0.2, 0.4), 1e-4, 5.0),
    "sum_of_coefficients": (gamma_with(1.0, 1.0), 1e-4, 50.0),
    "single_unit_root": (gamma_with(1.0, 1.0), 1e-4, 50.0),
    "decay": (gamma_with(1.0, 0.5), 0.01, 10.0),
}
ARGUMENT = {"sum_of_coefficients": "many", "single_unit_root": "one"}


def nodes(low, high, count):
    """Nodes and weights of Gauss and Legendre on a line of logs, in the natural coordinate."""
    x, w = np.polynomial.legendre.leggauss(count)
    half = 0.5 * (np.log(high) - np.log(low))
    value = np.exp(np.log(low) + half * (x + 1.0))
    return value, w * half * value


def integrated(values, inferred, given, laws=LAWS):
    """Posterior mean and sd of each, and the log of the normalising constant."""
    count = 160 if len(inferred) == 1 else 48
    grids = [nodes(*laws[name][1:], count) for name in inferred]
    points = np.stack([g.ravel() for g in np.meshgrid(*(v for v, _ in grids), indexing="ij")], 1)
    mass = np.prod(np.meshgrid(*(w for _, w in grids), indexing="ij"), axis=0).ravel()
    series = values.to_numpy()
    names = [ARGUMENT.get(name, name) for name in inferred]
    fixed = {ARGUMENT.get(name, name): value for name, value in given.items()}
    log = np.array([evidence(series, **fixed, **dict(zip(names, p, strict=True))) for p in points])
    for name, column in zip(inferred, points.T, strict=True):
        log += laws[name][0].logpdf(column)
    share = mass * np.exp(log - log.max())
    share /= share.sum()
    mean = share @ points
    return mean, np.sqrt(share @ (points - mean) ** 2)


@pytest.mark.parametrize(
    ("inferred", "given"),
    [
        (("tightness",), {}),
        (("tightness",), {"sum_of_coefficients": 0.5, "single_unit_root": 2.0, "decay": 2.0}),
        (("sum_of_coefficients",), {"tightness": 0.4}),
        (("single_unit_root",), {"sum_of_coefficients": 1.5}),
        (("decay",), {"tightness": 0.6}),
        (("tightness", "decay"), {}),
        (("tightness", "sum_of_coefficients"), {"single_unit_root": 0.7}),
    ],
)
def test_what_is_inferred_has_the_posterior_that_quadrature_gives(values, inferred, given):
    present = {name: 1.0 for name in inferred if name in ARGUMENT}
    prior = replace(PLAIN, inferred=inferred, **(present | given))
    batch = reduced_form(question(prior), values, seed=1).batch(4000)
    assert set(batch.hyper) == set(inferred)
    weight = batch.weight.ravel() / batch.weight.sum()
    size = 1.0 / (weight**2).sum()
    for name, mean, sd in zip(inferred, *integrated(values, inferred, given), strict=True):
        drawn = batch.hyper[name].ravel()
        assert abs(weight @ drawn - mean) < 4 * sd / np.sqrt(size), name
        assert_allclose(np.sqrt(weight @ (drawn - mean) ** 2), sd, rtol=8 / np.sqrt(size))


FLAT = stats.uniform(0.0, 5.0)
WIDE = stats.halfcauchy(scale=1.0)
TIGHT = stats.expon(scale=0.01)


@pytest.mark.parametrize("law", [FLAT, WIDE, TIGHT], ids=["flat", "half-Cauchy", "tight"])
def test_another_law_of_the_tightness_gives_another_answer_and_a_known_one(values, law):
    """Peers with other hyperpriors differ from us by the hyperprior, not by the likelihood.

    On one and the same series the mean of the tightness depends on the law that was stated; each
    is the quadrature under its own law, ours reweighted by the ratio of the two laws.
    """
    prior = replace(PLAIN, inferred=("tightness",))
    batch = reduced_form(question(prior), values, seed=2).batch(20_000)
    drawn = batch.hyper["tightness"].ravel()
    weight = batch.weight.ravel() * law.pdf(drawn) / LAWS["tightness"][0].pdf(drawn)
    weight /= weight.sum()
    size = 1.0 / (weight**2).sum()
    (mean,), (sd,) = integrated(values, ("tightness",), {}, {"tightness": (law, 1e-4, 5.0)})
    assert size > 100
    assert abs(weight @ drawn - mean) < 4 * sd / np.sqrt(size)
    (ours,), _ = integrated(values, ("tightness",), {})
    assert abs(ours - mean) > 0.002  # the law is what moves the answer


def test_given_scales_stand_and_the_others_are_inferred(values):
    """With ``hierarchical = true`` and a table of residual scales, those of the table hold."""
    plain = reduced_form(question(PLAIN), values, seed=1).batch(500)
    assert set(plain.hyper) == {"tightness"}
    other = replace(PLAIN, residual_scales=tuple((name, 20.0) for name in NAMES))
    wide = reduced_form(question(other), values, seed=1).batch(500)
    size = [np.log(np.linalg.det(batch.factor)).mean() for batch in (plain, wide)]
    assert size[1] > size[0] + 1.0  # prior scales of twenty: of the size of the data themselves
    free = reduced_form(question(replace(PLAIN, residual_scales=())), values, seed=1).batch(10)
    assert set(free.hyper) == {"tightness", "residual_scale"}


def test_the_mode_of_a_scale_is_the_mode_of_its_own_density(values):
    """Of s, as all others are of themselves: its law has density 1 / s^2 above one."""
    hit = values.copy()
    hit.iloc[40] += [12.0, -20.0]
    prior = replace(PLAIN, inferred=("decay",), decay=1.0)
    spec = question(prior, errors=Errors(outliers=(TIME[40].date(),)))
    form = reduced_form(spec, hit, seed=1)
    mode = form.notes["hyperparameter_mode"]
    (scale,), decay = mode["outlier_scale"], mode["decay"]

    def height(s, rho):
        over = np.ones(DAYS - LAGS)
        over[40 - LAGS] = s
        return (
            evidence(hit.to_numpy(), decay=rho, over=over)
            - 2 * np.log(s)
            + LAWS["decay"][0].logpdf(rho)
        )

    best = minimize_scalar(
        lambda log: -height(np.exp(log), decay), bracket=(1.0, 3.0), options={"xtol": 1e-9}
    )
    assert_allclose(scale, np.exp(best.x), rtol=2e-3)
    best = minimize_scalar(lambda rho: -height(scale, rho), bounds=(0.1, 5.0), method="bounded")
    assert_allclose(decay, best.x, rtol=2e-3)
    assert_allclose(form.notes["log_posterior_at_mode"], height(scale, decay), rtol=1e-8)
    assert "outlier scales" in form.notes["hyperparameter_mode_of"]


def test_a_jacobian_is_the_slope_of_the_map(values):
    """Change of variables by differences: s and lambda from their coordinates."""
    prior = replace(PLAIN, inferred=("tightness",))
    spec = question(prior, errors=Errors(outliers=(TIME[40].date(),)))
    of = reduced_form(spec, values, seed=1).hierarchy
    at_, step = importance.natural_mode(of)[0], 1e-6
    ends = [named(of, points(of, (at_ + side * step)[None])) for side in (1, -1)]
    slopes = [
        (ends[0][name].ravel() - ends[1][name].ravel()) / (2 * step)
        for name in ("tightness", "outlier_scale")
    ]
    assert_allclose(natural_jacobian(of, at_[None])[0], np.log(slopes).sum(), rtol=1e-6)


def told(prior):
    return {
        "schema": 1,
        "kind": "svar",
        "title": "a toy",
        "sample": {"panel": "frame", "start": TIME[0].date(), "end": TIME[-1].date()},
        "system": {"variables": list(NAMES), "lags": LAGS},
        "prior": prior,
        "identification": {"scheme": "recursive"},
    }


def test_a_model_file_lists_what_is_inferred():
    prior = at.model_from(
        told({"hierarchical": ["tightness", "decay"], "sum_of_coefficients": 2.0}), name="toy"
    ).prior
    assert [name for name in LAWS if prior.infers(name)] == ["tightness", "decay"]
    whole = at.model_from(
        told({"hierarchical": True, "sum_of_coefficients": 2.0}), name="toy"
    ).prior
    assert {name for name in (*LAWS, "residual_scales") if whole.infers(name)} == {
        "tightness",
        "sum_of_coefficients",
        "residual_scales",
    }
    assert not Minnesota().infers("tightness")


@pytest.mark.parametrize(
    ("prior", "said"),
    [
        ({"hierarchical": ["tightnes"]}, "did you mean|tightness"),
        ({"hierarchical": []}, "empty list; name one, or write false"),
        ({"hierarchical": ["single_unit_root"]}, "add single_unit_root = 1.0, or unlist it"),
        (
            {"hierarchical": ["residual_scales"], "residual_scales": {"a": 1.0, "b": 1.0}},
            "they are given; drop one of the two",
        ),
        ({"hierarchical": 1}, "true or false"),
        ({"inferred": ["tightness"]}, "unknown key 'inferred'"),
    ],
)
def test_what_cannot_be_inferred_is_refused(prior, said):
    with pytest.raises(SpecError, match=said):
        at.model_from(told(prior), name="toy")


def test_one_lag_has_no_decay():
    asked = told({"hierarchical": ["decay"]})
    asked["system"]["lags"] = 1
    with pytest.raises(SpecError, match="a single lag has none"):
        at.model_from(asked, name="toy")


def test_a_law_per_shock_infers_the_tightness_alone():
    asked = told({"hierarchical": ["tightness", "decay"]})
    asked |= {"errors": {"law": "independent_t"}, "identification": {"scheme": "non_gaussian"}}
    with pytest.raises(SpecError, match="hierarchical with 'decay' is not offered"):
        at.model_from(asked, name="toy")


def test_the_covariance_at_the_mode_is_the_peak_of_its_density(values):
    form = reduced_form(question(replace(PLAIN, hierarchical=False)), values, seed=1)
    _, peak = form.mode
    law = stats.invwishart(form.posterior.dof, form.posterior.scale)
    top = law.logpdf(peak)
    for i, j in ((0, 0), (0, 1), (1, 1)):
        step = np.zeros((2, 2))
        step[i, j] = step[j, i] = 1e-4 * np.sqrt(peak[i, i] * peak[j, j])
        sides = law.logpdf(peak + step), law.logpdf(peak - step)
        assert max(sides) < top
        assert abs(sides[0] - sides[1]) < 1e-6


def test_at_the_mode_a_hierarchical_prior_is_the_given_one(values):
    """Coefficients and covariance are those of a prior that is told the mode."""
    prior = replace(PLAIN, inferred=("tightness", "decay", "single_unit_root"))
    prior = replace(prior, single_unit_root=1.0)
    form = reduced_form(question(prior), values, seed=1)
    told_ = replace(
        prior, hierarchical=False, inferred=(), **{
            name: form.notes["hyperparameter_mode"][name] for name in prior.inferred
        }
    )  # fmt: skip
    given = reduced_form(question(told_), values, seed=1)
    for ours, theirs in zip(form.mode, given.mode, strict=True):
        assert_allclose(ours, theirs, rtol=1e-8, atol=1e-10)


def test_a_run_holds_the_mode(values):
    asked = told({"hierarchical": ["tightness"]})
    run = at.fit(at.model_from(asked, name="toy"), data=values, settings=at.Settings(draws=2000))
    mode = run.tree["mode"].to_dataset()
    covariance = mode["covariance"].to_numpy()
    assert_allclose(covariance, covariance.T)
    drawn = run.tree["structural/impact"].to_numpy()
    mean = (drawn @ drawn.swapaxes(-1, -2)).mean((0, 1))
    ratio = np.diag(covariance) / np.diag(mean)  # mode and mean of an inverse Wishart of 60 days
    assert ((ratio > 0.85) & (ratio < 1.0)).all()
