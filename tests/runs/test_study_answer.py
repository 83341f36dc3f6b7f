"""Rows of answers: moments and intervals of draws, of estimates, and further columns."""

import numpy as np
import pytest
from scipy import stats

from attribution.runs import ANSWER
from attribution.runs.study import of_draws, of_error, of_interval


def test_the_shape_of_draws_does_not_matter_and_columns_stand_in_their_order():
    draws = np.random.default_rng(0).standard_normal((4, 50))
    row = of_draws("a sum", draws, "log points", p=0.5)
    assert row == of_draws("a sum", draws.ravel(), "log points", p=0.5)
    assert tuple(row) == (*ANSWER, "p")
    assert row["mean"] == pytest.approx(draws.mean())
    assert row["sd"] == pytest.approx(draws.std(ddof=1))
    assert np.mean((draws >= row["q05"]) & (draws <= row["q95"])) == pytest.approx(0.9)


def test_a_mean_known_better_than_from_draws_replaces_theirs_alone():
    draws = np.arange(10.0)
    row = of_draws("a sum", draws, "log points", mean=4.0)
    assert row == of_draws("a sum", draws, "log points") | {"mean": 4.0}


@pytest.mark.parametrize("freedom", [3, np.inf])
def test_the_interval_of_an_estimate_holds_nine_tenths_of_its_law(freedom):
    row = of_error("a slope", 2.0, 0.5, "unit", freedom=freedom)
    ends = (np.array([row["q05"], row["q95"]]) - 2.0) / 0.5
    assert np.diff(stats.t.cdf(ends, freedom))[0] == pytest.approx(0.9)
    assert ends.sum() == pytest.approx(0.0)


def test_an_interval_found_elsewhere_is_kept():
    row = of_interval("an effect", 1.0, np.nan, (-1.0, 4.0), "unit")
    assert (row["q05"], row["mean"], row["q95"]) == (-1.0, 1.0, 4.0) and np.isnan(row["sd"])
