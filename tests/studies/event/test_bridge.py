"""Bridge sampling: integrals that are known, and an error that is the error."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import gammaln

from attribution.errors import DiagnosticsError
from attribution.studies.event.sampling import log_evidence

LOG = 123.4
"""Logarithm of the constant by which a normalised density is multiplied."""
SIZE = 6
MIX = np.tril(np.random.default_rng(1).normal(0.0, 0.4, (SIZE, SIZE)), -1) + np.diag(
    np.geomspace(0.01, 30.0, SIZE)
)
MEAN = np.linspace(-5.0, 40.0, SIZE)


def normal(points):
    return stats.multivariate_normal(MEAN, MIX @ MIX.T).logpdf(points) + LOG


def student(points):
    return stats.multivariate_t(MEAN, MIX @ MIX.T, df=5).logpdf(points) + LOG


def gammas(points):
    """Logarithms of gamma variables: skewed, each with the integral one."""
    shape = np.arange(1.0, SIZE + 1)
    return (shape * points - np.exp(points) - gammaln(shape)).sum(1) + LOG


def of_normal(rng, shape):
    return MEAN + rng.standard_normal((*shape, SIZE)) @ MIX.T


def of_student(rng, shape):
    scale = np.sqrt(rng.chisquare(5, shape) / 5)[..., None]
    return MEAN + rng.standard_normal((*shape, SIZE)) @ MIX.T / scale


def of_gammas(rng, shape):
    return np.log(rng.gamma(np.arange(1.0, SIZE + 1), size=(*shape, SIZE)))


CASES = {"normal": (normal, of_normal), "student": (student, of_student),
         "gammas": (gammas, of_gammas)}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_known_integral_is_found_within_its_error(case):
    density, drawn = CASES[case]
    rng = np.random.default_rng(7)
    found = log_evidence(drawn(rng, (4, 2000)), density, rng)
    assert found.error < 0.05
    assert abs(found.log - LOG) < 4 * found.error + 1e-9


@pytest.mark.parametrize("case", ["student", "gammas"])
def test_the_error_is_the_spread_over_repetitions(case):
    density, drawn = CASES[case]
    found = []
    for seed in range(300):
        rng = np.random.default_rng([3, seed])
        found.append(log_evidence(drawn(rng, (2, 300)), density, rng))
    miss = np.array([one.log for one in found]) - LOG
    claimed = np.sqrt(np.mean([one.error**2 for one in found]))
    # A standard deviation of 300 draws has a relative error of 1/sqrt(600).
    assert miss.std() == pytest.approx(claimed, rel=4 / np.sqrt(600))
    assert abs(miss.mean()) < 4 * claimed / np.sqrt(300)


def test_chains_that_repeat_themselves_are_worth_less():
    rng = np.random.default_rng(5)
    slow = np.repeat(of_student(rng, (2, 200)), 10, axis=1)
    quick = of_student(rng, (2, 2000))
    found, free = (log_evidence(x, student, np.random.default_rng(6)) for x in (slow, quick))
    assert found.size < 0.3 * free.size
    assert found.error > 1.3 * free.error


def test_a_space_with_a_wall_has_the_integral_of_its_inside():
    """Loop gains of one and more have no density: half of a normal integrates to one half."""
    rng = np.random.default_rng(8)
    draws = np.abs(rng.standard_normal((4, 3000, 1)))

    def half(points):
        return np.where(points[:, 0] > 0.0, stats.norm.logpdf(points[:, 0]), -np.inf)

    found = log_evidence(draws, half, rng)
    assert abs(found.log - np.log(0.5)) < 4 * found.error
    assert found.error < 0.03


def test_neither_the_unit_of_a_parameter_nor_the_constant_of_the_density_matters():
    draws = of_student(np.random.default_rng(2), (2, 1000))
    scale = np.geomspace(1e-6, 1e6, SIZE)
    one = log_evidence(draws, student, np.random.default_rng(1))
    other = log_evidence(
        draws * scale,
        lambda x: student(x / scale) - np.log(scale).sum() + 1000.0,
        np.random.default_rng(1),
    )
    assert other.log == pytest.approx(one.log + 1000.0, abs=1e-6)
    assert other.error == pytest.approx(one.error, rel=1e-6)


def test_a_seed_repeats_an_evidence():
    draws = of_student(np.random.default_rng(2), (2, 500))
    one, same, other = (
        log_evidence(draws, student, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert one == same
    assert one.log != other.log


@pytest.mark.parametrize(
    ("draws", "density", "message"),
    [
        (np.zeros((2, 10, 6)), normal, "10 draws are too few"),
        (np.zeros((2, 200, 6)), normal, "lie in a plane"),
        (of_normal(np.random.default_rng(1), (2, 200)), lambda x: np.full(len(x), np.nan),
         "not a number somewhere"),
        (of_normal(np.random.default_rng(1), (2, 200)), lambda x: np.full(len(x), -np.inf),
         "a density that is not finite"),
    ],
)  # fmt: skip
def test_what_is_no_posterior_is_refused_in_one_sentence(draws, density, message):
    with pytest.raises(DiagnosticsError, match=message) as caught:
        log_evidence(draws, density, np.random.default_rng(1))
    assert "\n" not in str(caught.value)
