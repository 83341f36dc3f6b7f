"""The stacked mixture scores no worse than any other, and its weights are what they must be."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import logsumexp

from attribution.sampling.pareto import stacking_weights


def score(log_density, weight):
    with np.errstate(divide="ignore"):
        return logsumexp(log_density + np.log(weight), axis=1).sum()


def test_no_other_mixture_scores_better():
    better = np.array([0.3, 0.25, 0.0, -2.0])
    log_density = better + np.random.default_rng(0).normal(size=(150, 4))
    weight = stacking_weights(log_density)
    best = minimize(
        lambda x: -score(log_density, np.exp(x - logsumexp(x))), np.zeros(4), method="BFGS"
    )
    assert weight.sum() == pytest.approx(1.0)
    assert score(log_density, weight) >= -best.fun - 1e-5


def test_a_rival_that_is_worse_on_every_case_gets_nothing():
    log_density = np.random.default_rng(1).normal(size=(100, 2))
    log_density[:, 1] = log_density[:, 0] - 0.5
    assert stacking_weights(log_density)[0] == pytest.approx(1.0, abs=1e-6)


def test_rivals_that_predict_alike_share_equally():
    log_density = np.repeat(np.random.default_rng(2).normal(size=(50, 1)), 3, axis=1)
    assert np.allclose(stacking_weights(log_density), 1 / 3)


def test_two_rivals_each_right_on_its_own_cases_get_the_share_of_their_cases():
    log_density = np.full((100, 2), -50.0)
    log_density[:30, 0] = log_density[30:, 1] = 0.0
    assert np.allclose(stacking_weights(log_density), [0.3, 0.7], atol=1e-6)


def test_densities_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="not finite"):
        stacking_weights(np.array([[0.0, -np.inf]]))
