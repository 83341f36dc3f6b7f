"""Narratives that hardly ever hold: weights that stay exact where their product is tiny."""

import numpy as np
import pytest

import attribution as at
from attribution.errors import IdentificationError
from attribution.var.identify.compile import compiled
from attribution.var.identify.weights import HITS, narrative_weight

DATES = [f"2001-0{month}-1{day}" for month in (3, 4, 5) for day in (1, 5)]


def weights_of(tables, simulated, narratives, named, rng):
    table = tables.table(
        ("demand",),
        [tables.cell("demand", "output", "+")],
        narratives=narratives,
        reading="conditional",
    )
    names = tuple(simulated[0].columns)
    claims = compiled(table, names, simulated[0], lags=2, constant=True)
    of = np.zeros((len(named), len(claims.program), 3))
    of[:, :3] = named
    return narrative_weight(claims, of, np.ones((len(named), len(claims.dates))), rng)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_weights_of_claims_on_days_of_their_own_multiply(tables, simulated, count):
    """Of two normal parts, sizes a and b: P(the first is the larger) = 2 atan(a / b) / pi.

    On five days with a / b = 0.05 all hold together once in thirty million.
    """
    named = np.zeros((400, 3, 3))
    named[:, 0, :2] = 0.05, 1.0
    told = [tables.dated("demand", "largest", day, to="output") for day in DATES[:count]]
    weight = weights_of(tables, simulated, told, named, np.random.default_rng(1))
    truth = (np.pi / 2 / np.arctan(0.05)) ** count
    assert abs(weight.mean() - truth) < 4.5 * weight.std() / np.sqrt(len(weight))
    assert weight.std() / truth < 1.5 * 0.1 * np.sqrt(count)  # a hundred hits a day


def test_claims_that_share_a_day_stay_together(tables, simulated):
    """Largest, and positive: of one day, and of two that a window joins to a third."""
    named = np.zeros((400, 3, 3))
    named[:, 0, :2] = 1.0, 1.0
    told = [
        tables.dated("demand", "largest", DATES[0], to="output"),
        tables.dated("demand", "smallest", DATES[0], to="price"),
    ]
    named[:, 1, :2] = 0.4, 1.0  # smaller than 1 there and larger than 1 here: a ring of angles
    named[:, :2, 2] = 0.0, 10.0
    weight = weights_of(tables, simulated, told, named, np.random.default_rng(2))
    rng = np.random.default_rng(3)
    z = np.abs(rng.standard_normal((400_000, 3)))
    first = z[:, 0] > z[:, 1]
    second = (0.4 * z[:, 0] < z[:, 1]) & (0.4 * z[:, 0] < 10 * z[:, 2])
    truth = 1 / (first & second).mean()
    assert abs(weight.mean() - truth) < 4.5 * weight.std() / 20 + 0.02 * truth
    product = 1 / (first.mean() * second.mean())
    assert abs(truth - product) > 0.2 * truth  # as if they were independent: another number


def test_a_single_day_that_never_holds_is_still_refused(tables, simulated):
    named = np.zeros((2, 3, 3))
    named[:, 0, :2] = 1e-9, 1.0
    told = [tables.dated("demand", "largest", DATES[0], to="output")]
    with pytest.raises(IdentificationError, match="so unlikely before the data"):
        weights_of(tables, simulated, told, named, np.random.default_rng(1))


def question(frame, narratives, reading):
    claims = {
        "output": {"demand": {"sign": "+"}, "supply": {"sign": "-"}},
        "price": {"demand": {"sign": "+"}, "supply": {"sign": "+"}},
    }
    day = frame.index[-1].date()
    return at.model_from(
        {
            "schema": 1,
            "kind": "svar",
            "title": "toy",
            "sample": {"panel": "frame", "start": frame.index[0].date(), "end": day},
            "event": {
                "name": "last",
                "outcome": "output",
                "windows": [{"name": "last", "start": day, "end": day}],
            },
            "system": {"variables": list(frame.columns), "lags": 2},
            "identification": {
                "reason": "as simulated",
                "source": "this test",
                "reading": reading,
                "channels": {"demand": "d", "supply": "s"},
                "cells": claims,
                "narratives": narratives,
            },
        },
        name="toy",
    )


def told(days, shocks, size):
    """Days on which supply moved output more than demand did, claimed for demand."""
    return [
        {"channel": "demand", "claim": "overwhelming", "to": "output", "date": day.date()}
        for day in days[np.argsort(shocks)[:size]]
    ]


def last(run):
    """Mean contributions, and their Monte Carlo errors by the effective size of the weights."""
    parts = run.tree["posterior/contribution"].sel(window="last", channel=["demand", "supply"])
    draws = parts.transpose("chain", "draw", "channel").to_numpy().reshape(-1, 2)
    weight = run.tree["weighted/weight"].to_numpy() if "weighted" in run.tree else np.ones(1)
    size = len(draws) * weight.mean() ** 2 / (weight**2).mean()
    return draws.mean(0), draws.std(0) / np.sqrt(size)


@pytest.mark.slow
def test_slices_weigh_a_conditional_reading_as_acceptance_does(simulated):
    frame, shocks = simulated
    days, gap = frame.index[2:-1], np.abs(shocks[2:-1, 0]) - np.abs(shocks[2:-1, 1])
    asked = question(frame, told(days, -gap, 3), "conditional")
    found = [
        last(at.fit(asked, data=frame, settings=at.Settings(draws=2000, seed=4, sampler=way)))
        for way in ("accept", "slice")
    ]
    (one, first), (two, second) = found
    assert (np.abs(one - two) < 5 * np.hypot(first, 2 * second)).all()


@pytest.mark.slow
def test_a_conditional_reading_works_where_narratives_hardly_ever_hold(simulated):
    """Fourteen of them, which one named rotation in two thousand obeys."""
    frame, shocks = simulated
    days, gap = frame.index[2:-1], np.abs(shocks[2:-1, 0]) - np.abs(shocks[2:-1, 1])
    asked = question(frame, told(days, np.abs(gap + 0.3), 14), "conditional")
    run = at.fit(asked, data=frame, settings=at.Settings(draws=2000, seed=4, sampler="slice"))
    assert run.manifest["notes"]["acceptance"]["log_rate"] < np.log(1e-3)
    # a day's claim holds alike on each of the fourteen days: by hand, from the impact of a draw
    at_, shape = np.linspace(0, 2399, 60).astype(int), run.tree["structural/impact"].shape
    impact = run.tree["structural/impact"].to_numpy().reshape(-1, *shape[2:])[at_, 0]
    weight = run.tree["weight_factors/narratives"].to_numpy().reshape(-1)[at_]
    parts = np.abs(impact[:, None] * np.random.default_rng(0).standard_normal((200_000, 3)))
    chance = (2 * parts[..., 0] > parts.sum(-1)).mean(1)
    off = np.log(weight) + 14 * np.log(chance) + 14 * (1 - chance) / (2 * HITS)
    error = np.sqrt(14 * (1 - chance) / HITS + 14**2 * (1 - chance) / (chance * 200_000))
    assert np.abs(off / error).max() < 4.5
    assert abs(off.mean()) < 4 * np.sqrt((error**2).mean() / len(off) + 1e-4)
