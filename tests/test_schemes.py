"""Every scheme and every law from a model in memory and a plain frame, through the public face."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

import attribution as at

IMPACT = np.array([[1.0, -0.6, 0.2], [0.7, 1.2, -0.3], [0.3, 0.4, 1.5]])
LAGS = 0.3 * np.eye(3)
NAMES = ("output", "prices", "rate")
SHOCKS = ("demand", "supply", "policy")
DAYS, BREAK = 600, 300
SIZE = np.array([1.0, 0.4, 2.0])
"""Standard deviations of the shocks after the break."""
TABLE = {
    "reason": "as simulated",
    "source": "this test",
    "channels": dict.fromkeys(SHOCKS, "a shock"),
    "cells": {
        "output": {"demand": {"sign": "+"}, "supply": {"sign": "-"}},
        "prices": {"demand": {"sign": "+"}, "supply": {"sign": "+"}, "policy": {"sign": "-"}},
        "rate": {"demand": {"sign": "+"}, "supply": {"sign": "+"}, "policy": {"sign": "+"}},
    },
}
PAIR = {
    **TABLE,
    "channels": dict.fromkeys(SHOCKS[:2], "a shock"),
    "cells": {
        name: {who: claim for who, claim in row.items() if who != "policy"}
        for name, row in TABLE["cells"].items()
    },
}


@pytest.fixture(scope="module")
def world():
    """Series, the shocks behind them and an instrument of the first; heavy tails, two regimes."""
    rng = np.random.default_rng(11)
    shocks = rng.standard_t(4, (DAYS, 3)) / np.sqrt(2)
    shocks[BREAK:] *= SIZE
    shocks[-1] = [-4.0, 3.0, 1.0]
    path = np.zeros((DAYS, 3))
    for t in range(1, DAYS):
        path[t] = LAGS @ path[t - 1] + IMPACT @ shocks[t]
    index = pd.bdate_range("2015-01-01", periods=DAYS, name="time")
    frame = pd.DataFrame(path, index, list(NAMES))
    frame["news"] = 0.8 * shocks[:, 0] + 0.5 * rng.standard_normal(DAYS)
    return frame, shocks


def model_parts(frame):
    index = frame.index
    return {
        "schema": 1,
        "kind": "svar",
        "title": "a simulated system",
        "sample": {"panel": "frame", "start": index[0].date(), "end": index[-1].date()},
        "system": {"variables": list(NAMES), "lags": 1, "horizons": 8},
    }


def model(frame, identification, *, event=True, law="gaussian", **parts):
    index = frame.index
    spec = {
        **model_parts(frame),
        "errors": {"law": law, **parts.pop("errors", {})},
        "identification": identification,
        **parts,
    }
    if isinstance(event, dict):
        spec["event"] = event
    elif event:
        day = index[-1].date()
        window = {"name": "last day", "start": day, "end": day}
        spec["event"] = {"name": "the last day", "outcome": "output", "windows": [window]}
    return at.model_from(spec, name="simulated")


CASES = {
    "recursive": ({"scheme": "recursive", "order": ["rate", "output", "prices"]}, {}),
    "long run": ({"scheme": "long_run", "shocks": list(SHOCKS)}, {}),
    "signs": (PAIR, {}),
    "signs, heavy tails": (PAIR, {"law": "student_t"}),
    "signs, common volatility": (PAIR, {"law": "common_volatility"}),
    "signs, hierarchical": (PAIR, {"prior": {"hierarchical": True, "own_lag": 0.3}}),
    "signs, dummies": (PAIR, {"prior": {"sum_of_coefficients": 1.0, "single_unit_root": 1.0}}),
    "proxy": (
        {
            "scheme": "proxy",
            "reason": "as simulated",
            "instruments": [{"channel": "demand", "column": "news"}],
        },
        {},
    ),
    "independence": ({**TABLE, "scheme": "non_gaussian"}, {"law": "independent_t"}),
    "volatility": (TABLE, {"law": "stochastic_volatility"}),
    "regimes": ({**TABLE, "scheme": "heteroskedasticity", "breaks": [date(2016, 2, 25)]}, {}),
}
DRAWS = {"signs, common volatility": 4000, "volatility": 2000}


def settings(name, **more):
    return at.Settings(draws=DRAWS.get(name, 2000), seed=3, **more)


@pytest.mark.parametrize("name", CASES)
def test_a_scheme_runs_from_a_frame_and_its_parts_sum(world, name):
    frame, _ = world
    identification, more = CASES[name]
    run = at.fit(model(frame, identification, **more), data=frame, settings=settings(name))
    posterior = run.tree["posterior"]
    total = posterior["contribution"].sum("channel") + posterior["baseline"]
    observed = frame["output"].iloc[-1]
    assert np.abs(total - observed).max() < 1e-10
    shares = run.tree["fevd/share"].sum("channel")
    assert np.abs(shares - 1.0).max() < 1e-12


@pytest.mark.parametrize("name", ["independence", "volatility", "regimes"])
def test_a_law_that_tells_shocks_apart_finds_the_true_impact(world, name):
    frame, shocks = world
    identification, more = CASES[name]
    run = at.fit(model(frame, identification, **more), data=frame, settings=settings(name))
    found = at.structural_of(run.tree)
    flat = found.impact.reshape(-1, 3, 3)
    size = shocks[1:-1].std(0) if name != "regimes" else shocks[1:BREAK].std(0)
    truth = IMPACT * size
    gap = np.abs(np.average(flat, axis=0, weights=found.weight.ravel()) - truth)
    assert (gap < 4 * flat.std(0) + 0.05).all()
    # the last day's contributions, which the fit has not seen, inside their 99 % bands
    day = run.tree["posterior/contribution"].sel(window="last day")
    for k, channel in enumerate(SHOCKS):
        draws = day.sel(channel=channel).to_numpy().ravel()
        low, high = np.quantile(draws, [0.005, 0.995])
        assert low < IMPACT[0, k] * shocks[-1, k] < high, channel


def test_an_instrument_finds_its_channel(world):
    frame, shocks = world
    run = at.fit(model(frame, CASES["proxy"][0]), data=frame, settings=settings("proxy"))
    draws = run.tree["posterior/contribution"].sel(window="last day", channel="demand").to_numpy()
    low, high = np.quantile(draws, [0.005, 0.995])
    assert low < IMPACT[0, 0] * shocks[-1, 0] < high
    assert float(run.tree["instruments/f"][0]) > 100


def test_one_seed_is_one_run_and_another_seed_another(world):
    frame, _ = world
    asked = model(frame, PAIR, law="student_t")
    one, again, other = (
        at.fit(asked, data=frame, settings=at.Settings(draws=2000, seed=seed)) for seed in (1, 1, 2)
    )
    same = one.tree["posterior/contribution"] == again.tree["posterior/contribution"]
    assert bool(same.all())
    differ = one.tree["posterior/contribution"] != other.tree["posterior/contribution"]
    assert bool(differ.any())


LATER = {
    **PAIR,
    "cells": {
        **PAIR["cells"],
        "rate": {**PAIR["cells"]["rate"], "supply": {"sign": "+", "horizons": [0, 1]}},
    },
}


@pytest.mark.parametrize(("sampler", "table"), [("gibbs", PAIR), ("slice", LATER)])
def test_the_searches_agree_with_acceptance(world, sampler, table):
    frame, _ = world
    asked = model(frame, table)
    accept, sliced = (
        at.fit(asked, data=frame, settings=settings("signs", sampler=way))
        for way in ("accept", sampler)
    )
    for channel in SHOCKS[:2]:
        draws = [
            run.tree["posterior/contribution"].sel(window="last day", channel=channel).to_numpy()
            for run in (accept, sliced)
        ]
        error = np.hypot(*(d.std() / np.sqrt(300) for d in draws))
        assert abs(draws[0].mean() - draws[1].mean()) < 4 * error
    if sampler == "slice":  # each chain is a search of its own, so that R-hat compares searches
        levels = sliced.manifest["notes"]["acceptance"]["levels"]
        assert len({tuple(found) for found in levels}) == 4


def test_without_an_event_responses_are_the_answer(world):
    frame, _ = world
    run = at.fit(
        model(frame, PAIR, event=False), data=frame[list(NAMES)], settings=settings("signs")
    )
    assert "posterior" not in run.tree
    assert run.tree["responses"].sizes["horizon"] == 9


def test_a_conditional_reading_weighs_and_two_signs_weigh_sixteen_times_one_half_squared(world):
    """Signs alone hold with probability one half each: weights are exact and all alike."""
    frame, _ = world
    days = [frame.index[i].date() for i in (100, 200)]
    told = [{"channel": "demand", "claim": "positive", "date": day} for day in days]
    asked = model(frame, {**PAIR, "reading": "conditional", "narratives": told})
    run = at.fit(asked, data=frame, settings=settings("signs"))
    factor = run.tree["weight_factors/narratives"].to_numpy()
    assert np.array_equal(factor, np.full_like(factor, 4.0))
    plain = replace(asked, identification=replace(asked.identification, reading="unconditional"))
    assert (
        "narratives"
        not in at.fit(plain, data=frame, settings=settings("signs")).tree["weight_factors"]
    )


def test_under_a_flat_prior_the_point_is_least_squares(world):
    """The centre of an ordered scheme is the recursive estimate of statsmodels' VAR."""
    frame, _ = world
    series = frame[list(NAMES)]
    flat = model(frame, {"scheme": "recursive"}, event=False, prior={"flat": True})
    ours = at.structural_of(at.fit(flat, data=series, settings=settings("recursive")).tree, "point")
    plain = {**model_parts(frame), "kind": "var"}
    theirs = at.structural_of(
        at.fit(
            at.model_from(plain, name="plain"), data=series, settings=settings("recursive")
        ).tree,
        "point",
    )
    assert np.abs(ours.impact - theirs.impact).max() < 1e-10
    assert np.abs(ours.lag_coefficients - theirs.lag_coefficients).max() < 1e-10


def test_the_long_run_scheme_has_a_triangular_long_run(world):
    """Blanchard and Quah: later shocks leave no trace on earlier variables in the end."""
    frame, _ = world
    asked = model(frame, {"scheme": "long_run"}, event=False, prior={"flat": True})
    found = at.structural_of(
        at.fit(asked, data=frame[list(NAMES)], settings=settings("long run")).tree, "point"
    )
    whole = np.linalg.solve(np.eye(3) - found.lag_coefficients[0, 0].sum(0), found.impact[0, 0])
    assert np.abs(np.triu(whole, 1)).max() < 1e-10
    covariance = found.impact[0, 0] @ found.impact[0, 0].T
    response = frame[list(NAMES)].to_numpy()
    regressors = np.column_stack([np.ones(DAYS - 1), response[:-1]])
    errors = response[1:] - regressors @ np.linalg.lstsq(regressors, response[1:], rcond=None)[0]
    assert np.abs(covariance - errors.T @ errors / (DAYS - 1 - 4)).max() < 1e-10


@pytest.mark.parametrize("name", [pytest.param("independence", marks=pytest.mark.slow), "regimes"])
def test_one_signed_cell_names_every_shock_in_turn_and_the_finding_says_so(world, name):
    """The rate rises with each of the three: "policy" fits all, and the shocks stay unnamed."""
    frame, _ = world
    identification, more = CASES[name]
    one = {
        **identification,
        "channels": {"policy": "x"},
        "cells": {"rate": {"policy": {"sign": "+"}}},
    }
    impacts = []
    for cells, verdict in ((one, "fails"), (identification, "holds")):
        asked = model(frame, cells, **more)
        run = at.fit(asked, data=frame, settings=at.Settings(draws=1200, seed=3))
        (said,) = [f for f in run.manifest["findings"] if f["name"] == "names"]
        assert said["verdict"] == verdict, said
        columns = run.tree["columns"].to_dataset()
        assert np.abs(columns["carries"].sum("column") - 1.0).max() < 1e-12
        impacts.append(columns["impact"].to_numpy())
        best = columns["carries"].max("column")
        assert float(best.max()) < 0.5 if verdict == "fails" else float(best.min()) > 0.9
    # without the names the shocks are the same under both tables
    assert np.abs(impacts[0] - impacts[1]).max() < 0.1


def calm_days(world):
    """Three days on which demand struck upwards, and not by much."""
    return [int(i) for i in np.flatnonzero((world[1][:, 0] > 0.3) & (world[1][:, 0] < 0.8))[10:13]]


def told(world, *rows, **more):
    days = [world[0].index[i].date() for i in calm_days(world)]
    plain = {"channel": "demand", "claim": "positive", "dates": days, "imposed": False}
    return {**PAIR, "narratives": [plain, *rows], **more}


def shocks_on(run, frame, days, group="structural"):
    """Structural shocks (draw, day, shock) by hand from the saved coefficients."""
    found = at.structural_of(run.tree, group if group in run.tree else "structural")
    series = frame[list(NAMES)].to_numpy()
    lags = found.lag_coefficients[:, :, 0].reshape(-1, 3, 3)
    at_ = np.array(days)
    error = series[at_] - series[at_ - 1] @ lags.swapaxes(1, 2) - found.intercept.reshape(-1, 1, 3)
    impact = found.impact.reshape(-1, 3, 3)
    return (
        impact,
        np.linalg.solve(impact, error.swapaxes(1, 2)).swapaxes(1, 2),
        found.weight.ravel(),
    )


def test_a_narrative_that_is_not_imposed_is_asked(world):
    """The share of draws that violate it, and nothing else of the run is touched."""
    frame, _ = world
    day = frame.index[400].date()
    row = {
        "channel": "supply", "claim": "overwhelming", "to": "prices", "date": day, "imposed": False
    }  # fmt: skip
    asked, plain = (
        at.fit(model(frame, table), data=frame, settings=settings("signs"))
        for table in (told(world, row), PAIR)
    )
    assert np.array_equal(asked.tree["structural/impact"], plain.tree["structural/impact"])
    impact, shocks, weight = shocks_on(asked, frame, [*calm_days(world), 400], "weighted")
    share = weight / weight.sum()
    fails = [shocks[:, i, 0] < 0 for i in range(3)]
    parts = np.abs(impact[:, 1] * shocks[:, 3])
    fails.append(2 * parts[:, 1] < parts.sum(1))
    fails.append(np.any(fails, axis=0))
    found = asked.manifest["notes"]["narratives_violated"]
    assert list(found)[-1] == "all together"
    assert 0.02 < found["all together"] < 1.0
    np.testing.assert_allclose(list(found.values()), [share @ fail for fail in fails], atol=1e-12)
    named = [f for f in asked.manifest["findings"] if f["name"].startswith("narrative: ")]
    assert [1 - f["probability"] for f in named] == pytest.approx(list(found.values()))


def test_what_is_imposed_is_violated_by_no_draw_and_a_list_is_as_many_narratives(world):
    frame, _ = world
    days = [frame.index[i].date() for i in calm_days(world)]
    listed = {"channel": "demand", "claim": "positive", "dates": days}
    single = [{"channel": "demand", "claim": "positive", "date": day} for day in days]
    runs = [
        at.fit(model(frame, told(world, *rows)), data=frame, settings=settings("signs"))
        for rows in ([listed], single)
    ]
    assert set(runs[0].manifest["notes"]["narratives_violated"].values()) == {0.0}
    assert np.array_equal(*(run.tree["structural/impact"] for run in runs))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"claim": "positive", "dates": []}, "dates is an empty list"),
        ({"claim": "positive"}, "needs a date, dates or a window"),
        (
            {"claim": "positive", "dates": [date(2016, 1, 4)], "date": date(2016, 1, 4)},
            "needs a date, dates or a window",
        ),
        ({"claim": "positive", "dates": [date(1990, 1, 1)]}, "not inside the sample"),
        ({"claim": "largest", "to": "price", "date": date(2016, 1, 4)}, "price"),
    ],
)
def test_asked_narratives_are_checked_as_imposed_ones_are(world, row, said):
    frame, _ = world
    with pytest.raises(at.AttributionError, match=said):
        model(frame, {**PAIR, "narratives": [{"channel": "demand", "imposed": False, **row}]})


@pytest.mark.parametrize("scheme", ["recursive", "long_run"])
@pytest.mark.parametrize("horizons", [0, 3, "long_run"])
def test_an_ordered_shock_is_reported_the_way_up_that_is_asked_for(world, scheme, horizons):
    """A shock whose response has the wrong sign is turned, draw by draw; nothing else moves."""
    frame, _ = world
    plain = {"scheme": scheme, "shocks": list(SHOCKS)}
    sign = {"variable": "output", "sign": "-", "horizons": horizons}
    one, two = (
        at.fit(model(frame, table), data=frame, settings=settings("recursive"))
        for table in (plain, {**plain, "signs": {"demand": sign}})
    )
    before, after = (run.tree["structural"].to_dataset() for run in (one, two))
    slopes, impact = (after[k].to_numpy() for k in ("lag_coefficients", "impact"))
    power = slopes[:, :, 0]
    moved = {
        0: impact,
        3: power @ power @ power @ impact,
        "long_run": np.linalg.solve(np.eye(3) - power, impact),
    }[horizons]
    assert (moved[:, :, 0, 0] < 0).all()
    turned = np.sign(impact[:, :, 0, 0] / before["impact"].to_numpy()[:, :, 0, 0])
    assert np.array_equal(impact[..., 0], before["impact"].to_numpy()[..., 0] * turned[..., None])
    assert np.array_equal(impact[..., 1:], before["impact"].to_numpy()[..., 1:])
    parts = [run.tree["posterior/contribution"].to_numpy() for run in (one, two)]
    np.testing.assert_allclose(*parts, atol=1e-10)  # a contribution has no way up
    assert float(two.tree["point/impact"][0, 0]) < 0


@pytest.mark.parametrize(
    ("signs", "said"),
    [
        ({"demnd": {"variable": "output", "sign": "+"}}, "'demnd', which is not a shock"),
        ({"demand": {"variable": "outpt", "sign": "+"}}, "'outpt', which is not a variable"),
        ({"demand": {"variable": "output", "sign": "0"}}, "sign '0' is unknown"),
        ({"demand": {"variable": "output", "sign": "+", "horizons": [0, 4]}}, "give one horizon"),
    ],
)
def test_a_sign_that_fits_no_shock_is_refused(world, signs, said):
    with pytest.raises(at.SpecError, match=said):
        model(world[0], {"scheme": "long_run", "shocks": list(SHOCKS), "signs": signs})


def test_only_ordered_shocks_take_signs(world):
    sign = {"demand": {"variable": "output", "sign": "+"}}
    with pytest.raises(at.SpecError, match="does not read signs"):
        model(world[0], {**PAIR, "signs": sign})


def summed(frame, **system):
    return {"system": {**model_parts(frame)["system"], **system}}


def test_a_cumulated_variable_has_the_responses_and_shares_of_its_sum(world):
    """The oracle: a system to which the sum is added as a state, its forecast error by powers."""
    frame, _ = world
    asked = model(frame, PAIR, **summed(frame, cumulated=["rate", "output"]))
    run = at.fit(asked, data=frame, settings=settings("signs"))
    found = run.tree["cumulated"].to_dataset()
    assert list(found["variable"].to_numpy()) == ["rate", "output"]
    saved = at.structural_of(run.tree)
    slopes, impact = saved.lag_coefficients[1, 7, 0], saved.impact[1, 7]
    state = np.zeros((6, 6))  # [y_t, sum of y up to t]
    state[:3, :3] = state[3:, :3] = slopes
    state[3:, 3:] = np.eye(3)
    step, variance = np.concatenate([impact, impact]), np.zeros((3, 3))
    for horizon in range(9):
        variance += step[3:] ** 2
        for name, row in (("rate", 2), ("output", 0)):
            here = found.sel(variable=name, horizon=horizon, chain=1, draw=7)
            response = here["response"].sel(channel=["demand", "supply"]).to_numpy()
            np.testing.assert_allclose(response, step[3 + row, :2], rtol=1e-9, atol=1e-12)
            share = variance[row] / variance[row].sum()
            np.testing.assert_allclose(
                here["share"].sel(channel=["demand", "supply", "unattributed"]), share, rtol=1e-9
            )
        step = state @ step
    again = at.variance_shares(saved, 8, cumulated=True)
    np.testing.assert_allclose(
        again[..., [2, 0], :2], found["share"].sel(channel=["demand", "supply"]), rtol=1e-12
    )


def test_a_point_estimate_has_cumulated_responses_too(world):
    frame, _ = world
    asked = model(frame, {"scheme": "recursive"}, **summed(frame, cumulated=["output"]))
    point = at.fit(asked, data=frame, settings=settings("recursive")).tree["point"].to_dataset()
    sums = point["response"].sel(variable="output", channel=list(NAMES)).cumsum("horizon")
    ours = point["cumulated_response"].sel(cumulated="output", channel=list(NAMES))
    ours = ours.transpose(*sums.dims)
    np.testing.assert_allclose(ours, sums, rtol=1e-12)
    share = point["cumulated_share"].sel(channel=list(NAMES)).sum("channel")
    np.testing.assert_allclose(share, 1.0)


@pytest.mark.parametrize(
    ("system", "said"),
    [
        ({"cumulated": ["outpt"]}, "cumulated names 'outpt'"),
        ({"cumulated": ["output"], "levels": ["output"]}, "summed already"),
    ],
)
def test_what_cannot_be_summed_is_refused(world, system, said):
    with pytest.raises(at.SpecError, match=said):
        model(world[0], PAIR, **summed(world[0], **system))


def test_the_shocks_of_every_day_are_saved_on_request(world):
    frame, _ = world
    asked = settings("signs", shocks=True)
    run = at.fit(model(frame, PAIR), data=frame, settings=asked)
    saved = run.tree["every_shock/shock"]
    assert list(saved["day"].to_numpy()) == list(frame.index[1:])
    _, by_hand, _ = shocks_on(run, frame, range(1, DAYS))
    ours = saved.transpose("chain", "draw", "day", "name").to_numpy()
    np.testing.assert_allclose(ours.reshape(by_hand.shape), by_hand, atol=1e-10)
    plain = at.fit(model(frame, PAIR), data=frame, settings=settings("signs"))
    assert "every_shock" not in plain.tree
    with pytest.raises(at.SpecError, match="--shocks: kind 'bvar' has more shocks"):
        at.fit("bvar", settings=asked)


def whole(**more):
    windows = [{"name": "sample", "whole_sample": True}]
    return {"name": "all of it", "outcome": "output", "windows": windows, **more}


@pytest.mark.parametrize("scheme", [PAIR, {"scheme": "recursive"}], ids=["table", "recursive"])
def test_a_window_over_the_whole_sample_holds_nothing_out(world, scheme):
    frame, _ = world
    few = at.Settings(draws=1000, seed=3)
    run = at.fit(model(frame, scheme, event=whole()), data=frame, settings=few)
    quiet = at.fit(model(frame, scheme, event=False), data=frame, settings=few)
    assert np.array_equal(run.tree["structural/impact"], quiet.tree["structural/impact"])
    assert run.manifest["settings"]["hold_out"] == ""
    window = run.tree["windows/sample"].to_dataset()
    assert list(window["time"].to_numpy()) == list(frame.index[1:])
    total = window["contribution"].sum("channel") + window["baseline"]
    np.testing.assert_allclose(
        total, np.broadcast_to(frame["output"].iloc[1:], total.shape), atol=1e-9
    )
    history = at.historical_decomposition(
        at.structural_of(run.tree), frame[list(NAMES)], variables=["output"]
    )
    weight = run.tree["weights/weight"]
    mean = (window["contribution"] * weight).sum(("chain", "draw")) / weight.sum()
    ours = history.mean[:, 0, : mean.sizes["channel"]]
    np.testing.assert_allclose(mean.transpose("time", "channel"), ours, atol=1e-9)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hold_out": [date(2016, 1, 4), date(2016, 1, 5)]}, "holds nothing out and stands alone"),
        (
            {
                "windows": [
                    {"name": "sample", "whole_sample": True},
                    {"name": "day", "start": date(2016, 1, 4), "end": date(2016, 1, 4)},
                ]
            },
            "remove hold_out and the other windows",
        ),
        (
            {"windows": [{"name": "s", "whole_sample": True, "start": date(2016, 1, 4)}]},
            "unknown key 'start'",
        ),
    ],
)
def test_a_window_over_the_whole_sample_stands_alone(world, changes, said):
    frame, _ = world
    with pytest.raises(at.SpecError, match=said):
        model(frame, PAIR, event=whole(**changes))


def test_more_numbers_than_fit_are_refused_before_the_fit(world):
    frame, _ = world
    many = at.Settings(draws=400_000, seed=3)
    with pytest.raises(at.SpecError, match=r"window 'sample': .*; ask for at most [\d,]+ --draws"):
        at.fit(model(frame, PAIR, event=whole()), data=frame, settings=many)


INSTRUMENTED = CASES["proxy"][0]


@pytest.fixture(scope="module")
def proxied(world):
    frame, _ = world
    asked = model(frame, INSTRUMENTED, prior={"flat": True}, event=whole())
    return at.fit(asked, data=frame, settings=settings("proxy"))


def test_a_proxy_has_a_point_estimate(world, proxied):
    """By hand: least squares, the covariance with the instrument, one standard deviation."""
    frame, _ = world
    y, m = frame[list(NAMES)].to_numpy(), frame["news"].to_numpy()[1:]
    x = np.column_stack([np.ones(DAYS - 1), y[:-1]])
    slopes = np.linalg.lstsq(x, y[1:])[0]
    error = y[1:] - x @ slopes
    covariance = error.T @ error / (DAYS - 1 - 4)
    gamma = error.T @ (m - m.mean())
    column = gamma / np.sqrt(gamma @ np.linalg.solve(covariance, gamma))
    point = proxied.tree["point"].to_dataset()
    np.testing.assert_allclose(point["impact"].sel(shock="demand"), column, rtol=1e-9)
    impact = point["impact"].to_numpy()
    np.testing.assert_allclose(impact @ impact.T, covariance, rtol=1e-9)
    for horizon in range(9):
        power = np.linalg.matrix_power(slopes[1:].T, horizon)
        ours = point["response"].sel(horizon=horizon, channel="demand")
        np.testing.assert_allclose(ours, power @ column, rtol=1e-8, atol=1e-12)
    per_unit = proxied.tree["weak_instruments/response"][0, 0]
    ours = point["response"].sel(channel="demand") / column[0]
    np.testing.assert_allclose(ours, per_unit, rtol=1e-8, atol=1e-12)


def test_the_point_estimate_of_a_proxy_decomposes_the_whole_sample(world, proxied):
    """The channel's shock is the projection of the errors; its parts sum with the rest."""
    frame, _ = world
    point = proxied.tree["point"].to_dataset()
    y, slopes = frame[list(NAMES)].to_numpy(), point["lag_coefficients"].to_numpy()[0]
    error = y[1:] - y[:-1] @ slopes.T - point["intercept"].to_numpy()
    impact = point["impact"].to_numpy()
    column = impact[:, 0]
    shock = error @ np.linalg.solve(impact @ impact.T, column)
    state, total = np.zeros(3), 0.0
    for struck in shock:
        state = slopes @ state + column * struck
        total += state[0]
    found = point["contribution"].sel(window="sample")
    np.testing.assert_allclose(found.sel(channel="demand"), total, rtol=1e-9)
    whole_ = found.sum() + point["baseline"].sel(window="sample")
    np.testing.assert_allclose(whole_, frame["output"].iloc[1:].sum(), rtol=1e-9)


def test_two_instruments_leave_no_single_point(world):
    frame, _ = world
    both = frame.assign(other=frame["news"] + np.sin(np.arange(DAYS)))
    row = INSTRUMENTED["instruments"][0]
    asked = {**INSTRUMENTED, "instruments": [row, {**row, "column": "other"}]}
    run = at.fit(model(both, asked), data=both, settings=settings("proxy"))
    assert "point" not in run.tree
