"""One window in numbers: what adds up, what is weighted, what is a probability of what."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from numpy.testing import assert_allclose

from attribution.runs import describe, log_mean_weight, quantile, together, window_table
from attribution.sampling import engine

CHANNELS = ("derisking", "hedging", "liquidation", "unattributed")
MEAN = np.array([-6.0, -4.0, -2.0, 0.5])
DAYS = pd.DatetimeIndex(["2026-02-05", "2026-02-06"], name="time")


def tree_of(*, observed=(-14.0, 3.0), mean=MEAN, weight=None, correlation=None, seed=0, extra=None):
    """A run whose contributions and baseline add up to the observed move in every draw."""
    rng = np.random.default_rng(seed)
    shape = (4, 1500)
    factor = np.eye(4) if correlation is None else np.linalg.cholesky(correlation)
    x = mean + rng.standard_normal((*shape, 4)) @ factor.T
    baseline = sum(observed) - x.sum(-1)
    label = {"window": ["crash"], "channel": list(CHANNELS)}
    groups = {
        "posterior": xr.Dataset(
            {
                "contribution": (("chain", "draw", "window", "channel"), x[:, :, None]),
                "baseline": (("chain", "draw", "window"), baseline[..., None]),
            },
            coords=label,
        ),
        "windows/crash": xr.Dataset({"observed": ("time", list(observed))}, coords={"time": DAYS}),
        "weights": xr.Dataset(
            {"weight": (("chain", "draw"), np.ones(shape) if weight is None else weight(x))}
        ),
    }
    return xr.DataTree.from_dict(groups | (extra or {}))


PARTS = [*CHANNELS, "baseline"]


def upweight_derisking(x):
    """Weights with mean one that lower the first contribution by one."""
    w = np.exp(-(x[..., 0] - MEAN[0]))
    return w / w.mean()


@pytest.mark.parametrize("weight", [None, upweight_derisking])
def test_means_add_up_to_the_observed_move_and_per_cents_to_the_simple_return(weight):
    table = window_table(tree_of(weight=weight), "crash")
    assert table.index.tolist() == [*PARTS, "observed"]
    assert_allclose(table.loc[PARTS, "mean"].sum(), -11.0, rtol=1e-12)
    assert_allclose(table.loc["observed", "mean"], -11.0)
    assert_allclose(table.loc[PARTS, "percent"].sum(), 100 * np.expm1(-0.11), rtol=1e-12)
    assert_allclose(table.loc[PARTS, "share"].sum(), 1.0, rtol=1e-12)
    # medians do not add up, and are not scaled to
    assert abs(table.loc[PARTS, "median"].sum() + 11.0) > 1e-6


def test_weights_are_honoured_by_every_column():
    """Exponential weights shift a normal by its variance: from -6 to -7."""
    tree = tree_of(weight=upweight_derisking)
    plain, tilted = window_table(tree_of(), "crash"), window_table(tree, "crash")
    assert abs(plain.loc["derisking", "mean"] + 6) < 0.08
    for column in ("mean", "median"):
        assert abs(tilted.loc["derisking", column] + 7) < 0.15
    for name in ("q05", "q95"):
        assert abs(tilted.loc["derisking", name] - plain.loc["derisking", name] + 1) < 0.3
    assert abs(tilted.loc["derisking", "sd"] - 1) < 0.1
    assert tilted.loc["derisking", "p_largest"] > plain.loc["derisking", "p_largest"] + 0.03
    w = tree["weights/weight"].to_numpy().ravel()
    size = w.sum() ** 2 / (w**2).sum()
    # independent draws are worth what their weights are, up to the error of an efficiency
    assert (tilted.loc[PARTS, "ess_bulk"] <= size * (1 + 1e-12)).all()
    assert_allclose(tilted.loc[PARTS, "ess_bulk"], size, rtol=0.15)
    expected = tilted.loc[PARTS, "sd"] / np.sqrt(tilted.loc[PARTS, "ess_bulk"])
    assert_allclose(tilted.loc[PARTS, "mcse_mean"], expected)
    assert_allclose(tilted.loc[PARTS, "r_hat"], plain.loc[PARTS, "r_hat"])


def test_a_weight_of_zero_is_a_draw_left_out_and_two_is_a_draw_twice():
    rng = np.random.default_rng(1)
    draws = rng.standard_normal((2, 400, 3))
    weight = rng.integers(0, 3, (2, 400)).astype(float)
    repeated = np.repeat(draws.reshape(-1, 3), weight.ravel().astype(int), axis=0)
    table = describe(draws, weight)
    assert_allclose(table["mean"], repeated.mean(0))
    assert_allclose(table["sd"], repeated.std(0))
    assert_allclose(table["p_negative"], (repeated < 0).mean(0))
    for name, probability in (("q05", 0.05), ("median", 0.5), ("q95", 0.95)):
        expected = np.quantile(repeated, probability, axis=0, method="inverted_cdf")
        assert_allclose(table[name], expected)


def test_a_weighted_quantile_is_where_the_weight_is():
    flat = np.array([[1.0], [2.0], [3.0]])
    assert quantile(flat, np.array([0.98, 0.01, 0.01]), 0.5) == 1.0
    assert quantile(flat, np.array([0.01, 0.01, 0.98]), 0.5) == 3.0


@pytest.mark.parametrize(
    ("observed", "largest"), [((-14.0, 3.0), "derisking"), ((14.0, -3.0), "up")]
)
def test_the_largest_is_the_largest_in_the_direction_of_the_move(observed, largest):
    """In a rise, the largest fall is not the largest contribution to it."""
    mean = np.array([-9.0, 4.0, 1.0, 0.0])
    table = window_table(tree_of(observed=observed, mean=mean), "crash")
    winner = "derisking" if largest == "derisking" else "hedging"
    assert table.loc[list(CHANNELS), "p_largest"].idxmax() == winner
    assert table.loc[winner, "p_largest"] > 0.95
    assert_allclose(table.loc[list(CHANNELS), "p_largest"].sum(), 1.0)
    assert np.isnan(table.loc["baseline", "p_largest"])


def test_the_probability_of_a_fall_has_its_monte_carlo_error():
    mean = np.array([-0.5, 0.5, -50.0, 50.0])
    table = window_table(tree_of(mean=mean), "crash")
    assert abs(table.loc["derisking", "p_negative"] - 0.6915) < 0.03
    error = np.sqrt(0.6915 * 0.3085 / 6000)
    assert_allclose(table.loc["derisking", "mcse_p_negative"], error, rtol=0.15)
    assert table.loc["liquidation", ["p_negative", "mcse_p_negative"]].tolist() == [1.0, 0.0]
    assert table.loc["unattributed", ["p_negative", "mcse_p_negative"]].tolist() == [0.0, 0.0]


def test_monte_carlo_errors_of_weighted_draws_are_the_spread_over_repetitions():
    rng = np.random.default_rng(6)
    tables = [
        describe(rng.standard_normal((2, 300, 1)), rng.exponential(size=(2, 300)))
        for _ in range(200)
    ]
    for column in ("mean", "median", "p_negative"):
        spread = np.std([table.loc[0, column] for table in tables])
        claimed = np.mean([table.loc[0, f"mcse_{column}"] for table in tables])
        assert_allclose(claimed, spread, rtol=4 / np.sqrt(2 * 200))


def test_a_weighted_probability_of_one_has_no_error():
    rng = np.random.default_rng(5)
    table = describe(-1.0 - rng.random((4, 1500, 1)), rng.exponential(size=(4, 1500)))
    assert_allclose(table.loc[0, ["p_negative", "mcse_p_negative"]], [1.0, 0.0], atol=1e-6)


def test_correlated_chains_have_a_larger_error_than_independent_draws():
    rng = np.random.default_rng(2)
    x = np.zeros((4, 3000, 1))
    for t in range(1, 3000):
        x[:, t] = 0.9 * x[:, t - 1] + np.sqrt(1 - 0.81) * rng.standard_normal((4, 1))
    table = describe(x, np.ones((4, 3000)))
    # a first-order autoregression of 0.9 is worth one draw in nineteen
    expected = np.sqrt(19 / 12_000)
    assert_allclose(table.loc[0, "mcse_mean"], expected, rtol=0.3)
    assert table.loc[0, "ess_bulk"] < 2000
    assert table.loc[0, "mcse_p_negative"] > 1.5 * 0.5 / np.sqrt(12_000)


def correlated(rho, first=0, second=1):
    matrix = np.eye(4)
    matrix[first, second] = matrix[second, first] = rho
    return matrix


@pytest.mark.parametrize(
    ("correlation", "names"),
    [
        (correlated(-0.95), ["derisking + hedging"]),
        (correlated(-0.95, 1, 2), ["hedging + liquidation"]),
        (correlated(0.95), []),
        (correlated(-0.6), []),
        (correlated(-0.95, 0, 3), []),  # what is not named has no sum with a channel
    ],
)
def test_only_channels_that_trade_off_are_reported_together(correlation, names):
    found = together(tree_of(correlation=correlation), "crash")
    assert found.index.tolist() == names
    for name in names:
        one, two = (CHANNELS.index(part) for part in name.split(" + "))
        assert abs(found.loc[name, "mean"] - MEAN[one] - MEAN[two]) < 0.05
        expected = np.sqrt(2 - 2 * 0.95)
        assert_allclose(found.loc[name, "sd"], expected, rtol=0.1)
        assert found.loc[name, "sd"] < 0.5  # narrower than either


def test_what_trades_off_depends_on_the_weights():
    """Draws in which the two trade off, drowned by weight in draws in which they do not."""
    tree = tree_of(correlation=correlated(-0.95))
    assert len(together(tree, "crash")) == 1
    x = tree["posterior/contribution"].to_numpy()[:, :, 0]
    near = np.abs(x[..., 0] - MEAN[0]) < 0.15
    tree["weights/weight"].values[:] = np.where(near, 1.0 / near.mean(), 0.0)
    assert len(together(tree, "crash")) == 0


@pytest.mark.parametrize(("move", "expected"), [(-14.16, 0.932), (0.0, 1.0), (9.53, 1.049)])
def test_the_weight_of_a_log_point_in_per_cents(move, expected):
    assert_allclose(log_mean_weight(move), expected, atol=5e-4)
    assert_allclose(log_mean_weight(1e-9), 1.0, atol=1e-9)


def graded(mean, *, elasticities=None, recentred=0.5, upper=None, clear=0.6):
    """Table with a first channel of a posterior mean, prior sensitivities, and robust bounds."""
    extra = {}
    if elasticities is not None:
        moved = {"elasticities": elasticities, "recentred": recentred}
        label = {"window": ["crash"], "channel": list(CHANNELS)}
        extra["ledger"] = xr.Dataset(
            {name: (("window", "channel"), np.full((1, 4), x)) for name, x in moved.items()}, label
        )
    if upper is not None:
        shape, dims = (2, 50, 1, 1), ("chain", "draw", "window", "channel")
        high = np.full(shape, -1.0)
        high.ravel()[: round(100 * (1 - upper))] = 1.0
        extra["robust"] = xr.Dataset(
            {
                "lower": (dims, np.full(shape, -9.0)),
                "upper": (dims, high),
                "clear": (dims, np.where(high < 0, clear, 0.0)),
                "margin": ("window", [0.5]),
                "identification_strength": (("window", "channel"), [[0.4]]),
            },
            {"window": ["crash"], "channel": ["derisking"]},
        )
    return window_table(tree_of(mean=np.array([mean, -4.0, -2.0, 0.5]), extra=extra), "crash")


@pytest.mark.parametrize(
    ("mean", "settings", "grade"),
    [
        (-6.0, {"elasticities": 0.01}, "model-based"),
        (-6.0, {"elasticities": 0.2}, "prior-driven"),
        (-6.0, {"elasticities": 0.2, "recentred": 0.79}, "prior-driven"),
        (-6.0, {"elasticities": 0.2, "recentred": 0.81}, "model-based"),
        (-0.5, {"elasticities": 0.01, "recentred": 0.99}, "prior-driven"),
        (6.0, {"elasticities": 0.01}, "model-based"),  # sure of its sign, whichever it is
        (-6.0, {"upper": 0.95}, "robust"),
        (-6.0, {"upper": 0.95, "clear": 0.4}, "prior-driven"),  # clear of zero by a hair
        (-6.0, {"upper": 0.85}, "prior-driven"),  # only a prior on rotations makes it sure
    ],
)
def test_a_grade_says_what_the_sign_of_a_contribution_rests_on(mean, settings, grade):
    table = graded(mean, **settings)
    assert table.loc["derisking", "grade"] == grade
    assert table.loc[["unattributed", "baseline", "observed"], "grade"].tolist() == ["", "", ""]


def test_robust_bounds_are_means_over_draws_and_only_where_there_are_any():
    table = graded(-6.0, upper=0.9)
    assert_allclose(table.loc["derisking", ["robust_lower", "robust_upper"]].tolist(), [-9, -0.8])
    assert table.loc["derisking", "identification_strength"] == 0.4
    assert table.loc["hedging", ["robust_lower", "robust_upper"]].isna().all()
    assert window_table(tree_of(), "crash")["robust_lower"].isna().all()


def test_a_run_without_draws_has_no_summary_of_draws():
    """A panel regression has answers, and nothing of which R-hat could be told."""
    tree = xr.DataTree.from_dict({"/tables/answers": xr.Dataset({"mean": ("row", [1.0])})})
    assert engine.summary(tree).empty
