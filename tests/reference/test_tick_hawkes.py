"""Likelihoods that tick stores for a Hawkes process, and parameters that events were drawn from."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from attribution.mechanics.hawkes import Hawkes, events, log_likelihood
from attribution.mechanics.hawkes_fit import fit

FOLDER = Path(__file__).resolve().parent / "hawkes_exponential"
TICK = Hawkes(np.array([[1.0], [3.0]]), np.array([[2.0, 3.0], [4.0, 1.0]]), 2.0)
TRUTH = Hawkes(np.array([[0.12], [0.07]]), np.array([[0.3, 0.0], [0.6, 0.21]]), 3.0)


def read(name, end):
    rows = pd.read_csv(FOLDER / f"{name}.csv")
    return events(rows["time"], rows["node"].to_numpy(), [0.0, end])


def loss(data, model):
    """What tick calls the loss."""
    total = log_likelihood(data, model).sum() + data.nodes * data.edges[-1]
    return -total / len(data.time)


def likelihoods():
    data = read("tick_timestamps", 4.25)
    first = data.node == 0
    alone = events(data.time[first], data.node[first], data.edges, 2)
    each = log_likelihood(data, TICK)
    return {
        "tick.loss.T4.25": loss(data, TICK),
        "tick.loss.T4.25.node1_empty": loss(alone, TICK),
        "loglik.T4.25": each.sum(),
        "loglik.T4.25.node0": each[0],
        "loglik.T4.25.node1": each[1],
    }


def simulated():
    data = read("hawkes_sim", 20_000.0)
    found = fit(data)
    mu, a = found.model.baseline[:, 0], found.model.branching
    rate = np.linalg.solve(np.eye(2) - TRUTH.branching, TRUTH.baseline[:, 0])
    return {
        "sim.n_events": len(data.time),
        "sim.expected_n0": 20_000.0 * rate[0],
        "sim.expected_n1": 20_000.0 * rate[1],
        "sim.mle.mu0": mu[0],
        "sim.mle.mu1": mu[1],
        **{f"sim.mle.A{i}{j}": a[i, j] for i in range(2) for j in range(2)},
        "sim.mle.beta": found.model.decay,
        "sim.nll_at_mle": -found.log_likelihood,
        "sim.nll_at_truth": -log_likelihood(data, TRUTH).sum(),
    }


@pytest.mark.parametrize("numbers", [likelihoods, simulated])
def test_every_stored_number_is_reproduced(numbers, case):
    assert case("hawkes_exponential").misses(numbers()) == {}


def test_no_row_of_the_reference_is_left_out(case):
    assert {*likelihoods(), *simulated()} == set(case("hawkes_exponential").expected.index)


def test_the_likelihood_is_largest_where_the_fit_says():
    data = read("hawkes_sim", 20_000.0)
    assert fit(data).residual_p > 0.01
    assert fit(data).log_likelihood > log_likelihood(data, TRUTH).sum()
