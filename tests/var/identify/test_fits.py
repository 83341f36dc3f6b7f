"""Claims on columns that the likelihood has chosen: the same claims, the same answers."""

from itertools import permutations, product

import numpy as np
import pytest

from attribution.core import niw
from attribution.core.rotations.haar import haar
from attribution.core.rotations.holds import ordered
from attribution.core.rotations.naming import name_uniformly
from attribution.errors import IdentificationError
from attribution.model.restriction import Ranking, Response
from attribution.var.identify import fits
from attribution.var.identify.compile import compiled


@pytest.fixture(scope="module")
def claims(tables, simulated):
    cells = [tables.cell("a", "output", "+", last=1), tables.cell("b", "price", (-1.0, 9.0))]
    rankings = (
        Ranking(Response("b", "price"), Response("a", "price"), 1.0, False, "", ""),
        Ranking(Response("a", "output"), Response("b", "output"), 0.8, True, "", ""),
        Ranking(Response("a", "rate"), Response("a", "price"), 1.0, False, "", ""),
    )
    dated = (tables.dated("a", "positive", "2001-03-05"),)
    table = tables.table(("a", "b"), cells, rankings=rankings, narratives=dated)
    return compiled(table, tuple(simulated[0].columns), simulated[0], lags=2, constant=True)


def test_bits_of_columns_and_pairs_say_which_namings_obey_the_claims(claims, closed, simulated):
    draws, rng = 200, np.random.default_rng(1)
    factor, coefficients = closed(seed=3).draw(draws)
    drawn = coefficients(np.arange(draws), rng)
    lags, intercept = niw.split(drawn, constant=True)
    impact = factor @ haar(3, draws, rng)
    columns = fits.on_columns(claims, impact, lags, intercept)
    index, together = fits.pairs(claims, columns)
    weight, chosen = name_uniformly(
        fits.single(claims, columns), index, together, rng.random(draws)
    )
    t, path = simulated[0].index.get_loc("2001-03-05"), simulated[0].to_numpy()
    error = path[t] - intercept - sum(lags[:, i] @ path[t - 1 - i] for i in range(2))
    shock = np.linalg.solve(impact, error[..., None])[..., 0]
    later = lags[:, 0] @ impact
    total = 0
    for d in range(draws):
        valid = []
        for (a, b), (s, z) in product(permutations(range(3), 2), product((1, -1), repeat=2)):
            one, two = s * impact[d][:, a], z * impact[d][:, b]
            if (
                one[0] >= 0 and s * later[d, 0, a] >= 0 and -1 <= two[1] <= 9
                and two[1] >= one[1] and abs(one[0]) >= 0.8 * abs(two[0])
                and one[2] >= one[1] and s * shock[d, a] >= 0
            ):  # fmt: skip
                valid.append((s * (a + 1), z * (b + 1)))
        assert weight[d] == len(valid)
        if valid:
            assert tuple(chosen[d]) in valid
        total += len(valid)
    assert total > 50
    assert len(ordered(claims.orders(), columns)) == draws


def test_exact_zeros_are_refused_where_the_likelihood_has_chosen(tables, simulated):
    table = tables.table(("a",), [tables.cell("a", "price", "0")])
    found = compiled(table, tuple(simulated[0].columns), simulated[0], lags=2, constant=True)
    with pytest.raises(IdentificationError, match=r"a\.price 0 is an exact zero"):
        fits.refuse_exact_zeros(found)
