"""Smoothed weights agree with the field's implementation, and with laws whose tail is known."""

import arviz as az
import numpy as np
import pytest

from attribution.sampling.diagnostics import PARETO_K, psis
from attribution.sampling.pareto import smooth_weights


@pytest.mark.parametrize("draws", [100, 1000, 4000])
@pytest.mark.parametrize("spread", [0.01, 0.5, 1.0, 2.0, 4.0])
def test_weights_and_shape_are_those_of_arviz(draws, spread):
    """To the last digit; the newer line counts the tail by one draw more or less."""
    exact = hasattr(az, "psislw")
    ratios = spread * np.random.default_rng(draws).normal(size=(1, draws))
    logs, shape = smooth_weights(ratios)
    expected, k = psis(ratios[0])
    assert shape[0] == pytest.approx(k, abs=1e-9 if exact else 0.02)
    mine, theirs = np.exp(logs[0]), np.exp(expected) / draws
    assert np.allclose(mine, theirs, rtol=1e-9 if exact else 0.05, atol=1e-15)


@pytest.mark.parametrize("tail", [0.3, 0.5, 0.9])
def test_the_shape_of_a_pareto_tail_is_found(tail):
    uniform = np.random.default_rng(1).random((20, 4000))
    _, shape = smooth_weights(-tail * np.log(uniform))
    assert shape.mean() == pytest.approx(tail, abs=0.05)
    assert (shape.mean() > PARETO_K) == (tail > PARETO_K)


def test_a_constant_added_to_the_ratios_changes_nothing():
    ratios = np.random.default_rng(2).normal(size=(3, 500))
    assert np.allclose(smooth_weights(ratios)[0], smooth_weights(ratios + 700.0)[0])


def test_equal_ratios_get_equal_weights_and_full_trust():
    logs, shape = smooth_weights(np.zeros((1, 200)))
    assert np.allclose(logs, -np.log(200))
    assert shape[0] == -np.inf


def test_ratios_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="not finite"):
        smooth_weights(np.full((1, 50), np.nan))
