"""A whole sample in moments: what is streamed is what would have been stored."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from attribution.core import propagate
from attribution.decompose import (
    decompose,
    historical_decomposition,
    history,
    long_run_shares,
    variance_shares,
)
from attribution.errors import EventError, IdentificationError, SpecError
from attribution.model.spec import Window
from attribution.posterior import AdditivityError, StructuralPosterior

DAYS = pd.date_range("2025-01-06", periods=70, freq="B", name="time")
NAMES = ("coin", "fear", "gold")


@pytest.fixture
def values():
    rng = np.random.default_rng(2)
    return pd.DataFrame(rng.normal(size=(70, 3)) * [2.0, 0.3, 1.0], DAYS, list(NAMES))


@pytest.fixture
def posterior():
    """Two chains of forty weighted draws; two channels, one shock without a name."""
    rng = np.random.default_rng(3)
    weight = rng.gamma(0.5, size=(2, 40))
    return StructuralPosterior(
        variables=NAMES,
        shocks=("other", "native", "metal"),
        channels=("native", "metal"),
        impact=np.array([[-1.5, 0.4, 0.1], [0.3, 2.0, -0.7], [0.0, 0.5, 1.1]])
        + 0.1 * rng.normal(size=(2, 40, 3, 3)),
        lag_coefficients=0.2 * rng.normal(size=(2, 40, 2, 3, 3)),
        intercept=0.1 * rng.normal(size=(2, 40, 3)),
        weight=weight / weight.mean(),
    )


WHOLE = Window("whole", DAYS[2].date(), DAYS[-1].date())


def plain(structural, values, first=2):
    """Contributions by shock, and baseline, by the readable recursion over the whole sample."""
    path = values.to_numpy()
    coefficients, intercept = structural.lag_coefficients, structural.intercept
    error = propagate.residuals(coefficients, intercept, path[first - 2 : first], path[first:])
    shocks = np.linalg.solve(structural.impact[:, :, None], error[..., None])[..., 0]
    impulses = structural.impact[:, :, None] * shocks[:, :, :, None, :]
    base = propagate.baseline(coefficients, intercept, path[first - 2 : first], len(path) - first)
    return propagate.contributions(coefficients, impulses), base


def test_decompose_is_the_plain_recursion(posterior, values):
    parts, base = plain(posterior, values)
    split = decompose(posterior, values, WHOLE)
    expected = parts[..., [1, 2, 0]]  # two channels, then the shock without a name
    size = np.abs(parts).max()
    assert_allclose(split.contribution, expected, rtol=0, atol=1e-12 * size)
    assert_allclose(split.baseline, base, rtol=0, atol=1e-12 * np.abs(values.to_numpy()).max())


@pytest.mark.parametrize("days", [1, 31, 68])
@pytest.mark.parametrize("name", NAMES)
def test_one_variable_of_a_window_is_that_of_all(posterior, values, name, days):
    """Short windows sum over pairs of days, long ones recurse; the answer is one."""
    window = Window("w", DAYS[2].date(), DAYS[1 + days].date())
    full, one = (decompose(posterior, values, window, only) for only in (None, name))
    i = NAMES.index(name)
    assert one.variables == (name,)
    size = np.abs(full.contribution).max()
    assert_allclose(one.contribution[:, :, :, 0], full.contribution[:, :, :, i], atol=1e-12 * size)
    for a, b in zip(one.cumulated(name), full.cumulated(name), strict=True):
        assert_allclose(a, b, atol=1e-11 * size)


@pytest.mark.parametrize("held", [10**9, 5000, 1])
def test_streamed_moments_are_those_of_all_draws_at_once(posterior, values, monkeypatch, held):
    monkeypatch.setattr(history, "NUMBERS", held)
    found = historical_decomposition(posterior, values, probabilities=(0.05, 0.5))
    split = decompose(posterior, values, WHOLE)
    draws = np.concatenate([split.contribution, split.baseline[..., None]], axis=-1)
    flat, w = draws.reshape(80, -1), posterior.weight.ravel() / posterior.weight.sum()
    mean = w @ flat
    shape = (68, 3, 4)
    assert found.parts == ("native", "metal", "unattributed", "baseline")
    assert found.time.equals(DAYS[2:])
    assert_allclose(found.mean, mean.reshape(shape), rtol=1e-10, atol=1e-12)
    assert_allclose(found.sd.ravel(), np.sqrt(w @ (flat - mean) ** 2), rtol=1e-8, atol=1e-10)
    expected = np.quantile(flat, (0.05, 0.5), axis=0, weights=w, method="inverted_cdf")
    assert_allclose(found.quantiles.reshape(2, -1), expected, rtol=1e-9, atol=1e-12)
    assert_allclose(found.mean.sum(-1), found.observed, rtol=0, atol=1e-11)


def test_only_the_variables_asked_for_are_summarised(posterior, values):
    every = historical_decomposition(posterior, values)
    one = historical_decomposition(posterior, values, variables=["gold"])
    assert one.variables == ("gold",) and one.quantiles.shape[0] == 0
    assert_allclose(one.mean[:, 0], every.mean[:, 2])
    frame = one.frame("gold")
    assert frame.columns.tolist() == [*one.parts, "observed"]
    assert_allclose(frame.drop(columns="observed").sum(axis=1), values["gold"].iloc[2:], atol=1e-11)


def test_a_window_starts_its_recursion_on_its_eve(posterior, values):
    window = Window("late", date(2025, 3, 3), date(2025, 3, 7))
    found = historical_decomposition(posterior, values, window=window, variables=["coin"])
    split = decompose(posterior, values, window, "coin")
    w = posterior.weight / posterior.weight.sum()
    mean = np.tensordot(w, split.contribution[:, :, :, 0], axes=2)
    assert_allclose(found.mean[:, 0, :-1], mean, atol=1e-12)


def test_every_draw_is_checked_as_it_passes(posterior, values, monkeypatch):
    """One draw's shocks under another's coefficients do not add up, though their mean may."""
    taken = history.window_shocks

    def mixed(*arguments):
        found = taken(*arguments).copy()
        found[0, [0, 1]] = found[0, [1, 0]]
        return found

    monkeypatch.setattr(history, "window_shocks", mixed)
    with pytest.raises(AdditivityError, match="window 'sample': baseline and contributions miss"):
        historical_decomposition(posterior, values)


@pytest.mark.parametrize(
    ("error", "settings", "message"),
    [
        (SpecError, {"variables": ["coinn"]}, r"variable 'coinn': not of the model \(nearest: 'c"),
        (SpecError, {"probabilities": [1.0]}, "probability 1.0: not between zero and one"),
        (EventError, {"window": Window("w", date(2030, 1, 1), date(2030, 1, 2))}, "outside the da"),
    ],
)
def test_what_cannot_be_summarised_is_refused(posterior, values, error, settings, message):
    with pytest.raises(error, match=message):
        historical_decomposition(posterior, values, **settings)


def test_a_sample_no_longer_than_its_lags_is_refused(posterior, values):
    with pytest.raises(EventError, match="2 days, and 2 lags"):
        historical_decomposition(posterior, values.iloc[:2])


def test_shares_belong_to_draws_and_the_long_run_is_their_limit(posterior):
    found = variance_shares(posterior, 60)
    assert found.shape == (2, 40, 61, 3, 3)
    expected = np.square(posterior.impact)
    assert_allclose(found[:, :, 0], expected / expected.sum(-1, keepdims=True), rtol=1e-12)
    assert_allclose(found.sum(-1), 1.0, atol=1e-12)
    limit = long_run_shares(posterior)
    gap = np.abs(limit - found[:, :, -1]).max((2, 3))
    assert np.median(gap) < 1e-12  # draws of slow decay are still on their way


def test_explosive_draws_have_no_long_run_and_are_counted(posterior):
    posterior.lag_coefficients[0, :3, 0] = 1.5 * np.eye(3)
    with pytest.raises(SpecError, match="3 of 80 draws are not stationary"):
        long_run_shares(posterior)


def test_a_singular_impact_matrix_is_refused_in_a_sentence(posterior, values):
    posterior.impact[1, 7, :, 0] = posterior.impact[1, 7, :, 1]
    posterior.impact[1, 7] = np.round(posterior.impact[1, 7])
    posterior.impact[1, 7, :, 2] = 0.0
    with pytest.raises(IdentificationError, match="an impact matrix is singular"):
        decompose(posterior, values, WHOLE)
