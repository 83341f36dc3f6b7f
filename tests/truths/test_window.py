"""Windows: which days they hold, what they refuse, and what nests in what."""

from datetime import date

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.decompose import decompose
from attribution.errors import EventError
from attribution.model.spec import Window


@pytest.mark.parametrize("last", [60, 61, 70])
def test_a_window_holds_its_first_and_last_day(world, last):
    split = decompose(world.posterior(), world.values, world.window(60, last))
    assert list(split.time) == list(world.values.index[60 : last + 1])
    assert split.contribution.shape == (1, 1, last - 59, 4, 5)


def test_a_window_may_begin_and_end_on_closed_days(world):
    """A window from a Saturday to a Sunday eight days on is the five trading days between."""
    split = decompose(
        world.posterior(), world.values, Window("week", date(2025, 3, 1), date(2025, 3, 9))
    )
    assert [day.strftime("%a") for day in split.time] == ["Mon", "Tue", "Wed", "Thu", "Fri"]


def test_a_one_day_window_is_the_same_day_split_of_the_forecast_error(world):
    split = decompose(world.posterior(), world.values, world.window(60, 60))
    expected = world.impact * world.path[60]
    size = np.abs(expected).sum(1)[:, None]
    assert (np.abs(split.contribution[0, 0, 0, :, :4] - expected) <= 1e-10 * size).all()


def test_a_longer_window_begins_with_the_shorter_one(world):
    """The future does not reach back: the first days of a nested window are identical."""
    posterior = world.scattered(31)
    short, long = (decompose(posterior, world.values, world.window(60, t)) for t in (61, 64))
    assert np.array_equal(short.contribution, long.contribution[:, :, :2])
    assert np.array_equal(short.baseline, long.baseline[:, :, :2])


def test_shocks_before_a_later_eve_move_into_its_baseline(world):
    """Windows that end together: the later baseline is the earlier one plus the days dropped."""
    posterior = world.scattered(32)
    wide = decompose(posterior, world.values, world.window(58, 62))
    late = decompose(posterior, world.values, world.window(60, 62))
    moved = wide.contribution[:, :, 2:] - late.contribution
    size = 1 + np.abs(wide.contribution).sum(-1)[:, :, 2:]
    gap = late.baseline - wide.baseline[:, :, 2:] - moved.sum(-1)
    assert (np.abs(gap) <= 1e-10 * size).all()
    assert np.abs(moved).max() > 0.1  # the lags carry something over


def test_the_transitory_part_is_what_the_round_trip_undoes(simulation):
    """One day of shocks, first-order lags: C(round trip) / C(crash) is 1 + (A H)_k / H_k."""
    impact = np.array([[-2.0, -1.0], [0.5, 3.0]])
    lags = np.array([[[-0.6, 0.0], [0.1, 0.2]]])
    path = np.zeros((20, 2))
    path[:10] = np.random.default_rng(0).normal(size=(10, 2))
    path[10] = [3.0, 2.0]
    names = ("price", "volume"), ("hedging", "news")
    world = simulation(impact, lags, np.zeros(2), path, *names)
    crash, trip = (
        decompose(world.posterior(), world.values, world.window(10, t)).cumulated("price")[0][0, 0]
        for t in (10, 11)
    )
    expected = 1 + (lags[0] @ impact)[0] / impact[0]
    assert_allclose(trip[:2] / crash[:2], expected, rtol=1e-10)


@pytest.mark.parametrize("hidden", range(4))
def test_one_unidentified_shock_is_a_column_of_the_table(world, hidden):
    """What the model cannot name is neither dropped nor spread over the named channels."""
    named = [name for j, name in enumerate(world.shocks) if j != hidden]
    window = world.window(60, 63)
    full = decompose(world.scattered(33), world.values, window)
    part = decompose(world.scattered(33, channels=named), world.values, window)
    assert part.channels == (*named, "unattributed")
    keep = [j for j in range(4) if j != hidden]
    assert np.array_equal(part.contribution[..., :3], full.contribution[..., keep])
    assert np.array_equal(part.contribution[..., 3], full.contribution[..., hidden])


def test_unattributed_is_zero_when_every_shock_is_named_and_everything_when_none_is(world):
    window = world.window(60, 63)
    full = decompose(world.scattered(34), world.values, window)
    none = decompose(world.scattered(34, channels=()), world.values, window)
    assert (full.contribution[..., -1] == 0).all()
    assert_allclose(none.contribution[..., 0], full.contribution.sum(-1), rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        ("2025-03-05", "2025-03-04", "it ends before it starts; swap the two dates"),
        ("2024-12-30", "2025-01-03", "outside the data, which run from 2025-01-02 to 2025-04-23"),
        ("2025-04-23", "2025-04-24", "outside the data"),
        ("2025-03-08", "2025-03-09", "it holds no trading day; choose days on which"),
        ("2025-01-03", "2025-01-06", "fewer than 2 days precede it; choose a later window"),
    ],
)
def test_a_window_the_data_do_not_cover_is_refused(world, first, last, message):
    window = Window("crash", date.fromisoformat(first), date.fromisoformat(last))
    with pytest.raises(EventError, match=f"window 'crash' .*{message}") as refusal:
        decompose(world.posterior(), world.values, window)
    assert refusal.value.exit_code == 5


@pytest.mark.parametrize("row", [58, 59, 60, 61])
def test_a_missing_value_in_the_window_or_its_lags_is_refused_by_name(world, row):
    values = world.values.copy()
    values.iloc[row, 2] = np.nan
    day = f"{values.index[row]:%Y-%m-%d}"
    with pytest.raises(EventError, match=f"'volatility' has no value on {day}; supply it"):
        decompose(world.posterior(), values, world.window(60, 61))


def test_a_missing_value_elsewhere_does_not_matter(world):
    values = world.values.copy()
    values.iloc[[57, 62], 2] = np.nan
    decompose(world.posterior(), values, world.window(60, 61))
