"""The shipped evidence: every card reads, every column is described, the numbers are published."""

import csv
import re

import numpy as np
import pandas as pd
import pytest

from attribution.content import content
from attribution.model import model_names, read_model
from attribution.model.study import StudySpec
from attribution.panel import data_sets, read_card, read_evidence, read_frame, read_panel

CARDS = sorted(content("data").glob("*.toml"))
NAMES = [path.stem for path in CARDS]


def header(card):
    with (card.path.parent / card.file).open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file))


def test_every_data_file_has_a_card_and_every_card_its_file():
    assert sorted(path.stem for path in content("data").glob("*.csv")) == NAMES
    assert [read_card(path).file for path in CARDS] == [f"{name}.csv" for name in NAMES]


@pytest.mark.parametrize("path", CARDS, ids=NAMES)
def test_every_column_of_a_file_is_described_and_nothing_else_is(path):
    card = read_card(path)
    keys = [card.index] + ([card.entity] if card.entity else [])
    assert sorted(header(card)) == sorted([*keys, *card.series])


@pytest.mark.parametrize("path", CARDS, ids=NAMES)
def test_every_series_says_where_it_comes_from_and_how_to_refresh_it(path):
    card = read_card(path)
    for series in card.series.values():
        assert series.source, series.name
        assert series.vintage, series.name
        assert series.refresh, series.name
        assert series.clock, series.name
        assert series.unit or series.type == "text", series.name
        assert series.magnitude or series.type == "text", series.name


@pytest.mark.parametrize("path", CARDS, ids=NAMES)
def test_a_card_speaks_of_public_places_only(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"shared|/work|/tmp|/home|\.\./", text)


@pytest.mark.parametrize("model", model_names())
def test_every_shipped_model_reads_its_panel(model):
    spec = read_model(model)
    if isinstance(spec, StudySpec):
        evidence = read_evidence(spec)
        assert set(evidence.rows.columns) == set(spec.question.columns) == set(evidence.units)
        assert len(evidence.rows)
        return
    panel = read_panel(spec)
    assert tuple(panel.values.columns) == spec.columns == tuple(panel.units)
    assert panel.values.index[0] == pd.Timestamp(spec.sample.start)
    assert panel.values.index[-1] == pd.Timestamp(spec.sample.end)
    complete = [*spec.system.variables, *spec.predetermined]
    assert np.isfinite(panel.values[complete].to_numpy()).all()
    assert panel.values.index.name == "time"
    assert panel.close == ("16:00", "America/New_York")
    assert panel.repairs == ()


@pytest.mark.parametrize("name", tuple(read_card(content("data") / "daily.toml").columns))
def test_every_derived_column_of_the_daily_card_is_finite_where_it_exists(name):
    from attribution.panel.read import derive

    card = read_card(content("data") / "daily.toml")
    values = derive(card.columns[name], read_frame("daily"))
    assert values.notna().sum() > 300
    assert np.isfinite(values.dropna().to_numpy()).all()


def test_the_fall_of_5_february_is_the_published_one():
    closes = read_frame("daily").loc["2026-02-04":"2026-02-05"]
    moves = 100 * (closes.iloc[1] / closes.iloc[0] - 1)
    assert moves["ibit"] == pytest.approx(-13.16, abs=0.005)
    assert moves["btc_usdt"] == pytest.approx(-13.2, abs=0.05)
    assert closes["btc_usdt"].to_list() == [73516.30, 63775.67]


def test_the_row_of_the_funds_table_is_the_published_one():
    funds = read_frame("funds").pivot_table("net_creation", "time", "fund")
    funds = funds.loc["2026-02-05":"2026-02-06"]
    assert funds["IBIT"].to_list() == [-175.3, 231.6]
    assert funds.sum(axis=1).to_list() == pytest.approx([-434.1, 371.1])


def test_the_daily_table_and_the_funds_table_agree_until_a_twelfth_fund_opens():
    daily = read_frame("daily").loc[:"2026-04-07"]
    funds = read_frame("funds").pivot_table("net_creation", "time", "fund")
    both = funds.loc[daily.index]
    assert np.allclose(both["IBIT"], daily["ibit_net_creation"])
    assert np.allclose(both.drop(columns="IBIT").sum(axis=1), daily["other_net_creation"])


def test_the_dollar_price_is_the_tether_price_and_the_premium():
    daily = read_frame("daily")
    found = daily["btc_usdt"] * (1 + daily["coinbase_premium"] / 100)
    assert np.allclose(found, daily["btc_usd"], atol=0.01, equal_nan=True)


def test_no_change_of_the_premium_spans_the_change_of_its_source():
    values = read_panel(read_model("bvar")).values["coinbase_premium_change"]
    assert values.loc["2025-09-09":"2025-12-30"].isna().all()
    assert values.loc["2025-09-08":"2025-09-08"].notna().all()
    assert values.loc["2025-12-31":].notna().all()


def test_the_basis_is_never_read_near_expiry_or_at_a_roll():
    values = read_panel(read_model("bvar")).values["cme_basis_bp_change"]
    days = read_frame("daily")["cme_days_to_expiry"]
    before = days.shift(1)
    good = (days >= 5) & (before >= 5) & (days < before) & ~(before > days.shift(2))
    assert values[good.loc[values.index]].notna().all()
    assert values[~good.loc[values.index]].isna().all()


def test_every_data_set_is_listed_with_unit_transform_and_source():
    listed = {found.name: found for found in data_sets()}
    assert list(listed) == NAMES
    assert listed["daily"].rows == 563
    assert (listed["daily"].first, listed["daily"].last) == ("2024-01-11", "2026-04-10")
    assert (listed["facts"].rows, listed["facts"].first) == (120, "")
    assert (listed["notes"].rows, listed["funds"].rows) == (13, 6913)
    column = {c.name: c for c in listed["daily"].columns}["etf_spot_gap"]
    assert (column.unit, column.transform) == ("basis points", "log change of ibit over btc_usdt")
    assert "Yahoo" in column.source and "Binance" in column.source
