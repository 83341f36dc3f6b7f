"""Modes of a density: their places and masses, and chains that must not stay in a poor one."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.errors import DiagnosticsError
from attribution.sampling.judge import begun_again
from attribution.sampling.modes import masses_above, mode_above
from attribution.sampling.warmup import begin, warm_up

FAR = 40.0


def two_normals(log_weight, sd=(1.0, 1.0)):
    """A mixture of two normals on the plane, FAR apart, the second with a weight of its own."""
    centres = np.array([[0.0, 0.0], [FAR, 0.0]])
    weight = np.array([0.0, log_weight])
    sd = np.asarray(sd)

    def density(x):
        away = x - centres
        log = weight - 0.5 * (away**2).sum(1) / sd**2 - 2.0 * np.log(sd)
        total = np.logaddexp(*log)
        return float(total), -(np.exp(log - total)[:, None] * away / sd[:, None] ** 2).sum(0)

    return density


def test_a_mode_has_its_place_and_the_curvature_of_a_normal():
    covariance = np.array([[2.0, 0.6], [0.6, 0.5]])
    precision, centre = np.linalg.inv(covariance), np.array([3.0, -1.0])

    def density(x):
        return float(-0.5 * (x - centre) @ precision @ (x - centre)), -precision @ (x - centre)

    found = mode_above(density, np.zeros(2))
    assert_allclose(found.place, centre, atol=1e-4)
    assert_allclose(found.covariance, covariance, rtol=1e-6)


@pytest.mark.parametrize("sd", [(1.0, 1.0), (1.0, 0.3)])
def test_masses_of_modes_differ_by_the_logarithm_of_their_weights(sd):
    """Height alone would mislead: a narrow mode is high and holds no more for it."""
    density = two_normals(-5.0, sd)
    first = mode_above(density, np.array([0.5, 0.5]))
    points = np.array([[FAR + 0.2, 0.3], [-0.4, 0.1], [FAR - 0.3, 0.0]])
    masses = masses_above(density, points, first)
    assert_allclose(masses - masses[1], [-5.0, 0.0, -5.0], atol=1e-5)


def test_a_density_that_is_nowhere_finite_is_refused():
    with pytest.raises(DiagnosticsError, match="no mode"):
        mode_above(lambda x: (np.nan, np.zeros_like(x)), np.zeros(2))


def test_a_lost_chain_begins_half_way_through_another_and_the_rest_where_they_ended():
    draws = np.arange(4 * 10 * 2, dtype=float).reshape(4, 10, 2)
    starts = begin(draws, np.array([True, False, True, False]))
    assert_allclose(starts[[0, 2]], draws[[0, 2], -1])
    assert_allclose(starts[[1, 3]], draws[[0, 2], 5])
    assert_allclose(begin(draws, np.ones(4, bool)), draws[:, -1])


@pytest.mark.parametrize(("log_weight", "lost"), [(-25.0, True), (-2.0, False)])
def test_a_chain_in_a_mode_of_little_mass_is_begun_again_and_one_with_mass_stays(
    log_weight, lost, monkeypatch
):
    """Pilots are scattered so widely that some end in the far mode; only mass decides."""
    pm = pytest.importorskip("pymc")
    import pytensor.tensor as pt

    from attribution.sampling import warmup

    monkeypatch.setattr(warmup, "DISPERSION", FAR / 2)
    with pm.Model() as model:
        x = pm.Flat("x", shape=2, initval=np.zeros(2))
        near = -0.5 * (x**2).sum()
        far = log_weight - 0.5 * ((x[0] - FAR) ** 2 + x[1] ** 2)
        pm.Potential("mixture", pt.logaddexp(near, far))
    found = warm_up(model, chains=8, cores=1, iterations=60, seed=3, progress=False)
    ends = np.array([start["x"][0] for start in found.starts])
    strayed = ends > FAR / 2
    if lost:
        assert found.begun_again > 0 and not strayed.any()
        assert found.metric[0, 0] < 10.0
    else:
        assert found.begun_again == 0 and strayed.any() and not strayed.all()


def test_chains_begun_again_are_reported_and_silence_means_none():
    assert begun_again(0, 4) == ()
    (said,) = begun_again(1, 4)
    assert said.verdict == "holds" and "1 of 4" in said.evidence
    assert begun_again(2, 4)[0].verdict == "undecided"
