"""A study of exposures: a planted cut of crowded positions is found, from columns or from rows."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

import attribution as at
from attribution.errors import DataError, EventError
from attribution.report.figures import pictures
from attribution.report.run_tables import tables
from attribution.runs.run import load_run, save_run
from attribution.studies.slopes.fit import daily_slopes, exposures, rank

DAYS = pd.bdate_range("2024-01-01", periods=300)
EVENT = DAYS[280].date()
ASSETS = [f"a{i}" for i in range(12)]


def wide(*, price=0.0, own=0.0, seed=1):
    """Twelve assets on two factors; on the event the first factor has a price of its own."""
    rng = np.random.default_rng(seed)
    beta = np.column_stack([rng.uniform(-1, 2, 12), rng.uniform(0.5, 1.5, 12)])
    factors = rng.standard_normal((len(DAYS), 2)) * [0.6, 1.0]
    returns = factors @ beta.T + 0.4 * rng.standard_normal((len(DAYS), 12))
    returns[280] += price * beta[:, 0]
    returns[280, 0] += own
    frame = pd.DataFrame(returns, DAYS, ASSETS)
    return frame.assign(crowd=factors[:, 0] + factors[:, 1], spy=factors[:, 1])


def long(frame):
    rows = frame.rename_axis("time").reset_index()
    tidy = rows.melt(["time", "crowd", "spy"], ASSETS, var_name="asset", value_name="ret")
    return tidy.set_index(["asset", "time"]).sort_index()


def model(assets, **changes):
    base = {
        "schema": 1,
        "kind": "fama_macbeth",
        "title": "twelve assets",
        "sample": {"start": DAYS[0].date(), "end": DAYS[-1].date()},
        "assets": assets,
        "factors": [
            {"name": "crowded", "column": "crowd", "less": "spy"},
            {"name": "market", "column": "spy"},
        ],
        "exposures": {"window": 100, "least": 80},
        "average": {"lags": 3},
        "events": [{"name": "cut", "day": EVENT}],
    }
    return at.model_from(base | changes)


COLUMNS = {"columns": ASSETS, "apart": ["a0"]}
ROWS = {"column": "ret", "apart": ["a0"]}


def fitted(frame, assets=COLUMNS, **changes):
    return at.fit(model(assets, **changes), data=frame)


def test_columns_and_rows_give_the_same_numbers():
    data = wide(price=-4.0)
    one, other = tables(fitted(data)), tables(fitted(long(data), ROWS))
    for name in one:
        numbers = one[name].select_dtypes("number").to_numpy()
        others = other[name].select_dtypes("number").to_numpy()
        assert numbers == pytest.approx(others, rel=1e-9, nan_ok=True)


def test_a_planted_price_of_exposure_is_extreme_on_its_day_and_carries_the_asset_apart():
    run = fitted(wide(price=-4.0))
    found = tables(run)
    row = found["event_slopes"].loc["crowded, cut"]
    assert row["p"] < 0.02
    assert row["highest_without_one"] < 0
    assert found["misses"].loc["a0, cut", "p"] > 0.05
    assert found["event_slopes"].loc["market, cut", "p"] > 0.02


def test_a_fall_of_one_asset_alone_is_not_explained_by_the_others():
    run = fitted(wide(own=-6.0))
    row = tables(run)["misses"].loc["a0, cut"]
    assert row["p"] <= 2 / 150
    assert row["observed"] < tables(run)["answers"].loc["a0, cut", "q05"]
    (said,) = [f for f in run.manifest["findings"] if f["name"] == "expected: a0, cut"]
    assert said["verdict"] == "fails"


def test_without_an_event_a_days_rank_rejects_as_often_as_it_says():
    replications, rejected, used = 200, 0, np.ones(12, bool)
    for seed in range(replications):
        data = wide(seed=seed)
        factors = np.column_stack([data["crowd"] - data["spy"], data["spy"]])
        returns = data[ASSETS].to_numpy()
        beta = exposures(returns, factors, window=100, least=80)
        slope = daily_slopes(returns, beta, used).slope[101:, 1]
        rejected += rank(slope[179], np.delete(slope, 179)) <= 0.2
    assert abs(rejected / replications - 0.2) < 3 * np.sqrt(0.2 * 0.8 / replications)


def test_the_event_and_what_follows_do_not_enter_the_exposures_of_the_event():
    """No look-ahead: a changed future leaves the event's row as it was."""
    data = wide(price=-4.0)
    changed = data.copy()
    changed.iloc[281:] = 5 * data.iloc[281:].to_numpy()[::-1]
    runs = [fitted(d) for d in (data, changed)]
    for name in ("exposure", "slope"):
        base, other = (run.tree[f"slopes/{name}"].to_numpy()[:281] for run in runs)
        assert np.array_equal(base, other, equal_nan=True)


def test_the_order_of_assets_changes_nothing():
    data = wide(price=-4.0)
    other = {"columns": ASSETS[::-1], "apart": ["a0"]}
    base, moved = (tables(fitted(data, a))["event_slopes"] for a in (COLUMNS, other))
    assert base.to_numpy() == pytest.approx(moved.loc[base.index].to_numpy(), rel=1e-8)


def test_the_day_after_is_found_where_it_is():
    data = wide(seed=3)
    slope = tables_slope(fitted(data))
    data["a0"] = data["a0"] + np.r_[0, 0.8 * slope[:-1]]
    (row,) = [
        r
        for n, r in tables(fitted(data))["the_day_after"].iterrows()
        if n == "a0: crowded the day before"
    ]
    assert abs(row["coefficient"] - 0.8) < 4 * row["standard_error"]


def tables_slope(run):
    return np.nan_to_num(run.tree["slopes/slope"].sel(term="crowded").to_numpy())


def test_averages_alone_need_no_event_and_no_asset_apart():
    run = fitted(wide(), {"columns": ASSETS}, events=[])
    found = tables(run)
    assert list(found) == ["answers"]
    assert list(found["answers"].index) == ["crowded, average slope", "market, average slope"]
    assert [p.name for p in pictures(run.tree, found)] == ["fama_macbeth_slopes"]


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"events": [{"name": "x", "day": date(2024, 1, 6)}]}, EventError, "is no day of the"),
        ({"events": [{"name": "x", "day": DAYS[20].date()}]}, EventError, "has 0 asset"),
        ({"exposures": {"window": 299, "least": 299}}, DataError, "have enough assets"),
    ],
)
def test_what_cannot_be_estimated_is_refused(change, error, said):
    with pytest.raises(error, match=said):
        fitted(wide(), **change)


@pytest.mark.parametrize(
    ("crowd", "said"),
    [
        (lambda frame: 3.0 * frame["spy"] + 1.0, "factors crowd, market are collinear"),
        (lambda frame: 2.0, "factor 'crowd' never changes"),
    ],
)
def test_factors_that_are_alike_are_not_called_too_few_assets(crowd, said):
    data = wide().assign(crowd=crowd)
    factors = [{"name": "crowd", "column": "crowd"}, {"name": "market", "column": "spy"}]
    with pytest.raises(DataError, match=said):
        fitted(data, factors=factors)


def test_exposures_that_are_alike_are_not_called_too_few_assets():
    """Every asset moves with the two factors as every other does, but for next to nothing."""
    data = wide()
    market = data["spy"] + data["crowd"]
    noise = 1e-9 * np.random.default_rng(2).standard_normal((len(DAYS), len(ASSETS)))
    data[ASSETS] = market.to_numpy()[:, None] + noise
    with pytest.raises(DataError, match="exposures of all assets to crowded, market are collinear"):
        fitted(data)


def test_rows_of_the_wrong_kind_are_refused():
    data = wide()
    with pytest.raises(DataError, match="the model wants rows of assets and days"):
        at.fit(model({"column": "crowd"}), data=data)
    with pytest.raises(DataError, match="there is no asset 'b'"):
        fitted(long(data), {"column": "ret", "apart": ["b"]})
    with pytest.raises(DataError, match="column 'spy' holds texts"):
        fitted(data.assign(spy="x"))
    rows = long(data)
    rows.iloc[5, rows.columns.get_loc("spy")] += 1
    with pytest.raises(DataError, match="factor 'spy' differs between assets on"):
        fitted(rows, ROWS)


def test_the_figures_are_drawn_from_a_saved_run(tmp_path):
    save_run(fitted(wide(price=-4.0)), tmp_path)
    again = load_run(tmp_path)
    drawn = pictures(again.tree, tables(again))
    assert [picture.name for picture in drawn] == ["fama_macbeth_slopes", "fama_macbeth_misses"]
    assert [a.get_title(loc="left") for a in drawn[0].figure.axes] == [
        "crowded, per unit of exposure",
        "market, per unit of exposure",
    ]


def test_the_shipped_model_sets_bitcoin_apart():
    question = at.read_model("degrossing").question
    assert set(question.apart) == {"ibit_return", "btc_return"}
    assert len(question.assets) - len(question.apart) == 7
