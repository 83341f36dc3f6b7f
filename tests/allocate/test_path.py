"""Contributions along the path of intensities: what is exact, what is refused."""

import numpy as np
import pytest

from attribution.allocate import aumann_shapley, coalitions, shapley
from attribution.errors import DataError

NAMES = ("F", "B", "G", "L")
MONOMIALS = np.array([(1, 1, 0, 0), (1, 0, 1, 0), (1, 1, 1, 0), (0, 1, 1, 1), (1, 1, 1, 1)])


def polynomial(powers, seed, draws=3):
    """Return sum of c_k prod_i z_i^p_ki, and its Aumann-Shapley value, degree by degree.

    The path gives i the share p_i / (p_1 + ... + p_n) of each monomial.
    """
    c = np.random.default_rng(seed).normal(size=(draws, len(powers)))

    def v(z):
        return c @ np.prod(np.asarray(z, float)[None] ** powers[:, None], axis=2)

    return v, c @ (powers / powers.sum(1, keepdims=True))


def gauss_legendre(gradient, points=60):
    """Integral over [0, 1] of the gradient (draw, point, player) along the diagonal."""
    node, weight = np.polynomial.legendre.leggauss(points)
    return np.einsum("p,dpi->di", weight / 2, gradient((node + 1) / 2))


def test_a_multilinear_outcome_has_the_shapley_value():
    """Owen: the diagonal integral of the multilinear extension is the Shapley value."""
    v, _ = polynomial(MONOMIALS, 0)
    path = aumann_shapley(v, NAMES, unit="pp", tolerance=1e-12)
    game = coalitions(v, NAMES, unit="pp")
    assert np.abs(path.draws - shapley(game).draws).max() <= 1e-12


def test_any_polynomial_of_degree_two_has_the_shapley_value():
    powers = np.array([(1, 0, 0, 0), (2, 0, 0, 0), (0, 0, 2, 0), (1, 1, 0, 0), (0, 1, 0, 1)])
    v, _ = polynomial(powers, 1)
    path = aumann_shapley(v, NAMES, unit="pp", tolerance=1e-12)
    assert np.abs(path.draws - shapley(coalitions(v, NAMES, unit="pp")).draws).max() <= 1e-12


def test_beyond_degree_two_the_path_sees_what_the_corners_do_not():
    """z_F^2 z_B: two thirds and one third along the path, halves at the corners."""
    powers = np.array([(2, 1, 0, 0)])
    v, expected = polynomial(powers, 2, draws=1)
    path = aumann_shapley(v, NAMES, unit="pp", tolerance=1e-12)
    corners = shapley(coalitions(v, NAMES, unit="pp"))
    assert np.abs(path.draws - expected).max() <= 1e-13
    assert path.of("F") == pytest.approx(path.total * 2 / 3, rel=1e-12)
    assert corners.of("F") == pytest.approx(path.total / 2, rel=1e-14)


def test_each_monomial_is_shared_by_its_powers():
    powers = np.random.default_rng(3).integers(0, 4, (6, 4))
    powers[:, 0] += 1
    v, expected = polynomial(powers, 3)
    found = aumann_shapley(v, NAMES, unit="pp", tolerance=1e-9)
    assert (np.abs(found.draws - expected) <= found.error + 1e-13).all()
    assert np.abs(found.draws - expected).max() <= 1e-9


def test_the_path_needs_no_derivative_and_agrees_with_the_integral_of_one():
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=(2, 5, 4))

    def v(z):
        return np.exp(z @ a.T / 2).T + np.sin(z @ b.T).T

    def gradient(t):
        grow = np.exp(t * a.sum(1, keepdims=True) / 2)[..., None] * a[:, None] / 2
        return grow + np.cos(t * b.sum(1, keepdims=True))[..., None] * b[:, None]

    found = aumann_shapley(v, NAMES, unit="pp", tolerance=1e-9)
    expected = gauss_legendre(gradient)
    assert (np.abs(found.draws - expected) <= found.error).all()
    assert found.error.max() <= 1e-9 * np.abs(found.draws).sum(1).max()


@pytest.mark.parametrize("tolerance", [1e-2, 1e-4, 1e-8])
def test_contributions_add_up_at_any_tolerance(amplified, tolerance):
    found = aumann_shapley(amplified, NAMES, unit="pp", tolerance=tolerance)
    assert np.abs(found.draws.sum(1) - found.total).max() <= 1e-14 * 100
    assert (found.error <= tolerance * 10).all()


def test_reordering_the_players_stays_within_the_error(amplified):
    order = [2, 0, 3, 1]
    found = aumann_shapley(amplified, NAMES, unit="pp")
    turned = aumann_shapley(
        lambda z: amplified(z[:, np.argsort(order)]), [NAMES[i] for i in order], unit="pp"
    )
    gap = np.abs(turned.draws - found.draws[:, order])
    assert (gap <= found.error[:, order] + turned.error).all()


def test_a_mechanism_without_strength_gets_exactly_zero():
    v, _ = polynomial(np.array([(1, 3, 0, 0), (2, 1, 0, 1)]), 5)
    found = aumann_shapley(v, NAMES, unit="pp")
    assert np.array_equal(found.of("G"), np.zeros(3))


def test_a_single_player_gets_the_total():
    found = aumann_shapley(lambda z: np.expm1(z[:, 0])[None], ["F"], unit="pp")
    assert found.draws[0, 0] == found.total[0] == np.expm1(1.0)


def bent(seed, draws=400):
    """Falls that are amplified only beyond a threshold: no derivative there."""
    rng = np.random.default_rng(seed)
    direct = rng.uniform(1, 5, (draws, 2))
    gain, floor = rng.uniform(0.05, 0.3, (2, draws, 2))[0], rng.uniform(1, 6, (draws, 2))

    def v(z):
        x = direct @ z[:, :2].T
        a, b = gain[:, :1] * z[:, 2], gain[:, 1:] * z[:, 3]
        p, q = a * floor[:, :1], b * floor[:, 1:]
        lines = [x, (x - p) / (1 - a), (x - q) / (1 - b), (x - p - q) / (1 - a - b)]
        return -np.maximum.reduce(lines)

    return v


def test_an_outcome_that_bends_needs_a_tolerance_and_its_error_is_honest():
    v = bent(0)
    with pytest.raises(DataError, match=r"with 256 cells .* bends or jumps .* tolerance=.* or use"):
        aumann_shapley(v, NAMES, unit="pp")
    loose = aumann_shapley(v, NAMES, unit="pp", tolerance=1e-2)
    tight = aumann_shapley(v, NAMES, unit="pp", tolerance=2e-3)
    gap = np.abs(loose.draws - tight.draws)
    assert (gap <= loose.error + tight.error).mean() >= 0.98
    assert np.abs(loose.draws.sum(1) - loose.total).max() <= 1e-12


def test_the_tolerance_that_a_refusal_proposes_is_enough():
    v = bent(1, draws=20)
    with pytest.raises(DataError) as refused:
        aumann_shapley(v, NAMES, unit="pp")
    proposed = float(str(refused.value).split("tolerance=")[1].split()[0])
    found = aumann_shapley(v, NAMES, unit="pp", tolerance=proposed)
    assert np.abs(found.draws.sum(1) - found.total).max() <= 1e-12


@pytest.mark.parametrize("at", [0.0, 0.3, 0.5])
def test_a_jump_that_belongs_to_nobody_is_refused(at):
    """It would go to whoever happens to cross it first."""

    def v(z):
        return -(z.sum(1) > 4 * at).astype(float)[None]

    with pytest.raises(DataError, match="bends or jumps"):
        aumann_shapley(v, NAMES, unit="pp", tolerance=0.05)


def test_a_jump_that_belongs_to_one_player_goes_to_it():
    found = aumann_shapley(lambda z: -(z[:, 2] > 0.5).astype(float)[None], NAMES, unit="pp")
    assert np.array_equal(found.draws, [[0.0, 0.0, -1.0, 0.0]])


def test_a_point_without_a_solution_is_named():
    def v(z):
        gain = 0.6 * z[:, 2] + 0.6 * z[:, 3]
        return np.where(gain < 1, -z[:, 0] / (1 - np.minimum(gain, 0.9)), np.nan)[None]

    with pytest.raises(DataError, match=r"draw 0 of F 1, B 1, G 1, L 1 is nan"):
        aumann_shapley(v, NAMES, unit="pp")
