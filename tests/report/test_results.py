"""What documents quote: the headline sentence, sums where only sums are known, the same numbers."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from attribution.report.results import KEPT, by_name, headline, results
from attribution.report.run_tables import SUMS, tables
from attribution.runs.run import Run

CHANNELS = ["hedging", "spot_selling", "unattributed"]


def run_of(*, mean=(-9.0, -3.0, -1.0), correlation=0.0, weight=None, seed=1):
    """A run of one window whose first two contributions have a correlation."""
    rng = np.random.default_rng(seed)
    spread = np.eye(3)
    spread[0, 1] = spread[1, 0] = correlation
    x = np.array(mean) + rng.normal(size=(4, 500, 3)) @ np.linalg.cholesky(spread).T
    baseline = -14.0 - x.sum(-1)
    groups = {
        "/posterior": xr.Dataset(
            {
                "contribution": (("chain", "draw", "window", "channel"), x[:, :, None]),
                "baseline": (("chain", "draw", "window"), baseline[..., None]),
            },
            {"window": ["crash"], "channel": CHANNELS},
        ),
        "/windows/crash": xr.Dataset(
            {"observed": ("time", [-14.0])}, {"time": pd.DatetimeIndex(["2026-02-05"])}
        ),
        "/weights": xr.Dataset(
            {"weight": (("chain", "draw"), np.ones((4, 500)) if weight is None else weight(x))}
        ),
    }
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = {"model": "toy", "event": "a fall", "estimand": "S", "outcome": "btc_return"}
    manifest = {
        "findings": [],
        "diagnostics": {"max_rhat": 1.0},
        "digests": {"model": "m", "data": "d"},
        "seed": 1,
        "versions": {"attribution": "0"},
    }
    return Run(tree, manifest)


def said(run, **changes):
    table = tables(run)["crash"]
    for column, values in changes.items():
        table.loc[list(values), column] = list(values.values())
    return headline(run, table)


def test_the_headline_names_the_largest_channel_and_how_surely():
    text = said(run_of())
    assert text.startswith("btc_return moved -14.0 log points (-13.1 %) in window 'crash'; hedging")
    assert "probability 1.00" in text
    assert "No single channel" not in text


@pytest.mark.parametrize(("chance", "hedged"), [(0.49, True), (0.5, False), (0.51, False)])
def test_below_one_half_no_single_channel_is_named_as_the_cause(chance, hedged):
    text = said(run_of(), p_largest={"hedging": chance, "spot_selling": 0.3})
    assert ("No single channel is more likely than not to be the largest." in text) is hedged


def test_where_no_channel_explains_most_the_headline_says_so():
    text = said(run_of(mean=(-1.0, -2.0, -3.5)))
    assert "unattributed is the largest part with probability 0.8" in text
    assert "baseline" not in text


def test_where_no_shock_moves_with_the_outcome_the_baseline_is_named():
    """What does nothing is not the largest, however little the others do."""
    against = said(run_of(mean=(9.0, 6.0, 5.0)))
    assert "what was expected before it began, the baseline, is mean -34.0, 90 %" in against
    assert "no shock moves with it with probability 1.00" in against
    run = run_of(mean=(9.0, 6.0, 5.0))
    run.tree["posterior/contribution"][..., 2] = 0.0
    text = said(run)
    assert "unattributed" not in text and "no shock moves with it" in text
    trifle = said(run_of(mean=(9.0, 6.0, -0.1)))
    assert "the baseline, is mean" in trifle


@pytest.mark.parametrize(
    ("p", "sentence"),
    [
        (0.6, "The data do not tell the sign of: hedging."),
        (0.4, "The data do not tell the sign of: hedging."),
        (0.97, "The sign rests on the priors for: hedging."),
        (0.03, "The sign rests on the priors for: hedging."),
    ],
)
def test_a_channel_that_the_prior_drives_is_named(p, sentence):
    grades = {"hedging": "prior-driven", "spot_selling": "model-based"}
    text = said(run_of(), grade=grades, p_negative={"hedging": p})
    assert text.endswith(f" log points. {sentence}")
    free = said(run_of(), grade=dict.fromkeys(grades, "model-based"))
    assert "sign" not in free


@pytest.mark.parametrize(("correlation", "shown"), [(0.0, False), (-0.7, False), (-0.95, True)])
def test_a_sum_is_shown_only_where_its_parts_trade_off(correlation, shown):
    run = run_of(correlation=correlation)
    found = tables(run)
    assert (SUMS in found) is shown
    assert bool(results(run, found)["sums"]) is shown
    if shown:
        (row,) = found[SUMS].index
        assert row == "hedging + spot_selling"
        parts = found["crash"]["mean"]
        assert found[SUMS].loc[row, "mean"] == pytest.approx(
            parts["hedging"] + parts["spot_selling"]
        )
        assert found[SUMS].loc[row, "sd"] < 0.5 * found["crash"].loc["hedging", "sd"]


def test_a_sum_with_what_is_left_over_is_no_news():
    run = run_of()
    posterior = run.tree["posterior"].to_dataset()
    x = posterior["contribution"].to_numpy().copy()
    x[..., 2] = -10 - x[..., 0]
    run.tree["posterior"] = xr.DataTree(
        posterior.assign(contribution=posterior["contribution"].copy(data=x))
    )
    assert SUMS not in tables(run)


@pytest.mark.parametrize("name", ["var_run", "signs_run"])
def test_results_are_the_numbers_of_the_tables(request, name):
    run = request.getfixturevalue(name)
    found = tables(run)
    quoted = results(run, found)
    for window, table in ((w, found[w]) for w in quoted["windows"]):
        assert quoted["windows"][window]["observed"] == table.loc["observed", "mean"]
        rows = quoted["windows"][window]["rows"]
        assert set(rows) == set(table.index) - {"observed"}
        for row, numbers in rows.items():
            for column in set(KEPT) & set(table):
                value = table.loc[row, column]
                assert numbers.get(column) == (value if np.isfinite(value) else None)
            assert numbers["grade"] == table.loc[row, "grade"]
    assert quoted["headline"] == headline(run, found["event"])
    assert quoted["findings"] == list(run.manifest["findings"])
    assert quoted["diagnostics"]["draws"] * quoted["diagnostics"]["chains"] == 2000
    assert quoted["manifest"]["seed"] == run.manifest["seed"]
    assert quoted["manifest"]["model_digest"] == run.manifest["digests"]["model"]
    assert quoted["manifest"]["data_digest"] == run.manifest["digests"]["data"]


def test_weights_reach_every_quoted_number():
    """Exponential weights move a unit normal's mean by one."""

    def tilt(x):
        weight = np.exp(-(x[..., 0] + 9.0))
        return weight / weight.mean()

    plain, tilted = (
        results(run, tables(run))["windows"]["crash"]["rows"]["hedging"]
        for run in (run_of(), run_of(weight=tilt))
    )
    for column in ("mean", "median", "q05", "q95"):
        assert tilted[column] - plain[column] == pytest.approx(-1.0, abs=0.35), column
    assert tilted["ess_bulk"] < 0.6 * plain["ess_bulk"]


def test_rows_as_plain_data_hold_texts_truths_and_numbers_and_leave_out_what_is_missing():
    flag = pd.array([True, None], dtype="boolean")
    table = pd.DataFrame({"a": [1, 2], "b": [np.nan, np.inf], "c": ["x", None], "flag": flag})
    table.index = pd.Index(["one", "two"])
    assert by_name(table) == {"one": {"a": 1.0, "c": "x", "flag": True}, "two": {"a": 2.0}}
    assert by_name(table)["one"]["flag"] is True
