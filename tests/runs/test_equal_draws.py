"""What a run saves is what any reader takes it for: draws of equal weight, whatever drew them."""

import warnings
from datetime import date

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose, assert_array_equal

import attribution as at
from attribution.core.weighted_draws import copies, taken
from attribution.decompose import decompose
from attribution.errors import DataError
from attribution.model.spec import Window
from attribution.report.draws import band, contribution, weights
from attribution.report.results import results
from attribution.report.run_tables import tables
from attribution.runs.run import KEYS, Run, load_run, save_run
from attribution.sampling import engine
from attribution.sampling.diagnostics import ess_bulk, weight_size

NAMES, SHOCKS = ("output", "prices", "rate"), ("demand", "supply", "policy")
DAYS, BREAK = 400, 200
IMPACT = np.array([[1.0, -0.6, 0.2], [0.7, 1.2, -0.3], [0.3, 0.4, 1.5]])
SIGNS = {
    "output": {"demand": {"sign": "+"}, "supply": {"sign": "-"}},
    "prices": {"demand": {"sign": "+"}, "supply": {"sign": "+"}},
}
TOLD = date(2015, 5, 21)
"""Day 100 of the series, on which demand struck."""


def table(cells, channels=SHOCKS[:2], **more):
    said = {"reason": "as simulated", "source": "this test"}
    return {**said, "channels": dict.fromkeys(channels, "a shock"), "cells": cells, **more}


def loose(**more):
    """A bound that one or two columns obey, so that one or two namings are valid."""
    return table({**SIGNS, "rate": {"supply": {"at_most": 0.4}}}, **more)


def zero(**more):
    return table({**SIGNS, "rate": {"supply": {"sign": "0"}}}, **more)


def narrative(**more):
    told = [{"channel": "demand", "claim": "overwhelming", "to": "output", "date": TOLD}]
    return table(SIGNS, reading="conditional", narratives=told, **more)


PROXY = {"scheme": "proxy", "instruments": [{"channel": "demand", "column": "news"}]}
HIERARCHICAL = {"prior": {"hierarchical": True, "own_lag": 0.3}}
KINDS = {
    "namings": (loose(), {}),
    "exact zero": (zero(), {}),
    "narrative": (narrative(), {}),
    "hierarchical order": ({"scheme": "recursive"}, HIERARCHICAL),
    "hierarchical long run": ({"scheme": "long_run"}, HIERARCHICAL),
    "heavy tails": (zero(), {"errors": {"law": "student_t"}}),
    "heavy tails, told": (narrative(), {"errors": {"law": "student_t"}}),
    "instrument with signs": (table({**SIGNS, "rate": {"demand": {"at_least": 0.2}}}, **PROXY), {}),
    "independence": (loose(scheme="non_gaussian"), {"errors": {"law": "independent_t"}}),
    "regimes": (loose(scheme="heteroskedasticity", breaks=[date(2015, 10, 8)]), {}),
    "no event": (zero(), {"event": None}),
}
"""Every way to come by unequal weights."""


@pytest.fixture(scope="module")
def frame():
    import pandas as pd

    rng = np.random.default_rng(11)
    shocks = rng.standard_t(4, (DAYS, 3)) / np.sqrt(2)
    shocks[BREAK:] *= [1.0, 0.4, 2.0]
    shocks[100], shocks[-1] = [5.0, 0.4, -0.3], [-4.0, 3.0, 1.0]
    path = np.zeros((DAYS, 3))
    for t in range(1, DAYS):
        path[t] = 0.3 * path[t - 1] + IMPACT @ shocks[t]
    index = pd.bdate_range("2015-01-01", periods=DAYS, name="time")
    assert index[100].date() == TOLD
    return pd.DataFrame(path, index, list(NAMES)).assign(
        news=0.8 * shocks[:, 0] + 0.5 * rng.standard_normal(DAYS)
    )


def model(frame, kind):
    identification, parts = KINDS[kind]
    days = [frame.index[i].date() for i in (0, -3, -1)]
    windows = [
        {"name": "last day", "start": days[2], "end": days[2]},
        {"name": "three days", "start": days[1], "end": days[2]},
    ]
    said = {
        "schema": 1,
        "kind": "svar",
        "title": "a simulated system",
        "sample": {"panel": "frame", "start": days[0], "end": days[2]},
        "system": {"variables": list(NAMES), "lags": 1, "horizons": 4},
        "event": {"name": "the end", "outcome": "output", "windows": windows},
        "identification": identification,
        **parts,
    }
    return at.model_from({k: value for k, value in said.items() if value is not None}, name="m")


@pytest.fixture(scope="module")
def fitted(frame):
    """Each kind fitted once."""
    done = {}

    def run(kind):
        if kind not in done:
            settings = at.Settings(draws=1600, seed=3)
            done[kind] = at.fit(model(frame, kind), data=frame, settings=settings)
        return done[kind]

    return run


def originals(run):
    before = run.tree["weighted"].to_dataset()
    return before, before["weight"].to_numpy(), before["copies"].to_numpy()


@pytest.mark.parametrize("kind", KINDS)
def test_a_plain_mean_is_the_weighted_mean_within_the_noise_of_resampling(fitted, kind):
    run = fitted(kind)
    before, weight, kept = originals(run)
    assert np.ptp(weight) > 0.1 and kept.sum() == kept.size
    assert_array_equal(run.tree["weights/weight"], 1.0)
    share = weight / weight.sum()
    names = ["impact", "lag_coefficients", "intercept"]
    held = {name: run.tree["structural"][name] for name in names}
    if "posterior" in run.tree:
        held |= {str(name): array for name, array in run.tree["posterior"].data_vars.items()}
    for name, array in held.items():
        x = before[name].transpose(*array.dims).to_numpy()
        x = x.reshape(weight.size, -1)
        plain = array.mean(("chain", "draw")).to_numpy().ravel()
        assert_allclose(plain, kept.ravel() @ x / kept.size, rtol=1e-10, atol=1e-12, err_msg=name)
        mean = share.ravel() @ x
        part = weight.size * share.ravel() % 1
        noise = np.sqrt((part * (1 - part)) @ (x - mean) ** 2) / weight.size
        assert (np.abs(plain - mean) <= 5 * noise + 1e-9 * (1 + np.abs(mean))).all(), name


SAVED = ("exact zero", "narrative", "instrument with signs")
"""Kinds whose file is read back; the others are handed over as they are, which is quicker."""


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "no event"])
def test_every_reader_prints_the_same_number(fitted, kind, tmp_path):
    import arviz as az

    run = fitted(kind)
    read = run.tree["posterior"].to_dataset()[["contribution"]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind in SAVED:
            save_run(run, tmp_path)
            run, read = load_run(tmp_path), az.from_netcdf(tmp_path / "run.nc")
        theirs = az.summary(read, var_names=["contribution"], round_to="none")["mean"].astype(float)
    plain = run.tree["posterior/contribution"].mean(("chain", "draw"))
    ours = engine.summary(run.tree)["mean"]
    found = tables(run)
    said = results(run, found)["windows"]
    for window in ("last day", "three days"):
        drawn = band(contribution(run.tree, window), weights(run.tree)).mean
        for i, channel in enumerate(map(str, plain["channel"].to_numpy())):
            row = f"contribution[{window}, {channel}]"
            printed = [
                found[window].loc[channel, "mean"],
                said[window]["rows"][channel]["mean"],
                drawn[i],
                ours[row],
                theirs[row],
            ]
            wanted = float(plain.sel(window=window, channel=channel))
            assert_allclose(printed, wanted, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "no event"])
def test_every_group_holds_the_same_draws_in_the_same_places(fitted, frame, kind):
    """A decomposition of the saved system gives the saved contributions, draw by draw."""
    run = fitted(kind)
    found = at.structural_of(run.tree)
    assert (found.weight == 1).all()
    days = [frame.index[i].date() for i in (-3, -1)]
    split = decompose(found, frame[list(NAMES)], Window("three days", *days), "output")
    days_of = run.tree["windows/three days/contribution"].to_numpy()
    assert_allclose(split.contribution[:, :, :, 0], days_of, atol=1e-10)
    total, base, observed = split.cumulated("output")
    posterior = run.tree["posterior"].sel(window="three days")
    assert_allclose(total, posterior["contribution"], atol=1e-10)
    assert_allclose(total.sum(-1) + base, observed, atol=1e-10)
    first = run.tree["responses/response"].sel(horizon=0).transpose(..., "variable", "channel")
    named = [found.shocks.index(name) for name in found.channels]
    assert_allclose(first, found.impact[..., named], atol=1e-12)
    errors = np.einsum(
        "cdvs,cds->cdv", found.impact, run.tree["structural_shocks/shock"].isel(day=-1)
    )
    eve, last = frame[list(NAMES)].to_numpy()[-2:]
    slopes = found.lag_coefficients[:, :, 0]
    path = found.intercept + slopes @ eve + errors
    assert_allclose(path, np.broadcast_to(last, path.shape), atol=1e-9)
    shares = at.variance_shares(found, 4)[..., 0, named]
    assert_allclose(
        run.tree["fevd/share"].sel(horizon=4, variable="output")[..., : len(named)],
        shares[..., -1, :] if shares.ndim == 4 else shares,
        atol=1e-10,
    )


@pytest.mark.parametrize("kind", ["exact zero", "narrative"])
def test_copies_do_not_pass_for_evidence(fitted, kind):
    """Of independent draws: what is printed, and what ArviZ sees, is the worth of the copies."""
    run = fitted(kind)
    _, weight, kept = originals(run)
    assert weight_size(kept) < weight_size(weight) < kept.size
    first = tables(run)["last day"].drop("observed")
    assert (first["ess_bulk"] <= weight_size(kept) * (1 + 1e-12)).all()
    assert (first["ess_bulk"] > 0.6 * weight_size(kept)).all()
    summed = engine.summary(run.tree)
    assert summed["ess_bulk"].max() <= weight_size(kept) * (1 + 1e-12)
    assert_allclose(
        summed["mcse_mean"] * np.sqrt(summed["ess_bulk"]), summed["sd"], rtol=1e-3, atol=1e-9
    )
    seen = ess_bulk(run.tree["posterior/contribution"].to_numpy())
    assert (0.6 * weight_size(kept) < seen).all() and (seen < 1.4 * weight_size(kept)).all()
    assert run.manifest["diagnostics"]["min_ess_bulk"] <= weight_size(kept)
    (said,) = (f["evidence"] for f in run.manifest["findings"] if f["name"] == "weights")
    assert f"worth {weight_size(weight):,.0f} of equal weight" in said
    assert f"worth {weight_size(kept):,.0f}" in said
    attrs = run.tree["posterior"].attrs
    assert attrs["effective_size"] == pytest.approx(weight_size(kept))
    assert attrs["resampled_from"] == "/weighted"


def test_the_weighted_draws_can_be_had_and_weigh_as_they_did(fitted):
    run = fitted("narrative")
    before = at.structural_of(run.tree, "weighted")
    _, weight, kept = originals(run)
    assert_array_equal(before.weight, weight)
    now = at.structural_of(run.tree)
    assert_array_equal(taken(before.impact, kept), now.impact)
    factors = run.tree["weighted/weight_factors"].to_dataset()
    whole = np.prod([factors[name].to_numpy() for name in factors.data_vars], axis=0)
    assert_allclose(whole / whole.mean(), weight, rtol=1e-12)


def test_robust_ranges_and_the_relevance_of_an_instrument_are_of_equal_draws(fitted):
    assert_array_equal(fitted("narrative").tree["robust/weight"], 1.0)
    run = fitted("instrument with signs")
    _, weight, kept = originals(run)
    assert set(np.unique(weight > 0)) == {False, True}
    before = run.tree["weighted/instruments/reliability"].to_numpy()
    assert_array_equal(run.tree["instruments/reliability"], taken(before, kept))
    (said,) = (f["evidence"] for f in run.manifest["findings"] if f["name"].startswith("relevance"))
    obeys = np.quantile(before[weight > 0], 0.5, method="inverted_cdf")
    assert f"squared correlation with the shock {obeys:.2f} (90 %" in said


def test_every_way_to_use_the_event_has_draws_of_its_own_that_weigh_alike(frame):
    """The weights of the first way are none of the others'."""
    settings = at.Settings(draws=1200, seed=3, event_in="all")
    run = at.fit(model(frame, "exact zero"), data=frame, settings=settings)
    said = results(run, tables(run))["event_in"]
    assert list(said) == ["out", "scale", "in"]
    draws = run.tree["event_in/contribution"]
    assert_array_equal(draws.sel(event_in="out"), run.tree["posterior/contribution"])
    for way in said:
        alone = at.Settings(draws=1200, seed=3, event_in=way)
        other = at.fit(model(frame, "exact zero"), data=frame, settings=alone)
        assert_array_equal(draws.sel(event_in=way), other.tree["posterior/contribution"])
        for channel, row in said[way]["last day"].items():
            plain = draws.sel(event_in=way, window="last day", channel=channel).mean()
            assert row["mean"] == pytest.approx(float(plain), rel=1e-12)


def test_one_seed_gives_one_choice_and_equal_weights_are_left_alone(fitted, frame, tmp_path):
    run = fitted("exact zero")
    _, weight, kept = originals(run)
    start = float(np.random.default_rng([3, 2]).random())
    assert_array_equal(copies(weight, start), kept)
    plain = at.model_from(
        {
            "schema": 1,
            "kind": "var",
            "title": "no weights",
            "sample": {"panel": "f", "start": frame.index[0].date(), "end": frame.index[-1].date()},
            "system": {"variables": list(NAMES), "lags": 1},
        },
        name="plain",
    )
    alike = at.fit(plain, data=frame, settings=at.Settings(draws=1000, seed=3))
    assert "weighted" not in alike.tree
    assert "weights" not in {f["name"] for f in alike.manifest["findings"]}


@pytest.mark.parametrize("bad", [[1.5, 0.5], [np.nan, np.nan], [0.0, 0.0], [-1.0, -1.0]])
def test_a_run_whose_draws_need_weights_is_refused_on_loading(tmp_path, bad):
    """The layout of earlier versions: read plainly, its numbers would be wrong."""

    def save(weight):
        draws = xr.Dataset({"contribution": (("chain", "draw"), [[1.0, 2.0]])})
        weighed = xr.Dataset({"weight": (("chain", "draw"), [weight])})
        tree = xr.DataTree.from_dict({"/posterior": draws, "/weights": weighed})
        save_run(Run(tree, dict.fromkeys(KEYS, "")), tmp_path)

    save(bad)
    with pytest.raises(
        DataError,
        match=r"run\.nc: .*(unequal weights|not finite and non-neg).*fit the model again$",
    ):
        load_run(tmp_path)
    save([1.0, 1.0])
    assert load_run(tmp_path).tree["posterior/contribution"].mean() == 1.5


@pytest.mark.parametrize("seed", range(5))
def test_systematic_resampling_keeps_each_draw_as_often_as_it_weighs(seed):
    rng = np.random.default_rng(seed)
    weight = rng.exponential(size=(4, 500)) ** 2 * (rng.random((4, 500)) > 0.3)
    weight[-1, -3:] = 0.0
    wanted = weight * weight.size / weight.sum()
    for start in (0.0, rng.random(), np.nextafter(1.0, 0.0)):
        kept = copies(weight, start)
        assert kept.sum() == kept.size and (kept[weight == 0] == 0).all()
        assert (np.abs(kept - wanted) < 1 + 1e-9).all()
    every = np.mean([copies(weight, (i + 0.5) / 4000) for i in range(4000)], axis=0)
    assert_allclose(every, wanted, atol=1 / 2000)
    assert_array_equal(copies(np.full((2, 3), 0.7), 0.999), 1)
    x = np.arange(kept.size).reshape(kept.shape)
    laid = taken(x, kept).ravel()
    assert (np.diff(laid) >= 0).all()
    assert_array_equal(np.bincount(laid, minlength=kept.size), kept.ravel())
