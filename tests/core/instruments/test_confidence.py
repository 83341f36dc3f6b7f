"""A test inverted for a ratio has four shapes, and each is told apart."""

import math

import numpy as np
import pytest

from attribution.core.instruments.first_stage import ConfidenceSet, ratio_set

CRITICAL = 2.7055


def accepted(numerator, denominator, variance, value):
    nn, cross, dd = variance
    gap = (numerator - value * denominator) ** 2
    return gap <= CRITICAL * (nn - 2 * value * cross + value**2 * dd)


def test_a_strong_denominator_gives_an_interval():
    found = ratio_set(2.0, 4.0, (1.0, 0.3, 0.5), CRITICAL)
    assert found.bounded
    assert str(found).startswith("[")
    assert found.low < 0.5 < found.high


def test_a_weak_denominator_gives_two_half_lines_or_everything():
    apart = ratio_set(5.0, 0.5, (1.0, 0.0, 1.0), CRITICAL)
    assert apart.shape == "two_half_lines"
    assert "or at least" in str(apart)
    assert 0.0 not in apart
    assert 10.0 in apart
    nothing = ratio_set(0.5, 0.5, (1.0, 0.0, 1.0), CRITICAL)
    assert (nothing.shape, str(nothing)) == ("everything", "every value")


def test_a_denominator_just_at_the_critical_value_gives_a_half_line():
    found = ratio_set(2.0, 1.0, (0.5, 0.0, 1.0), 1.0)
    assert found.shape == "half_line"
    assert math.isinf(found.high)
    assert str(found) == f"at least {found.low:.4g}"
    mirrored = ratio_set(-2.0, 1.0, (0.5, 0.0, 1.0), 1.0)
    assert str(mirrored) == f"at most {mirrored.high:.4g}"
    assert mirrored.high == pytest.approx(-found.low)


def test_sets_hold_exactly_the_values_that_the_test_accepts():
    rng = np.random.default_rng(1)
    shapes = set()
    for _ in range(200):
        numerator, denominator = 3 * rng.standard_normal(2)
        root = rng.standard_normal((2, 2))
        cov = root @ root.T
        variance = (cov[0, 0], cov[0, 1], cov[1, 1])
        found = ratio_set(numerator, denominator, variance, CRITICAL)
        shapes.add(found.shape)
        assert numerator / denominator in found
        for value in 10 * rng.standard_cauchy(50):
            assert (value in found) == accepted(numerator, denominator, variance, value)
    assert shapes == {"interval", "two_half_lines", "everything"}


def test_units_of_numerator_and_denominator_do_not_matter():
    one = ratio_set(2.0, 4.0, (1.0, 0.3, 0.5), CRITICAL)
    for a, b in ((1e9, 1.0), (1.0, 1e9), (1e-9, 1e3)):
        other = ratio_set(2.0 * a, 4.0 * b, (a * a, 0.3 * a * b, 0.5 * b * b), CRITICAL)
        assert other.low == pytest.approx(one.low * a / b, rel=1e-12)
        assert other.high == pytest.approx(one.high * a / b, rel=1e-12)


def test_a_response_to_itself_is_one_without_doubt():
    found = ratio_set(3.0, 3.0, (0.7, 0.7, 0.7), CRITICAL)
    assert found.low == pytest.approx(1.0, abs=1e-7)
    assert found.high == pytest.approx(1.0, abs=1e-7)


def test_a_scaled_set_keeps_its_shape_and_turns_around():
    apart = ConfidenceSet("two_half_lines", -1.0, 2.0)
    assert apart.scaled(-3.0) == ConfidenceSet("two_half_lines", -6.0, 3.0)
    with pytest.raises(ValueError, match="lost what it says"):
        apart.scaled(0.0)


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="none of"):
        ConfidenceSet("circle", 0.0, 1.0)
    with pytest.raises(ValueError, match="cannot run"):
        ConfidenceSet("interval", 1.0, 0.0)
