"""The rotation engine against plain rejection of everything, and against itself."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from attribution.core import niw, propagate
from attribution.core.rotations.haar import haar
from attribution.model.restriction import OUTCOME, Ranking, Response, VarianceShare
from attribution.var.identify.rotate import rotate

DRAWS, TRIES = 2000, 60_000
SIGNED, WINDOW = "2001-03-19", ("2001-05-08", "2001-05-09")


def flat(array):
    return array.reshape(-1, *array.shape[2:])


def resampled(result, seed=1):
    """Impact matrices without weights; so few that copies are rare."""
    weight = result.posterior.weight.ravel()
    rng = np.random.default_rng(seed)
    pick = rng.choice(len(weight), size=int(result.ess / 3), p=weight / weight.sum())
    return flat(result.posterior.impact)[pick]


def assert_same_law(one, two):
    one, two = (x.reshape(len(x), -1) for x in (one, two))
    for i in range(one.shape[1]):
        # Bonferroni at one per cent over the entries
        assert stats.ks_2samp(one[:, i], two[:, i]).pvalue > 0.01 / one.shape[1], i


@pytest.fixture(scope="module")
def table(tables):
    """Every kind of inequality at once."""
    cells = [
        tables.cell("demand", "price", "-", last=1),
        tables.cell("demand", "rate", (-1.0, 8.0), per=OUTCOME),
        tables.cell("supply", "price", (0.2, 3.0)),
        tables.cell("supply", "rate", (-3.0, 6.0), per="price"),
        tables.cell("supply", "price", "+", long_run=True),
    ]
    return tables.table(
        ("demand", "supply"),
        cells,
        outcome="output",
        direction=-1,
        rankings=(
            Ranking(Response("demand", "output"), Response("supply", "output"), 1.2, True, "", ""),
        ),
        shares=(VarianceShare("demand", "output", 4, 0.1, 0.95, "", ""),),
        narratives=(
            tables.dated("demand", "positive", SIGNED),
            tables.dated("supply", "largest", WINDOW[0], to="price", end=WINDOW[1]),
        ),
    )


class Everything:
    """Unrestricted draws of (B, Σ, Q), and each claim of the table worked out the long way."""

    def __init__(self, reduced, frame):
        rng = np.random.default_rng(3)
        factor, coefficients = reduced.draw(TRIES)
        drawn = coefficients(np.arange(TRIES), rng)
        self.lags, self.intercept = niw.split(drawn, constant=True)
        self.impact = factor @ haar(3, TRIES, rng)
        self.frame = frame
        self.theta = propagate.responses(self.lags, self.impact, 4)

    def shocks(self, day):
        t, path = self.frame.index.get_loc(day), self.frame.to_numpy()
        error = path[t] - self.intercept
        for lag in range(2):
            error = error - self.lags[:, lag] @ path[t - 1 - lag]
        return np.linalg.solve(self.impact, error[..., None])[..., 0]

    def contributions(self, variable):
        """What shocks of the window add to its sum (draw, shock)."""
        first, last = (self.shocks(day) for day in WINDOW)
        carried = self.theta[:, :2, variable].sum(1)
        return carried * first + self.impact[:, variable] * last

    def obey(self):
        output, price, rate = (self.impact[:, i] for i in range(3))
        demand, supply = 0, 1
        total = np.linalg.solve(np.eye(3) - self.lags.sum(1), self.impact)
        square = (self.theta[:, :, 0] ** 2).sum(1)
        share = square[:, demand] / square.sum(1)
        part = np.abs(self.contributions(1))
        return (
            (output[:, demand] <= 0)
            & (output[:, supply] <= 0)
            & (self.theta[:, :2, 1, demand] <= 0).all(1)
            & (rate[:, demand] >= output[:, demand])
            & (rate[:, demand] <= -8 * output[:, demand])
            & (price[:, supply] >= 0.2)
            & (price[:, supply] <= 3)
            & (rate[:, supply] >= -3 * price[:, supply])
            & (rate[:, supply] <= 6 * price[:, supply])
            & (total[:, 1, supply] >= 0)
            & (np.abs(output[:, demand]) >= 1.2 * np.abs(output[:, supply]))
            & (share >= 0.1)
            & (share <= 0.95)
            & (self.shocks(SIGNED)[:, demand] >= 0)
            & (part[:, supply] >= part.max(1))
        )


@pytest.fixture(scope="module")
def everything(closed, simulated):
    return Everything(closed(seed=2), simulated[0])


@pytest.fixture(scope="module")
def result(closed, simulated, table):
    return rotate(closed(), table, simulated[0], lags=2, draws=DRAWS, seed=1)


def test_the_law_is_that_of_plain_rejection(result, everything):
    passed = everything.obey()
    assert passed.sum() > 300
    assert_same_law(resampled(result)[:, :, :2], everything.impact[passed][:, :, :2])


def test_the_rate_is_that_of_plain_rejection(result, everything):
    share = everything.obey().mean()
    error = np.sqrt(share / TRIES) + result.rate / np.sqrt(result.ess)
    assert abs(result.rate - share) < 4 * error


def test_without_the_ranking_the_law_is_another(result, everything):
    """The comparison above can fail."""
    output = np.abs(everything.impact[:, 0])
    swapped = everything.impact[everything.obey() | (output[:, 0] < output[:, 1])][:, 0, 0]
    assert stats.ks_2samp(resampled(result)[:, 0, 0], swapped).pvalue < 1e-4


def test_shocks_are_named_and_the_rest_is_not(result):
    post = result.posterior
    assert post.shocks == ("demand", "supply", "unnamed_1")
    assert post.channels == ("demand", "supply")
    assert post.impact.shape == (4, DRAWS // 4, 3, 3)
    assert_allclose(post.weight.mean(), 1)


def test_one_seed_gives_the_same_bits_and_another_does_not(closed, simulated, table):
    one, same, other = (
        rotate(closed(), table, simulated[0], lags=2, draws=400, seed=seed) for seed in (5, 5, 6)
    )
    assert np.array_equal(one.posterior.impact, same.posterior.impact)
    assert not np.array_equal(one.posterior.impact, other.posterior.impact)


def test_any_order_of_names_gives_the_same_posterior(closed, simulated, table):
    turned = replace(table, channels=table.channels[::-1])
    one, other = (
        rotate(closed(seed=seed), t, simulated[0], lags=2, draws=4 * DRAWS, seed=seed)
        for seed, t in ((4, table), (5, turned))
    )
    assert_same_law(resampled(one)[:, :, :2], resampled(other)[:, :, 1::-1])
    assert abs(other.rate / one.rate - 1) < 5 * np.sqrt(1 / one.ess + 1 / other.ess)


def test_the_number_of_rotations_does_not_move_the_posterior(closed, simulated, tables):
    """A knob of patience is no prior: one or forty rotations a draw, the same law of Σ.

    With few data and signs that need a negative correlation, the draws of Σ that pass often are
    another set than those that pass at all.
    """
    cells = [
        tables.cell("a", "output", "+"), tables.cell("a", "price", (-9.0, -0.5)),
        tables.cell("b", "output", "+"), tables.cell("b", "price", "-"),
        tables.cell("b", "rate", "+"),
    ]  # fmt: skip
    short, found = simulated[0].iloc[:20], []
    for rotations, draws, seed in ((1, 8000, 1), (40, 40_000, 2)):
        done = rotate(
            closed(short, seed=seed, lags=1), tables.table(("a", "b"), cells), short,
            lags=1, draws=draws, seed=seed, rotations=rotations,
        )  # fmt: skip
        sigma = done.posterior.impact @ done.posterior.impact.swapaxes(-1, -2)
        correlation = sigma[..., 0, 1] / np.sqrt(sigma[..., 0, 0] * sigma[..., 1, 1])
        weight = done.posterior.weight
        # eight batches of consecutive draws tell the error, clusters included
        means = [
            np.average(c, weights=w)
            for c, w in zip(
                np.array_split(correlation.ravel(), 8), np.array_split(weight.ravel(), 8),
                strict=True,
            )
        ]  # fmt: skip
        found.append((np.mean(means), np.std(means) / np.sqrt(8)))
    (one, error), (many, other) = found
    assert abs(one - many) < 4 * np.hypot(error, other)


def test_rescaling_a_variable_rescales_its_responses_and_nothing_else(closed, simulated, tables):
    cells = [
        tables.cell("a", "output", "+", last=2), tables.cell("a", "price", "-"),
        tables.cell("b", "rate", "+"),
    ]  # fmt: skip
    size = np.array([1.0, 1.0, 1000.0])
    one, two = (
        rotate(closed(frame), tables.table(("a", "b"), cells), frame, lags=2, draws=400, seed=1)
        for frame in (simulated[0], simulated[0] * size)
    )
    assert_allclose(two.posterior.impact, one.posterior.impact * size[:, None], rtol=1e-7)
    assert_allclose(two.posterior.weight, one.posterior.weight)


def test_true_responses_lie_inside_the_posterior(closed, simulated, tables, truth):
    """Bounds of 30 % around the truth on two shocks; Bonferroni at six per cent over six bands."""
    impact, names = truth, simulated[0].columns
    cells = []
    for k, name in enumerate(("a", "b")):
        for v in range(3):
            low, high = sorted((impact[v, k] * 0.7, impact[v, k] * 1.3))
            cells.append(tables.cell(name, names[v], (low, high)))
    done = rotate(
        closed(), tables.table(("a", "b"), cells), simulated[0], lags=2, draws=2000, seed=1
    )
    for v in range(3):
        for k in range(2):
            low = done.posterior.impact[..., v, k] < impact[v, k]
            below = np.average(low, weights=done.posterior.weight)
            assert 0.005 < below < 0.995, (v, k)
