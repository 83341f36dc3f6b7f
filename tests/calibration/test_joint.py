"""The joint-distribution test passes a right step and sees a wrong one."""

import numpy as np
import pytest
from oracles.joint import compare, joint_test


def gibbs(shape=2.0):
    """Mean and precision of five normals; a step that draws each given the other."""

    def prior(rng):
        return rng.standard_normal(), rng.gamma(2.0) + 0.2

    def simulate(state, rng):
        return state[0] + rng.standard_normal(5) / np.sqrt(state[1])

    def step(state, data, rng):
        precision = state[1]
        total = 1 + 5 * precision
        mean = (precision * data.sum()) / total + rng.standard_normal() / np.sqrt(total)
        # a random walk on the precision, accepted by its gamma(2) law shifted by 0.2
        tried = precision + 0.5 * rng.standard_normal()
        if tried > 0.2:

            def log(x):
                square = ((data - mean) ** 2).sum()
                return (
                    (shape - 1) * np.log(x - 0.2) - (x - 0.2) + 2.5 * np.log(x) - 0.5 * x * square
                )

            if -rng.standard_exponential() < log(tried) - log(precision):
                precision = tried
        return mean, precision

    return prior, simulate, step


def functionals(state, data):
    mean, precision = state
    return {
        "mean": mean,
        "square": mean**2,
        "log precision": np.log(precision),
        "both": mean * precision,
        "data": np.tanh(data[0]),
        "spread": np.log(data.var()),
    }


def test_a_right_step_leaves_the_joint_law():
    found = joint_test(*gibbs(), functionals, draws=4000, rng=np.random.default_rng(1), thin=3)
    assert found.holds, found.worst
    assert (found.ess <= 4000 * 3).all() and (found.ess > 50).all()


def test_a_wrong_prior_in_the_step_is_seen():
    found = joint_test(
        *gibbs(shape=2.6), functionals, draws=4000, rng=np.random.default_rng(1), thin=3
    )
    assert not found.holds
    assert found.worst[0] in ("log precision", "spread")


def test_forty_functionals_have_the_limit_of_three_and_a_half():
    rng = np.random.default_rng(2)
    names = tuple(f"f{i}" for i in range(40))
    found = compare(rng.standard_normal((500, 40)), rng.standard_normal((500, 40)), names)
    assert found.limit == pytest.approx(3.5, abs=0.05)
    assert found.holds


def test_the_error_of_a_chain_allows_for_its_memory():
    """An autoregression of 0.9 has a nineteenth of its length as effective size."""
    rng = np.random.default_rng(3)
    chain = np.zeros((100_000, 1))
    for t in range(1, len(chain)):
        chain[t] = 0.9 * chain[t - 1] + rng.standard_normal()
    found = compare(rng.standard_normal((1000, 1)), chain, ("x",))
    # relative error of a variance from 100 batch means is the root of 2/99
    assert found.ess[0] == pytest.approx(100_000 / 19, rel=4 * np.sqrt(2 / 99))


@pytest.mark.parametrize("chain", [np.zeros((300, 1)), np.full((300, 1), np.nan)])
def test_a_functional_that_says_nothing_is_refused(chain):
    with pytest.raises(ValueError, match="must be finite and vary"):
        compare(np.zeros((10, 1)), chain, ("x",))


def test_a_short_chain_is_refused():
    with pytest.raises(ValueError, match="a chain of 150 is too short; draw 200 at least"):
        compare(np.zeros((10, 1)), np.zeros((150, 1)), ("x",))
