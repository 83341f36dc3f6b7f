"""Conventions of the basis, their conversion, financing, constant maturities and the clock."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.errors import DataError
from attribution.mechanics.basis import (
    CONVENTIONS,
    annualised,
    clock_error,
    constant_maturity,
    converted,
    excess_carry,
    future_price,
    mismatch,
)

RNG = np.random.default_rng(12)
SPOT = RNG.uniform(2e4, 1e5, 200)
FUTURE = SPOT * np.exp(RNG.normal(0.005, 0.01, 200))
DAYS = RNG.integers(1, 200, 200).astype(float)


def test_the_three_definitions():
    ratio = FUTURE / SPOT
    assert_allclose(annualised(SPOT, FUTURE, DAYS, "simple"), (ratio - 1) * 365 / DAYS, rtol=1e-10)
    assert_allclose(annualised(SPOT, FUTURE, DAYS, "log"), np.log(ratio) * 365 / DAYS, rtol=1e-10)
    assert_allclose(
        annualised(SPOT, FUTURE, DAYS, "compound"), ratio ** (365 / DAYS) - 1, rtol=1e-9
    )


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_the_price_behind_a_basis_has_that_basis(convention):
    basis = annualised(SPOT, FUTURE, DAYS, convention)
    assert_allclose(future_price(SPOT, basis, DAYS, convention), FUTURE, rtol=1e-12)


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("to", CONVENTIONS)
def test_conversion_goes_through_the_prices_and_back(convention, to):
    basis = annualised(SPOT, FUTURE, DAYS, convention)
    other = converted(basis, DAYS, convention, to)
    assert_allclose(other, annualised(SPOT, FUTURE, DAYS, to), rtol=1e-10, atol=1e-13)
    assert_allclose(converted(other, DAYS, to, convention), basis, rtol=1e-10, atol=1e-13)


def test_the_conventions_order_as_interest_does():
    up = FUTURE > SPOT
    log, simple, compound = (
        annualised(SPOT, FUTURE, np.minimum(DAYS, 300), c) for c in ("log", "simple", "compound")
    )
    assert (log < simple).all() and (simple < compound)[up].all()


def test_only_the_ratio_of_prices_matters():
    assert_allclose(
        annualised(7 * SPOT, 7 * FUTURE, DAYS, "log"), annualised(SPOT, FUTURE, DAYS, "log"),
        rtol=1e-12, atol=1e-14,
    )  # fmt: skip


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_future_priced_at_the_cost_of_money_has_no_excess_carry(convention):
    future = SPOT * (1 + 0.0365 * DAYS / 360)
    basis = annualised(SPOT, future, DAYS, convention)
    assert_allclose(excess_carry(basis, DAYS, convention, 0.0365), 0.0, atol=1e-12)


def test_the_day_count_of_the_rate_is_not_that_of_the_basis():
    assert_allclose(excess_carry(0.09, 22.0, "simple", 0.0365), 0.09 - 0.0365 * 365 / 360)
    assert_allclose(excess_carry(0.09, 22.0, "simple", 0.0365, day_count=365), 0.09 - 0.0365)


def test_a_gap_of_a_third_of_a_percent_at_22_days_is_the_whole_published_jump():
    # 3.3 % to 9 %: 5.7 points, between what 0.335 and 0.345 percent give.
    low, high = 100 * mismatch([0.00335, 0.00345], 22.0)
    assert low < 5.7 < high
    assert_allclose(mismatch(0.0034, 22.0), 0.0564, atol=1e-4)
    skewed = annualised(SPOT / 1.0034, FUTURE, 22.0, "simple")
    clean = annualised(SPOT, FUTURE, 22.0, "simple")
    assert_allclose(skewed - clean, 0.0564 * FUTURE / SPOT, atol=1e-4)


def test_the_error_of_a_clock_grows_with_its_root_and_shrinks_with_maturity():
    one = clock_error(0.6, 60.0, 22.0)
    assert_allclose(clock_error(0.6, 240.0, 22.0), 2 * one)
    assert_allclose(clock_error(0.6, 60.0, 44.0), one / 2)
    assert clock_error(0.6, 0.0, 22.0) == 0.0
    # Three hours at 100 % volatility, as between CME's settlement and 00:00 UTC: 31 points.
    assert_allclose(clock_error(1.0, 180.0, 22.0), 0.307, atol=5e-4)


def test_the_error_of_a_clock_is_what_simulated_prices_show():
    rng = np.random.default_rng(2)
    later = 7e4 * np.exp(0.6 * np.sqrt(180 / 525_600) * rng.standard_normal(20_000))
    seen = annualised(7e4, 1.004 * later, 22.0, "log").std()
    assert_allclose(seen, clock_error(0.6, 180.0, 22.0), rtol=4 / np.sqrt(2 * 20_000))


def test_constant_maturity_is_exact_on_a_line_and_does_not_care_for_the_order():
    rng = np.random.default_rng(1)
    days = np.sort(rng.choice(np.arange(6, 200), (50, 4)), axis=1).astype(float)
    basis = 0.03 + 2e-4 * days
    inside = (days.min(axis=1) <= 60) & (days.max(axis=1) >= 60)
    found = constant_maturity(days, basis, 60.0)
    assert 10 < inside.sum() < 50
    assert_allclose(found[inside], 0.03 + 2e-4 * 60, rtol=1e-12)
    assert np.isnan(found[~inside]).all()
    order = rng.permutation(4)
    assert_allclose(constant_maturity(days[:, order], basis[:, order], 60.0), found)


def test_it_uses_the_two_nearest_contracts_and_a_listed_maturity_as_it_is():
    days, basis = np.array([[20.0, 50.0, 80.0]]), np.array([[0.02, 0.05, 0.20]])
    assert_allclose(constant_maturity(days, basis, 35.0), 0.035)
    assert_allclose(constant_maturity(days, basis, 50.0), 0.05)
    assert_allclose(constant_maturity(days, basis, np.array([80.0])), 0.20)


def test_contracts_about_to_expire_and_missing_ones_are_not_used():
    days, basis = np.array([4.9, 40.0, np.nan]), np.array([5.0, 0.05, 0.01])
    assert np.isnan(constant_maturity(days, basis, 30.0))
    assert_allclose(constant_maturity([5.0, 40.0], [0.02, 0.055], 30.0), 0.045)
    assert np.isnan(constant_maturity([10.0, 40.0], [np.nan, 0.05], 30.0))
    assert_allclose(constant_maturity(days, basis, 40.0), 0.05)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: annualised(7e4, 7.1e4, 0.0, "log"), "days is 0.0; give a number above zero"),
        (lambda: annualised(7e4, 7.1e4, 22.0, "cont"), "convention is 'cont'"),
        (lambda: converted(0.1, 22.0, "simpel", "log"), "nearest: 'simple'"),
        (lambda: future_price(7e4, -20.0, 22.0, "simple"), "below zero"),
        (lambda: excess_carry(0.1, 22.0, "log", -20.0), "check its unit"),
        (lambda: clock_error(0.6, -1.0, 22.0), "minutes are below zero"),
        (lambda: annualised(0.0, 7.1e4, 22.0, "log"), "spot is 0.0"),
    ],
)
def test_bad_bases_are_refused_in_one_sentence(act, message):
    with pytest.raises(DataError, match=message) as caught:
        act()
    assert "\n" not in str(caught.value)
