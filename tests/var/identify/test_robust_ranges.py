"""For every prior on rotations: ranges that no admissible rotation leaves, whatever the claims."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from attribution.decompose import decompose
from attribution.errors import SpecError
from attribution.model.restriction import OUTCOME, Ranking, Response
from attribution.model.spec import Window
from attribution.var.identify.compile import compiled
from attribution.var.identify.robust_ranges import robust_ranges
from attribution.var.identify.rotate import rotate

WINDOWS = (
    Window("day", date(2001, 5, 8), date(2001, 5, 8)),
    Window("week", date(2001, 5, 8), date(2001, 5, 14)),
)


@pytest.fixture(scope="module")
def table(tables):
    cells = [
        tables.cell("demand", "price", "-", last=1),
        tables.cell("demand", "rate", (-1.0, 8.0), per=OUTCOME),
        tables.cell("supply", "price", "+"),
        tables.cell("supply", "rate", "-", first=1, last=1),
    ]
    return tables.table(
        ("demand", "supply"),
        cells,
        outcome="output",
        direction=-1,
        narratives=(tables.dated("supply", "positive", "2001-03-19"),),
    )


def searched(table, closed, simulated, seed=3, draws=120):
    values = simulated[0]
    found = rotate(closed(), table, values, lags=2, draws=2000, seed=seed)
    claims = compiled(table, tuple(values.columns), values, lags=2, constant=True)
    ranges = robust_ranges(
        found.posterior,
        claims,
        values,
        WINDOWS,
        outcome="output",
        constant=True,
        draws=draws,
        rng=np.random.default_rng(5),
    )
    return found.posterior, ranges


@pytest.fixture(scope="module")
def answer(table, closed, simulated):
    return searched(table, closed, simulated)


def test_every_accepted_rotation_is_inside_the_range_of_its_draw(answer, simulated):
    posterior, ranges = answer
    total = posterior.weight.size
    at = np.arange(len(ranges.weight)) * total // len(ranges.weight)
    for w, window in enumerate(WINDOWS):
        parts, _, _ = decompose(posterior, simulated[0], window).cumulated("output")
        own = parts.reshape(total, -1)[at, :2]
        assert (ranges.lower[:, w] <= own + 1e-9).all()
        assert (ranges.upper[:, w] >= own - 1e-9).all()
    assert ranges.left_out == ()
    assert (ranges.agreed > 0.8).all()


def test_the_robust_probabilities_and_region_enclose_those_of_the_uniform_prior(answer, simulated):
    posterior, ranges = answer
    parts, _, _ = decompose(posterior, simulated[0], WINDOWS[0]).cumulated("output")
    flat, weight = parts.reshape(-1, parts.shape[-1])[:, :2], posterior.weight.ravel()
    chance = np.average(flat < 0, axis=0, weights=weight)
    slack = 4 * np.sqrt(0.25 / len(ranges.weight))
    assert (ranges.p_negative[0, :, 0] <= chance + slack).all()
    assert (ranges.p_negative[0, :, 1] >= chance - slack).all()
    inside = (flat >= ranges.region[0, :, 0]) & (flat <= ranges.region[0, :, 1])
    assert (np.average(inside, axis=0, weights=weight) >= 0.9 - slack).all()


def test_a_claim_that_is_no_half_space_is_left_out_and_named(table, closed, simulated):
    ranking = Ranking(
        Response("supply", "price"), Response("demand", "price"), 0.1, True, "why", "who"
    )
    _, ranges = searched(replace(table, rankings=(ranking,)), closed, simulated, draws=8)
    assert len(ranges.left_out) == 1


def test_more_draws_than_there_are_is_refused(table, closed, simulated):
    with pytest.raises(SpecError, match="ask for fewer"):
        searched(table, closed, simulated, draws=10**6)


def test_averages_over_draws_are_weighted(table, closed, simulated):
    """Weights of one and zero give the averages of the draws that have one."""
    values = simulated[0]
    found = rotate(closed(), table, values, lags=2, draws=400, seed=3).posterior
    claims = compiled(table, tuple(values.columns), values, lags=2, constant=True)

    def asked(posterior, draws):
        return robust_ranges(
            posterior, claims, values, WINDOWS, outcome="output", constant=True, draws=draws,
            rng=np.random.default_rng(5),
        )  # fmt: skip

    half = {
        name: getattr(found, name)[:, ::2] for name in ("impact", "lag_coefficients", "intercept")
    }
    kept = replace(found, **half, weight=np.ones_like(found.weight[:, ::2]))
    weight = np.zeros_like(found.weight)
    weight[:, ::2] = 2.0
    one, two = asked(replace(found, weight=weight), 400), asked(kept, 200)
    assert np.allclose(one.no_assumption, two.no_assumption, rtol=1e-12)
    assert np.allclose(one.dilution, two.dilution, rtol=1e-12)
    assert np.allclose(one.uniform_sd, two.uniform_sd, rtol=1e-12)
    on = one.weight > 0
    below = [(ends[on] < 0).mean(0) for ends in (one.upper, one.lower)]
    assert np.allclose(one.p_negative, np.stack(below, axis=-1), atol=1e-12)
    spread = one.no_assumption[:, 1] - one.no_assumption[:, 0]
    assert (one.identification_strength <= 1).all() and (spread > 0).all()
    room = (one.upper - one.lower)[on]
    assert (one.region[..., 1] - one.region[..., 0] >= np.median(room, axis=0) - 1e-9).all()
