"""Columns without names: named by a table with exact weights, or by likeness, or refused."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.core.rotations.haar import haar
from attribution.core.rotations.naming import reordered
from attribution.errors import IdentificationError
from attribution.var.identify.labels import name_by_likeness, name_by_table

IMPACT = np.array([[1.0, 0.5, -0.3], [-0.4, 2.0, 0.6], [0.8, -0.9, 0.5]])
LAGS = np.zeros((2, 400, 1, 3, 3))


def scrambled(rng, *, noise, lead=(2, 400)):
    """Draws around one impact matrix, every one with an order and signs of its own."""
    draws = IMPACT + noise * rng.standard_normal((*lead, 3, 3))
    order = np.argsort(rng.random((*lead, 3)), axis=-1) + 1
    order *= rng.choice([-1, 1], size=order.shape)
    mixed = reordered(draws.reshape(-1, 3, 3), order.reshape(-1, 3)).reshape(*lead, 3, 3)
    return draws, mixed


def by_sign(signs):
    """Claims of one channel a row of ``signs``: the sign of each variable's response, or none."""
    signs = np.asarray(signs)

    def fits(impact, lag_coefficients):
        value = signs[None, :, :, None] * impact[:, None]
        return (value >= 0).all(2) + 2 * (value <= 0).all(2)

    return fits


def test_labels_that_draws_have_traded_are_put_back():
    """The trap: 34 of 40 replicates permuted, bands five to six times too wide."""
    rng = np.random.default_rng(0)
    draws, mixed = scrambled(rng, noise=0.05)
    found = name_by_likeness(mixed)
    named = found.naming.columns(mixed)
    assert found.ambiguous == 0.0
    assert mixed.std((0, 1)).min() > 5 * named.std((0, 1)).max()
    order = reordered(found.reference[None], _order_of(found.reference))[0]
    assert_allclose(order, IMPACT, atol=0.02)
    back = reordered(named.reshape(-1, 3, 3), np.repeat(_order_of(found.reference), 800, 0))
    assert_allclose(back.reshape(draws.shape), draws)


def _order_of(reference):
    from attribution.core.rotations.naming import match

    return match(np.linalg.solve(IMPACT, reference)[None])[0]


def test_what_goes_with_a_shock_follows_its_name():
    rng = np.random.default_rng(1)
    _, mixed = scrambled(rng, noise=0.01)
    naming = name_by_likeness(mixed, IMPACT).naming
    mark = np.abs(mixed[:, :, 0])  # |impact on the first variable| as a hyperparameter
    assert_allclose(naming.reordered(mark), np.abs(naming.columns(mixed)[:, :, 0]))
    scale = np.repeat(mark[:, :, None], 4, axis=2)
    assert_allclose(naming.reordered(scale)[:, :, 3], naming.reordered(mark))
    shocks = np.linalg.inv(mixed) @ np.ones(3)
    turned = np.linalg.inv(naming.columns(mixed)) @ np.ones(3)
    assert_allclose(naming.columns(shocks), turned)


def test_names_by_likeness_know_no_units_and_follow_a_new_order_of_variables():
    _, mixed = scrambled(np.random.default_rng(2), noise=0.03)
    plain = name_by_likeness(mixed)
    units = np.array([[1000.0], [1.0], [0.001]])
    scaled = name_by_likeness(units * mixed)
    assert (plain.naming.order == scaled.naming.order).all()
    turned = [2, 0, 1]
    other = name_by_likeness(mixed[:, :, turned])
    assert (other.naming.order == plain.naming.order[..., turned]).all()


def test_rotations_that_nothing_pins_down_are_refused():
    rng = np.random.default_rng(3)
    free = IMPACT @ haar(3, 800, rng).reshape(2, 400, 3, 3)
    with pytest.raises(IdentificationError, match=r"cannot be told apart: \d+ % of the draws"):
        name_by_likeness(free)


def test_a_table_restricts_as_plain_rejection_does():
    """Uniform rotations of a matrix: the weighted share and means of the brute-force set."""
    rng = np.random.default_rng(5)
    count, signs = 40_000, [[1, 0, 1], [1, 1, -1]]
    draws = IMPACT @ haar(3, count, rng)
    naming = name_by_table(draws[None], np.zeros((1, count, 1, 3, 3)), by_sign(signs), rng=rng)
    named, weight = naming.columns(draws[None])[0], naming.weight[0]
    held = (np.array(signs).T * draws[:, :, :2] >= 0).all((1, 2))
    plain = draws[held]
    error = np.sqrt(held.mean() / count)
    assert abs(naming.rate - held.mean()) < 4 * error
    for i, j in np.ndindex(3, 2):
        mean = np.average(named[:, i, j], weights=weight)
        assert abs(mean - plain[:, i, j].mean()) < 5 * plain[:, i, j].std() / np.sqrt(held.sum())
    fine = named[weight > 0]
    assert (np.array(signs).T * fine[:, :, :2] >= 0).all()


def test_draws_without_a_valid_naming_are_counted_and_left_out():
    rng = np.random.default_rng(6)
    _, mixed = scrambled(rng, noise=0.4)
    naming = name_by_table(mixed, LAGS, by_sign([[1, -1, 1], [1, 1, -1]]), rng=rng)
    kept = naming.accepted()
    assert 0.0 < naming.kept < 1.0
    assert kept.shape == (2, (naming.weight > 0).sum(1).min())
    assert (np.take_along_axis(naming.weight, kept, 1) > 0).all()
    assert (np.diff(kept) > 0).all()
    assert naming.ess <= (naming.weight > 0).sum()


def test_a_table_that_no_draw_satisfies_is_refused():
    rng = np.random.default_rng(7)
    _, mixed = scrambled(rng, noise=0.01)
    naming = name_by_table(mixed, LAGS, by_sign([[1, 1, 1], [1, 1, 1]]), rng=rng)
    assert naming.kept == 0.0
    with pytest.raises(IdentificationError, match="no naming of the shocks satisfies the table"):
        naming.accepted()


def test_claims_on_two_channels_decide_jointly():
    """The first channel moves the first variable more than the second does."""
    rng = np.random.default_rng(8)
    _, mixed = scrambled(rng, noise=0.02)

    def larger(impact, lag_coefficients):
        size = np.abs(impact[:, 0])
        return 15 * (size[:, :, None] > size[:, None])[:, None]

    naming = name_by_table(
        mixed,
        LAGS,
        by_sign([[1, 0, 0], [1, 0, 0]]),
        rng=rng,
        pairs=(np.array([[0, 1]]), larger),
    )
    named = naming.columns(mixed)
    assert (naming.weight == 3).all()  # ordered pairs of three columns, signs fixed
    assert (named[:, :, 0, 0] > named[:, :, 0, 1]).all()
    assert (named[:, :, 0, 1] > 0).all()
