"""Which of the shocks that a law tells apart carry a name, and how often."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.finding import SURE
from attribution.var.identify.feasible import carriers, names_finding
from attribution.var.identify.labels import name_by_table

N, LEAD = 5, (2, 400)
IMPACT = np.eye(N) + 0.3 * np.tri(N, k=-1)
VARIABLES = ("a", "b", "c", "d", "e")


def draws(rng, noise=0.02):
    return IMPACT + noise * rng.standard_normal((*LEAD, N, N))


def signed(cells):
    """Claims of one channel: the sign of a column's response of each variable, or none."""

    def fits(impact, lag_coefficients):
        value = np.array(cells)[None, None, :, None] * impact[:, None]
        return (value >= 0).all(2) + 2 * (value <= 0).all(2)

    return fits


def named(mixed, cells, rng):
    naming = name_by_table(mixed, np.zeros((*LEAD, 1, N, N)), signed(cells), rng=rng)
    return naming.columns(mixed), naming.weight.astype(float)


def test_one_sign_hands_a_name_to_every_shock_in_turn_and_the_finding_fails():
    """Any of five columns, one way up or the other, moves the last variable up: a fifth each."""
    rng = np.random.default_rng(0)
    impact, weight = named(draws(rng), [0, 0, 0, 0, 1], rng)
    found = carriers(impact, weight, 1)
    error = np.sqrt(0.2 * 0.8 / 800)
    assert_allclose(found.share, 0.2, atol=4.5 * error)
    assert found.share.sum() == pytest.approx(1.0)
    said = names_finding(found, ("monetary",), VARIABLES, "all")
    assert said.verdict == "fails"
    assert said.probability < 0.3
    assert all(f"{name} in 0." in said.evidence for name in VARIABLES)


def test_a_name_that_one_shock_alone_may_carry_holds_whatever_the_order_of_the_columns():
    """Only the third column moves the first two variables so; its place and sign are scrambled."""
    rng = np.random.default_rng(1)
    base = draws(rng)
    base[..., :2, :] = [[1, 0.3, -0.5, 0.3, 0.3], [0.3, 1, 0.5, 0.3, 0.3]]
    base[..., :2, :] += 0.02 * rng.standard_normal((*LEAD, 2, N))
    order = np.argsort(rng.random((*LEAD, 1, N)), axis=-1)
    turn = rng.choice([-1.0, 1.0], (*LEAD, 1, N))
    impact, weight = named(np.take_along_axis(base, order, -1) * turn, [-1, 1, 0, 0, 0], rng)
    found = carriers(impact, weight, 1)
    assert found.surest[0] == 1.0 and found.error[0] == 0.0
    assert_allclose(sorted(found.share[0]), [0, 0, 0, 0, 1], atol=1e-12)
    assert names_finding(found, ("risk",), VARIABLES, "all").verdict == "holds"
    # without names: the mean of the columns themselves, up to their order and signs
    at = found.share[0].argmax()
    column = found.impact[:, at]
    assert_allclose(np.abs(column), np.abs(base[..., 2].mean((0, 1))), atol=0.01)


def test_a_name_that_is_turned_over_is_no_one_s():
    """The signed response is zero: the column is always the same, and half the time upside down."""
    rng = np.random.default_rng(2)
    base = draws(rng)
    base[..., 4, :] = 0.0
    base[..., 4, 4] = 1.0
    impact = base.copy()
    impact[..., 0] *= rng.choice([-1.0, 1.0], LEAD)[..., None]
    found = carriers(impact, np.ones(LEAD), 1)
    assert found.share[0].max() == pytest.approx(1.0)
    assert found.surest[0] < 0.6
    assert names_finding(found, ("risk",), VARIABLES, "all").verdict == "fails"


@pytest.mark.parametrize(
    ("share", "verdict"), [(0.97, "holds"), (SURE, "undecided"), (0.8, "fails")]
)
def test_nine_draws_in_ten_decide_and_weights_count(share, verdict):
    rng = np.random.default_rng(3)
    impact = draws(rng)
    swapped = np.arange(LEAD[1])[None] % 10 == np.arange(2)[:, None]
    impact[swapped] = impact[swapped][..., [1, 0, 2, 3, 4]]
    weight = np.where(swapped, (1 - share) / 0.1, share / 0.9)
    found = carriers(impact, weight, 1)
    assert found.surest[0] == pytest.approx(share)
    assert names_finding(found, ("risk",), VARIABLES, "all").verdict == verdict
