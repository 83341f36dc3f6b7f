"""The hierarchical prior: closed forms against one another, and the published small model."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.special import ndtri

from attribution.core import niw
from attribution.core.laws import evidence, hierarchy, importance
from attribution.core.niw import unit_root_dummies

FOLDER = Path(__file__).resolve().parents[2] / "reference/glp2015"
NAMES = ["RGDP", "PGDP", "FedFunds"]
LAGS = 5
SHARED = {"lags": LAGS, "constant": True, "decay": 1.0, "intercept_scale": np.sqrt(1e7)}


@pytest.fixture(scope="module")
def expected():
    return pd.read_csv(FOLDER / "expected.csv").set_index("id")


@pytest.fixture(scope="module")
def series():
    return pd.read_csv(FOLDER / "glp_small.csv")[NAMES].to_numpy(float)


def spread_of(series):
    """Residual scales on the estimation sample, as in the published bounds."""
    return niw.autoregressive_spread(series[LAGS:])


def problem(series, **changes):
    return hierarchy.hierarchy(
        *niw.design(series, lags=LAGS),
        spread=spread_of(series),
        level=series[:LAGS].mean(0),
        own_lag=np.ones(3),
        **(SHARED | changes),
    )


def minnesota_only(series):
    return problem(
        series,
        scales=spread_of(series),
        sum_of_coefficients=False,
        single_unit_root=False,
    )


def check(expected, key, found):
    row = expected.loc[key]
    gap = abs(found - row["value"]) / (abs(row["value"]) if row["tol_kind"] == "rel" else 1.0)
    assert gap <= row["tolerance"], (key, found, row["value"])


def test_the_residual_variances_are_those_of_the_authors_code(series, expected):
    for name, value in zip(NAMES, spread_of(series) ** 2, strict=True):
        check(expected, f"SS.{name}", value)


@pytest.mark.parametrize(
    ("key", "soc", "sur"),
    [
        ("minnesota_only.lambda0.2", False, False),
        ("minnesota+sur.lambda0.2.theta1", False, True),
        ("minnesota+soc.lambda0.2.mu1", True, False),
        ("full.lambda0.2.theta1.mu1", True, True),
    ],
)
def test_marginal_likelihoods_at_fixed_points_are_the_published_ones(
    series, expected, key, soc, sur
):
    of = problem(series, scales=spread_of(series), sum_of_coefficients=soc, single_unit_root=sur)
    at = np.log([[0.2, *[1.0] * (soc + sur)]])
    found = evidence.log_densities(hierarchy.points(of, at), of.problem)[0, 0]
    check(expected, f"logml.{key}", found)
    before = niw.minnesota(spread_of(series), own_lag=np.ones(3), tightness=0.2, **SHARED)
    before = niw.posterior(
        before,
        *unit_root_dummies(
            series[:LAGS].mean(0),
            lags=LAGS,
            constant=True,
            sum_of_coefficients=1.0 if soc else None,
            single_unit_root=1.0 if sur else None,
        ),
    )
    after = niw.posterior(before, *niw.design(series, lags=LAGS))
    assert_allclose(niw.log_evidence(before, after), found, rtol=1e-8)


def test_log_posteriors_at_fixed_points_are_the_published_ones(series, expected):
    of = minnesota_only(series)
    at = np.log([[0.2]])
    found = hierarchy.log_posterior(of, at) - hierarchy.natural_jacobian(of, at)
    check(expected, "logpost.minnesota_only.lambda0.2", found[0])
    of = problem(series)
    at = np.concatenate([np.log([0.2, 1.0, 1.0]), 2 * np.log(spread_of(series))])[None]
    found = hierarchy.log_posterior(of, at) - hierarchy.natural_jacobian(of, at)
    check(expected, "logpost.full.lambda0.2.theta1.mu1", found[0])


def test_modes_are_those_of_the_authors_code(series, expected):
    mode, height = importance.natural_mode(minnesota_only(series))
    check(expected, "mode.minnesota_only.lambda", np.exp(mode[0]))
    check(expected, "mode.minnesota_only.logpost", height)
    check(expected, "fig1.mode.lambda.small", np.exp(mode[0]))
    mode, height = importance.natural_mode(problem(series))
    names = ["lambda", "mu", "theta", *(f"psi.{name}" for name in NAMES)]
    for name, value in zip(names, np.exp(mode), strict=True):
        check(expected, f"mode.full.{name}", value)
    check(expected, "mode.full.logpost", height)


def test_weighted_draws_give_the_published_posterior_of_the_tightness(series, expected):
    of = minnesota_only(series)
    whole, weight = importance.draw(of, importance.proposal(of), 40_000, np.random.default_rng(1))
    order = np.argsort(whole[:, 0])
    values, share = np.exp(whole[order, 0]), np.cumsum(weight[order]) / weight.sum()
    for level in (16, 50, 84):
        found = values[np.searchsorted(share, level / 100)]
        check(expected, f"posterior.lambda.minnesota_only.q{level}", found)
    heights, _ = np.histogram(values, 60, (0.2, 0.8), weights=weight[order], density=True)
    check(expected, "fig1.peak_density.small", heights.max())


def growth(path, horizon):
    return 100 * (path[-1] - path[-1 - horizon]) / horizon


def forecast(coefficients, history, horizon):
    path = list(history)
    for _ in range(horizon):
        path.append(coefficients[0] + np.concatenate(path[: -LAGS - 1 : -1]) @ coefficients[1:])
    return np.array(path)


def posterior_mean(of, values):
    """Coefficients at given hyperparameters: the mean of draws whose factor is nought."""
    return evidence.draw_coefficients(
        hierarchy.points(of, values[None]), np.zeros((1, 3, 3)), of.problem, np.random.default_rng()
    )[0]


@pytest.mark.parametrize("horizon", [1, 4])
def test_forecast_errors_are_those_of_table_two(series, expected, horizon):
    """Expanding samples from 1959-1974 on; hyperparameters and coefficients at their mode."""
    errors = {"var": [], "rw": [], "small.bvar": []}
    for end in range(64, len(series) + 1 - horizon):
        past, now = series[:end], 100 * (series[end + horizon - 1] - series[end - 1]) / horizon
        y, x = niw.design(past, lags=LAGS)
        least_squares = np.linalg.lstsq(x, y)[0]
        of = problem(past)
        tight = posterior_mean(of, importance.natural_mode(of)[0])
        drift = 100 * np.diff(past[LAGS - 1 :], axis=0).mean(0)
        for name, found in (
            ("var", growth(forecast(least_squares, past, horizon), horizon)),
            ("rw", drift),
            ("small.bvar", growth(forecast(tight, past, horizon), horizon)),
        ):
            errors[name].append(found - now)
    for model, key in (("var", "small.var"), ("rw", "rw"), ("small.bvar", "small.bvar")):
        found = np.mean(np.square(errors[model]), axis=0)
        for name, value in zip(("gdp", "deflator", "ffr"), found, strict=True):
            check(expected, f"table2.{key}.{horizon}q.{name}", value)


def test_a_scaled_day_is_a_row_divided_by_its_scale(series):
    listed, scales = np.array([10, 60]), np.array([3.0, 1.5])
    of = problem(series, outliers=listed)
    at = of.start.copy()
    at[-2:] = -ndtri(1 / scales)
    found = evidence.log_densities(at[None], of.problem)[0, 0]
    y, x = niw.design(series, lags=LAGS)
    over = np.ones(len(y))
    over[listed] /= scales
    plain = hierarchy.hierarchy(
        y * over[:, None],
        x * over[:, None],
        spread=spread_of(series),
        level=series[:LAGS].mean(0),
        own_lag=np.ones(3),
        **SHARED,
    )
    direct = evidence.log_densities(plain.start[None], plain.problem)[0, 0]
    assert_allclose(found, direct - 3 * np.log(scales).sum(), rtol=1e-10)


def test_draws_given_hyperparameters_are_those_of_the_conjugate_posterior(series):
    of = problem(series, sum_of_coefficients=False, single_unit_root=False)
    before = niw.minnesota(spread_of(series), own_lag=np.ones(3), tightness=0.2, **SHARED)
    after = niw.posterior(before, *niw.design(series, lags=LAGS))
    assert of.dof == after.dof
    root = evidence.scale_roots(of.start[None], of.problem)[0]
    assert_allclose(root @ root.T, after.scale, rtol=1e-7, atol=1e-12)
    mean = evidence.draw_coefficients(
        of.start[None], np.zeros((1, 3, 3)), of.problem, np.random.default_rng(0)
    )[0]
    assert_allclose(mean[1:], after.mean[1:], rtol=1e-5, atol=1e-7)
    draws = 20_000
    factor = np.broadcast_to(np.linalg.cholesky(after.scale / after.dof), (draws, 3, 3)).copy()
    drawn = evidence.draw_coefficients(
        np.repeat(of.start[None], draws, 0), factor, of.problem, np.random.default_rng(1)
    )
    expected = np.sqrt(
        np.outer(np.diag(np.linalg.inv(after.precision)), np.diag(after.scale) / after.dof)
    )
    assert_allclose(drawn.std(0), expected, rtol=5 / np.sqrt(2 * draws))
