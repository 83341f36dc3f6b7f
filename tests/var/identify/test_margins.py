"""By how much a claim fails, worked out by hand; and which draws obey, by the claims' own words."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from attribution.core.rotations.holds import (
    BETWEEN,
    LARGEST,
    NEGLIGIBLE,
    OVERWHELMING,
    SMALLEST,
    Carried,
    Line,
    Order,
    Share,
)
from attribution.errors import SpecError
from attribution.model.restriction import OUTCOME
from attribution.posterior import StructuralPosterior
from attribution.var.identify.claims import Claim, Claims
from attribution.var.identify.obey import obeying, violation

# three functionals of three columns; the columns are those of the identity, so that x = functional
FUNCTIONALS = np.array([[[3.0, 0.0, 4.0], [1.0, -2.0, 2.0], [0.5, 0.25, -0.25]]])
Q = np.eye(3)[None]


def margin(*parts, orders=()):
    claims = Claims(
        channels=("a", "b"),
        variables=("u", "v", "w"),
        claims=(Claim("c", parts, tuple(orders)),),
        program=np.zeros((3, 3)),
        dates=pd.DatetimeIndex([]),
        observed=np.zeros((0, 3)),
        regressors=np.zeros((0, 1)),
        conditional=False,
    )
    return violation(claims, FUNCTIONALS, Q)[0]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (Line(0, 0, 1.0, 0, 0.0, 0.0), -3 / 5),
        (Line(0, 0, -1.0, 0, 0.0, 0.0), 3 / 5),
        (Line(1, 1, 1.0, 0, 0.0, 1.0), (1 + 2) / 3),
        # x_1 - 2 x_0 of column a is 1 - 6; the row is (1, -2, 2) - 2 (3, 0, 4)
        (Line(0, 1, 1.0, 0, -2.0, 0.0), 5 / np.linalg.norm([-5.0, -2.0, -6.0])),
        # squares of functionals 0 and 1 by column: 10, 4, 20 of 34
        (Share(0, (0, 1), 0.5, 1.0), 0.5 - 10 / 34),
        (Share(2, (0, 1), 0.0, 0.5), 20 / 34 - 0.5),
        (Share(1, (0, 1), 0.1, 0.2), max(0.1 - 4 / 34, 4 / 34 - 0.2)),
        # contributions x_0 x_1 by column: 3, 0, 8
        (Carried(0, ((0, 1),), LARGEST, 0, 0), 8 / 11 - 3 / 11),
        (Carried(2, ((0, 1),), LARGEST, 0, 0), 3 / 11 - 8 / 11),
        (Carried(0, ((0, 1),), SMALLEST, 0, 0), 3 / 11),
        (Carried(2, ((0, 1),), OVERWHELMING, 0, 0), 3 / 11 - 8 / 11),
        (Carried(0, ((0, 1),), NEGLIGIBLE, 0, 0), 3 / 11 - 8 / 11),
        (Carried(2, ((0, 1),), BETWEEN, 9.0, 10.0), 1 / 11),
        (Carried(2, ((0, 1),), BETWEEN, 2.0, 7.0), 1 / 11),
        # two shocks: 3*1 + 1*0.5, 0*-2 - 2*0.25, 4*2 - 2*0.25
        (Carried(0, ((0, 1), (1, 2)), BETWEEN, 4.0, 9.0), 0.5 / (3.5 + 0.5 + 7.5)),
    ],
)
def test_the_margin_of_a_claim_on_one_column_is_the_one_worked_out_by_hand(part, expected):
    assert_allclose(margin(part), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (Order((0, 0), (1, 0), 2.0, False), (2 * 1 - 3) / (5 + 2 * 3)),
        (Order((1, 1), (0, 0), 1.0, False), (3 + 2) / (3 + 5)),
        (Order((1, 1), (0, 0), 1.0, True), (3 - 2) / (3 + 5)),
    ],
)
def test_the_margin_of_a_ranking_is_the_one_worked_out_by_hand(order, expected):
    assert_allclose(margin(orders=[order]), expected, rtol=1e-12)


def test_the_worst_claim_decides():
    good, bad = Line(0, 0, 1.0, 0, 0.0, 0.0), Line(1, 1, 1.0, 0, 0.0, 0.0)
    assert margin(good, bad) == margin(bad) > margin(good)


@pytest.fixture
def drawn(simulated):
    """Impacts about the truth, in an order of shocks that is not the table's."""
    values = simulated[0]
    rng = np.random.default_rng(4)
    impact = np.array([[2.0, -0.6, 0.3], [0.9, 1.4, -0.5], [-4.0, 3.0, 6.0]])
    moved = impact + rng.standard_normal((2, 300, 3, 3))
    posterior = StructuralPosterior(
        variables=tuple(values.columns),
        shocks=("unnamed", "b", "a"),
        channels=("a", "b"),
        impact=moved,
        lag_coefficients=0.1 * rng.standard_normal((2, 300, 2, 3, 3)),
        intercept=np.zeros((2, 300, 3)),
        weight=np.ones((2, 300)),
    )
    return posterior, values


def test_a_draw_obeys_if_its_impact_does(drawn, tables):
    posterior, values = drawn
    cells = [
        tables.cell("a", "rate", "+"),
        tables.cell("a", "price", (-0.5, 0.1), per="rate"),
        tables.cell("b", "rate", (0.5, math.inf), per=OUTCOME),
    ]
    table = tables.table(("a", "b"), cells, outcome="price", direction=-1)
    kept = obeying(posterior, table, values, constant=True)
    a, b = posterior.impact[..., 2], posterior.impact[..., 1]
    ratio = a[..., 1] / a[..., 2]
    down = -b[..., 1]  # an elasticity per outcome is per move of the outcome in its direction
    expected = (
        (a[..., 2] > 0) & (ratio >= -0.5) & (ratio <= 0.1) & (a[..., 1] <= 0)
        & (down >= 0) & (b[..., 2] >= 0.5 * down)
    )  # fmt: skip
    assert 0 < expected.sum() < expected.size
    assert np.array_equal(kept, expected)


def test_judging_refuses_what_only_drawing_can_do(drawn, tables):
    posterior, values = drawn
    table = tables.table(("a",), [tables.cell("a", "rate", (0.0, 0.0))])
    with pytest.raises(SpecError, match="an exact zero needs scheme 'restrictions'"):
        obeying(posterior, table, values, constant=True)
    table = tables.table(
        ("a",),
        [tables.cell("a", "rate", "+")],
        narratives=(tables.dated("a", "positive", "2001-03-19"),),
    )
    obeying(posterior, table, values, constant=True)
    with pytest.raises(SpecError, match="reading"):
        obeying(posterior, replace(table, reading="conditional"), values, constant=True)
