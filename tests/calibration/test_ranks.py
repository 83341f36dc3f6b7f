"""Where the truth lies among draws, and whether ranks are uniform."""

import itertools
from math import comb

import numpy as np
import pytest
from calibration import uniformity
from calibration.ranks import placement, rank
from scipy.stats import binom, kstest


@pytest.mark.parametrize("draws", [5, 99])
def test_a_truth_like_its_draws_is_placed_uniformly(draws):
    rng = np.random.default_rng(1)
    values = rng.standard_normal((4000, draws + 1))
    places = [placement(row[0], row[1:], None, rng) for row in values]
    assert kstest(places, "uniform").pvalue > 1e-3


def test_the_rank_among_as_many_draws_is_their_number_below():
    rng = np.random.default_rng(2)
    for _ in range(50):
        truth, draws = rng.standard_normal(), rng.standard_normal(99)
        assert rank(np.array(placement(truth, draws, None, rng)), 99) == (draws < truth).sum()


def test_ties_are_broken_at_random():
    rng = np.random.default_rng(3)
    values = rng.integers(0, 2, (4000, 21)).astype(float)
    places = [placement(row[0], row[1:], None, rng) for row in values]
    assert kstest(places, "uniform").pvalue > 1e-3


def test_weights_turn_draws_of_a_proposal_into_draws_of_the_posterior():
    """Draws from N(0, 2²) with weights for a truth from N(0.5, 1)."""
    rng = np.random.default_rng(4)
    places, blind = [], []
    for _ in range(3000):
        x = 2 * rng.standard_normal(800)
        weight = np.exp(-0.5 * (x - 0.5) ** 2 + x**2 / 8)
        truth = 0.5 + rng.standard_normal()
        places.append(placement(truth, x, weight, rng))
        blind.append(placement(truth, x, None, rng))
    assert kstest(places, "uniform").pvalue > 1e-3
    assert kstest(blind, "uniform").pvalue < 1e-9


@pytest.mark.parametrize(
    ("truth", "draws", "weight"),
    [
        (np.nan, [1.0], None),
        (0.0, [np.inf], None),
        (0.0, [1.0, 2.0], [1.0]),
        (0.0, [1.0], [-1.0]),
        (0.0, [1.0], [0.0]),
    ],
)
def test_what_cannot_be_ranked_is_refused(truth, draws, weight):
    w = None if weight is None else np.array(weight)
    with pytest.raises(ValueError, match=r"ranked is not finite|weights must be"):
        placement(truth, np.array(draws), w, np.random.default_rng(0))


def gamma(ranks, cells):
    """Smallest two-sided tail at any cut, by summing the binomial law as the definition reads."""
    total, out = len(ranks), []
    for j in range(1, cells):
        mass = [
            comb(total, k) * (j / cells) ** k * (1 - j / cells) ** (total - k)
            for k in range(total + 1)
        ]
        x = sum(r < j for r in ranks)
        out.append(2 * min(sum(mass[: x + 1]), sum(mass[x:])))
    return min(out)


def test_the_p_value_is_the_share_of_all_samples_that_are_as_unlikely():
    """Three ranks in four cells: all 64 samples, one by one."""
    every = np.array([gamma(sample, 4) for sample in itertools.product(range(4), repeat=3)])
    for sample in [(0, 0, 0), (0, 1, 3), (1, 2, 2), (3, 3, 2)]:
        exact = (every <= gamma(sample, 4) * (1 + 1e-9)).mean()
        assert uniformity.p_value(np.array(sample), 4) == pytest.approx(exact, abs=1e-12)


def test_the_band_holds_uniform_ranks_as_often_as_it_says():
    band = uniformity.band(200, 20)
    assert band.coverage >= 0.95
    rng = np.random.default_rng(5)
    samples = rng.integers(0, 20, (20000, 200))
    below = np.stack([(samples < j).sum(1) for j in range(1, 20)], axis=1)
    inside = ((below >= band.low) & (below <= band.high)).all(1).mean()
    assert abs(inside - band.coverage) < 4 * np.sqrt(0.05 * 0.95 / 20000)


def test_the_band_of_one_cut_is_the_binomial_interval():
    """Two cells have one cut: it leaves at most 2.5 % on either side, no more than it must."""
    for total in range(6, 121):
        band = uniformity.band(total, 2)
        edges = int(band.low[0]), int(band.high[0])
        assert edges == tuple(binom.interval(0.95, total, 0.5)), total


def test_the_p_value_falls_below_the_level_exactly_outside_the_band():
    band = uniformity.band(100, 10)
    rng = np.random.default_rng(6)
    for _ in range(300):
        ranks = rng.binomial(9, rng.uniform(0.4, 0.6), 100)
        below = uniformity.counts(ranks, 10)
        outside = bool(((below < band.low) | (below > band.high)).any())
        assert outside == (uniformity.p_value(ranks, 10) <= 1 - band.coverage + 1e-12)


def test_a_gross_departure_has_no_chance():
    assert uniformity.p_value(np.zeros(1000, int), 100) == pytest.approx(0.0, abs=1e-12)
