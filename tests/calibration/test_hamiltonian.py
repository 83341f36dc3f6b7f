"""The chain of the event design: it leaves a density invariant, whose moments are known."""

import numpy as np
import pytest
from calibration import hamiltonian
from calibration.hamiltonian import independent
from scipy.stats import kstest

from attribution.errors import DiagnosticsError
from attribution.sampling.modes import mode_above

FACTOR = np.array([[2.0, 0.0, 0.0], [1.5, 0.5, 0.0], [-0.3, 0.2, 0.1]])


def normal(point):
    pull = np.linalg.solve(FACTOR @ FACTOR.T, point)
    return -0.5 * float(point @ pull), -pull


def walled(point):
    """Normal above zero, and nothing below: a wall like that of a loop gain of one."""
    if point[0] <= 0.0:
        return -np.inf, np.zeros(1)
    return -0.5 * float(point[0] ** 2), -point


def test_draws_of_a_correlated_normal_are_independent_and_have_its_law():
    top = mode_above(normal, np.ones(3))
    found = independent(normal, top, draws=400, thin=10, rng=np.random.default_rng(0))
    white = np.linalg.solve(FACTOR, found.T).T
    assert found.shape == (400, 3)
    for column in white.T:
        assert kstest(column, "norm").pvalue > 1e-3
    lag = (white[1:] * white[:-1]).mean(axis=0)
    assert (np.abs(lag) < 4.0 / np.sqrt(400)).all()


def test_a_wall_is_not_crossed_and_does_not_distort_the_density():
    top = hamiltonian.Mode(np.array([0.5]), -0.125, np.eye(1))
    found = independent(walled, top, draws=400, thin=10, rng=np.random.default_rng(1))
    assert kstest(found[:, 0], "halfnorm").pvalue > 1e-3


def test_a_chain_that_hardly_moves_is_refused(monkeypatch):
    monkeypatch.setattr(hamiltonian, "WARM", (3, 3, 3))
    top = hamiltonian.Mode(np.zeros(1), 0.0, np.eye(1))

    def wide(point):
        return -0.5e-8 * float(point[0] ** 2), -1e-8 * point

    with pytest.raises(DiagnosticsError, match="iterations are worth"):
        independent(wide, top, draws=50, thin=1, rng=np.random.default_rng(0))
