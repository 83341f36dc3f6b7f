"""What a card calls a level moves from the eve to the end of a window, whatever kind is asked."""

import numpy as np
import pandas as pd
import pytest

from attribution.core.moves import log_mean_weight, simple_return
from attribution.errors import DataError, SpecError
from attribution.fit import Settings, fit
from attribution.model import model_from
from attribution.panel import panel_of, read_card, read_panel
from attribution.panel.measures import with_levels
from attribution.report.results import results
from attribution.report.run_tables import tables
from attribution.runs import study_tables

ROWS = 120
DAYS = pd.bdate_range("2025-01-01", periods=ROWS, name="date")
EVENT, LAST = ROWS - 10, ROWS - 1
FALL = 5.0
CARD = """
schema = 1
index = "date"
unit = "USD"
[columns.log_price]
of = "price"
transform = "{transform}"
scale = 100
[columns.log_market]
of = "market"
transform = "{transform}"
scale = 100
"""
HEAD = f"""
schema = 1
kind = "{{kind}}"
title = "t"
[sample]
panel = "d"
start = {DAYS[1]:%Y-%m-%d}
end = {DAYS[-1]:%Y-%m-%d}
[event]
name = "fall"
outcome = "log_price"
[[event.windows]]
name = "w"
start = {DAYS[EVENT]:%Y-%m-%d}
end = {DAYS[LAST]:%Y-%m-%d}
"""
SVAR = """
[system]
variables = ["log_market", "log_price"]
lags = 1
{levels}
[identification]
scheme = "recursive"
"""
LEVEL = f"""
[counterfactual]
form = "level"
pre = [{DAYS[1]:%Y-%m-%d}, {DAYS[EVENT - 1]:%Y-%m-%d}]
[controls]
columns = ["log_market"]
"""
PATHS = """
[projection]
variables = ["log_market", "log_price"]
impulse = "log_market"
lags = 1
horizons = 3
errors = "newey_west"
{more}
"""


@pytest.fixture(scope="module")
def prices():
    """A price that follows its market and loses five log points on the first day of the event."""
    rng = np.random.default_rng(2)
    market = rng.normal(size=ROWS).cumsum()
    own = market + 0.3 * rng.normal(size=ROWS) - FALL * (np.arange(ROWS) >= EVENT)
    other = rng.normal(size=ROWS)
    prices = pd.DataFrame({"price": own, "market": market, "other": other}, DAYS)
    return 100 * np.exp(prices / 100)


@pytest.fixture
def write(tmp_path, prices):
    def written(transform="log_level", card=CARD):
        prices.to_csv(tmp_path / "d.csv")
        (tmp_path / "d.toml").write_text(card.format(transform=transform))
        return tmp_path

    return written


def model(kind, body, **parts):
    return model_from(HEAD.format(kind=kind) + body.format(**parts), "toy")


def observed(prices):
    logs = 100 * np.log(prices["price"].to_numpy())
    return logs[LAST] - logs[EVENT - 1]


def test_a_var_needs_no_key_where_the_card_says_level(write, prices):
    spec, named = (
        model("svar", SVAR, levels=key) for key in ("", 'levels = ["log_market", "log_price"]')
    )
    heeded = with_levels(spec, read_panel(spec, write()))
    assert heeded.system == named.system
    run = fit(spec, data=write(), settings=Settings(draws=3200))
    by_card = tables(run)["w"]
    assert by_card["mean"]["observed"] == pytest.approx(observed(prices), abs=1e-9)
    parts = by_card["mean"].drop("observed")
    assert parts.sum() == pytest.approx(observed(prices), abs=1e-9)
    simple = 100 * (prices["price"].iloc[LAST] / prices["price"].iloc[EVENT - 1] - 1)
    assert by_card["percent"].drop("observed").sum() == pytest.approx(simple, abs=1e-9)
    assert f"({simple:+.1f} %)" in results(run, tables(run))["headline"]


def test_a_key_that_calls_a_change_a_level_is_refused(write):
    spec = model("svar", SVAR, levels='levels = ["log_price"]')
    with pytest.raises(SpecError, match="levels names 'log_price', which is a change by its card"):
        with_levels(spec, read_panel(spec, write("log_change")))
    plain = model("svar", SVAR, levels="")
    assert with_levels(plain, read_panel(plain, write("log_change"))).system.levels == ()
    asked = model("projection", PATHS, more='levels = ["log_price"]')
    with pytest.raises(SpecError, match="levels names 'log_price', which is a change by its card"):
        fit(asked, data=write("log_change"), settings=Settings(draws=400))


def test_a_column_as_it_stands_is_what_the_model_says(tmp_path):
    text = 'schema = 1\nindex = "date"\nunit = "percent"\n[columns]\n'
    text += 'a = { }\nb = { transform = "level" }\nc = { transform = "change" }\n'
    text += 'd = { transform = "log_excess", window = 5, unit = "u" }\n'
    (tmp_path / "c.toml").write_text(text)
    columns = read_card(tmp_path / "c.toml").columns
    assert [columns[name].measure for name in "abcd"] == ["", "level", "change", ""]


def test_logs_of_prices_of_which_nobody_says_what_they_are_are_never_added_up(prices):
    logs = 100 * np.log(prices).rename(columns=lambda name: f"log_{name}")
    spec = model("svar", SVAR, levels="")
    panel = panel_of(logs, spec, {"log_price": "log points"})
    with pytest.raises(DataError, match=r"'log_price' is typically .* no change from row to row"):
        with_levels(spec, panel)
    named = model("svar", SVAR, levels='levels = ["log_price"]')
    assert with_levels(named, panel).system.levels == ("log_price",)
    moves = logs.diff().iloc[1:]
    panel = panel_of(moves, spec, {"log_price": "log points"})
    assert with_levels(spec, panel).system.levels == ()


def test_a_counterfactual_of_a_level_moves_from_the_eve_to_the_end(write, prices):
    run = fit(model("counterfactual", LEVEL), data=write(), settings=Settings(draws=400))
    found = study_tables(run.tree)["windows"]
    mean, cents = found["mean"], found["per_cent"]
    assert mean["w/observed"] == pytest.approx(observed(prices), abs=1e-9)
    parts = ["w/unexplained", "w/counterfactual"]
    assert mean[parts].sum() == pytest.approx(observed(prices), abs=1e-9)
    simple = 100 * (prices["price"].iloc[LAST] / prices["price"].iloc[EVENT - 1] - 1)
    assert cents["w/observed"] == pytest.approx(simple, abs=1e-9)
    assert cents[parts].sum() == pytest.approx(simple, abs=1e-9)
    answers = study_tables(run.tree)["answers"]
    row = answers.loc["w/unexplained"]
    assert row["mean"] == pytest.approx(mean["w/unexplained"])
    assert abs(row["mean"] + FALL) < 3 * row["sd"] < 2.0
    assert abs(answers.loc["w/average", "mean"] + FALL) < 0.5


def test_a_later_window_of_a_level_moves_from_its_own_eve(write, prices):
    later = f"""[[event.windows]]
name = "after"
start = {DAYS[EVENT + 5]:%Y-%m-%d}
end = {DAYS[LAST]:%Y-%m-%d}
"""
    text = HEAD.format(kind="counterfactual") + later + LEVEL
    run = fit(model_from(text, "toy"), data=write(), settings=Settings(draws=400))
    found = study_tables(run.tree)["windows"]["mean"]
    logs = 100 * np.log(prices["price"].to_numpy())
    assert found["after/observed"] == pytest.approx(logs[LAST] - logs[EVENT + 4], abs=1e-9)
    assert abs(found["after/unexplained"]) < 1.5  # the fall came earlier


def test_returns_are_not_asked_of_a_level(write):
    text = LEVEL.replace('"level"', '"returns"')
    with pytest.raises(SpecError, match="'log_price' is a level by its card"):
        fit(model("counterfactual", text), data=write(), settings=Settings(draws=400))


def test_returns_of_assets_are_no_levels(write):
    text = """
schema = 1
kind = "fama_macbeth"
title = "t"
[sample]
panel = "d"
[assets]
columns = ["other", "log_price", "market"]
[[factors]]
name = "market"
column = "log_market"
[exposures]
window = 60
least = 50
[average]
lags = 5
"""
    with pytest.raises(SpecError, match="'log_price' is a level by its card"):
        fit(model_from(text, "toy"), data=write())


def by_hand(values, used, at):
    """What innovations of the first series moved the second from the eve of rows ``at`` to the end.

    Least squares of the level h rows on, on the impulse, a constant and a lag of both.
    """
    x, lag = values[1:, 0], np.column_stack([np.ones(len(values) - 1), values[:-1]])
    fitted = slice(0, used - 1)
    reading = np.linalg.lstsq(lag[fitted], x[fitted])[0]
    news = x - lag @ reading
    total = 0.0
    for row in at:
        h = at[-1] - row
        y = values[1 + h : used, 1]
        regressors = np.column_stack([x, lag])[: len(y)]
        total += np.linalg.lstsq(regressors, y)[0][0] * news[row - 1]
    return total


@pytest.mark.parametrize("by", ["card", "key"])
def test_a_projection_of_a_level_owes_the_move_from_the_eve_to_the_end(write, prices, by):
    logs = (100 * np.log(prices)).rename(columns=lambda name: f"log_{name}")
    key = 'levels = ["log_market", "log_price"]' if by == "key" else ""
    text = PATHS.format(more=key)
    data = logs if by == "key" else write()
    run = fit(model("projection", text), data=data, settings=Settings(draws=400))
    found = study_tables(run.tree)["windows"]["mean"]
    assert found["w/observed"] == pytest.approx(observed(prices), abs=1e-9)
    assert found[["w/owed", "w/rest"]].sum() == pytest.approx(observed(prices), abs=1e-9)
    values = logs[["log_market", "log_price"]].to_numpy()[1:]
    expected = by_hand(values, EVENT - 1, np.arange(EVENT - 1, LAST))
    assert found["w/owed"] == pytest.approx(expected, rel=1e-6)


def test_only_responses_of_changes_are_summed(write):
    mixed = CARD.replace(
        '"market"\ntransform = "{transform}"', '"market"\ntransform = "log_change"'
    )
    mixed += '[columns.other]\ntransform = "change"\n'
    text = HEAD.format(kind="projection").split("[[event")[0].replace("log_price", "other")
    runs = {}
    for key in ("", "cumulative = true"):
        body = PATHS.replace("{more}", key).replace('"log_price"]', '"log_price", "other"]')
        spec = model_from(text + body, "toy")
        run = fit(spec, data=write(card=mixed), settings=Settings(draws=400))
        runs[key] = study_tables(run.tree)["responses"]
    plain, summed = runs.values()
    levels = [f"log_price/{h}" for h in range(4)]
    pd.testing.assert_frame_equal(plain.loc[levels], summed.loc[levels])
    own = [f"log_market/{h}" for h in range(4)]
    assert summed.loc[own[1], "var"] == pytest.approx(plain.loc[own[:2], "var"].sum())
    with pytest.raises(SpecError, match="cumulative adds up responses of changes"):
        fit(
            model("projection", PATHS, more="cumulative = true"),
            data=write(),
            settings=Settings(draws=400),
        )


def test_a_level_and_its_own_change_are_collinear_given_a_lag(write):
    card = CARD.format(transform="log_level")
    card += '[columns.own_change]\nof = "price"\ntransform = "log_change"\nscale = 100\n'
    body = PATHS.replace("{more}", "").replace('"log_price"]', '"log_price", "own_change"]')
    spec = model_from(HEAD.format(kind="projection") + body, "toy")
    with pytest.raises(DataError, match="'own_change' follows from the others and their lags"):
        fit(spec, data=write(card=card), settings=Settings(draws=400))


def test_nothing_is_said_in_per_cent_of_what_is_no_move():
    assert simple_return(-5.0) == pytest.approx(100 * (np.exp(-0.05) - 1))
    assert log_mean_weight(-5.0) * -5.0 == pytest.approx(simple_return(-5.0))
    assert log_mean_weight(0.0) == 1.0
    for wild in (4600.0, -1e4, 1000.1, np.inf):
        assert np.isnan(simple_return(wild)) and np.isnan(log_mean_weight(wild))
    assert np.isfinite(simple_return(1000.0))
