"""Slices inside the set of a table: what acceptance draws, where it can and where it cannot."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from attribution.core import niw
from attribution.core.rotations import ellipse
from attribution.errors import SpecError
from attribution.model.restriction import OUTCOME, Ranking, Response, VarianceShare
from attribution.var.identify.compile import compiled
from attribution.var.identify.obey import obeying
from attribution.var.identify.rotate import rotate
from attribution.var.identify.slice import sliced

PARTICLES, DRAWS = 400, 4


@pytest.fixture(scope="module")
def table(tables):
    """Every kind of inequality at once."""
    cells = [
        tables.cell("demand", "price", "-", last=1),
        tables.cell("demand", "rate", (-1.0, 8.0), per=OUTCOME),
        tables.cell("supply", "price", (0.2, 3.0)),
        tables.cell("supply", "price", "+", long_run=True),
    ]
    return tables.table(
        ("demand", "supply"),
        cells,
        outcome="output",
        direction=-1,
        rankings=(
            Ranking(Response("demand", "output"), Response("supply", "output"), 1.2, True, "", ""),
        ),
        shares=(VarianceShare("demand", "output", 4, 0.1, 0.95, "", ""),),
        narratives=(
            tables.dated("demand", "positive", "2001-03-19"),
            tables.dated("supply", "largest", "2001-05-08", to="price", end="2001-05-09"),
        ),
    )


@pytest.fixture(scope="module")
def accepted(closed, simulated, table):
    return rotate(closed(), table, simulated[0], lags=2, draws=4000, seed=3)


@pytest.fixture(scope="module")
def inside(closed, simulated, table):
    claims = compiled(table, closed().variables, simulated[0], lags=2, constant=True)
    rng = np.random.default_rng(4)
    return sliced(closed().after, claims, draws=DRAWS, particles=PARTICLES, sweeps=15, rng=rng)


def test_the_map_draws_the_closed_form_posterior():
    rng = np.random.default_rng(1)
    root = rng.normal(size=(3, 3))
    scale = root @ root.T + np.eye(3)
    of = niw.NormalInverseWishart(rng.normal(size=(4, 3)), np.eye(4), scale, 9.0)
    direct = niw.draw_factor(of, 20_000, rng)
    mapped = ellipse.factor(of, rng.standard_normal((20_000, 6)))
    for i, j in ((0, 0), (1, 0), (2, 1), (2, 2)):
        assert stats.ks_2samp(direct[:, i, j], mapped[:, i, j]).pvalue > 1e-3
    slopes = ellipse.coefficients(of, direct, rng.standard_normal((20_000, 12)))
    again = niw.draw_coefficients(of, direct, rng)
    assert stats.ks_2samp(slopes[:, 2, 1], again[:, 2, 1]).pvalue > 1e-3
    q = ellipse.rotation(rng.standard_normal((20_000, 9)))
    assert abs(np.linalg.det(q).mean()) < 4 / np.sqrt(20_000), "both signs of the determinant"


def test_slices_and_acceptance_draw_one_posterior(accepted, inside):
    weight = accepted.posterior.weight.ravel()
    rng = np.random.default_rng(5)
    pick = rng.choice(len(weight), size=int(accepted.ess / 3), p=weight / weight.sum())
    one = accepted.posterior.impact.reshape(-1, 3, 3)[pick]
    two = (inside.factor @ inside.q)[:, -1]
    for i in range(3):
        for k in range(2):
            p = stats.ks_2samp(one[:, i, k], two[:, i, k]).pvalue
            assert p > 0.01 / 6, (i, k, p)


def test_the_levels_estimate_the_rate_of_acceptance(accepted, inside):
    # product of some levels of 400 particles each, whose shares have an error of a tenth
    gap = inside.log_rate - np.log(accepted.rate)
    assert abs(gap) < 4 * 0.1 * np.sqrt(len(inside.levels))


def test_every_accepted_draw_obeys_and_a_turned_one_does_not(accepted, simulated, table):
    """The judge of named draws agrees with the engine that named them."""
    kept = obeying(accepted.posterior, table, simulated[0], constant=True)
    assert kept.all()
    turned = replace(accepted.posterior, impact=-accepted.posterior.impact)
    assert not obeying(turned, table, simulated[0], constant=True).any()


def test_an_exact_zero_is_no_set_to_slice(closed, simulated, tables):
    zero = tables.table(("demand",), [tables.cell("demand", "price", "0")])
    claims = compiled(zero, closed().variables, simulated[0], lags=2, constant=True)
    with pytest.raises(SpecError, match="no volume"):
        sliced(closed().after, claims, draws=1, rng=np.random.default_rng(1))
