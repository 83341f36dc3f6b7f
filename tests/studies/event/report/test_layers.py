"""The shock layer beside the mechanism layer: every number under its own estimand."""

from io import StringIO

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from rich.console import Console

from attribution import compare as comparing
from attribution.compare.answers import answers_figure
from attribution.report.answers import answers_grids, matrix, question_of
from attribution.report.run_tables import tables
from attribution.runs.run import Run

DAY = pd.DatetimeIndex(["2026-02-05"], name="time")


@pytest.fixture(scope="module")
def shocks():
    """A run of a VAR: two channels, and what they leave of the day."""
    x = np.random.default_rng(0).normal([-5.0, -2.0, 0.0], 1.0, (2, 300, 3))
    x[..., 2] = -14.2 - x[..., :2].sum(-1)
    names = ["factor_derisking", "crypto_liquidation", "unattributed"]
    tree = xr.DataTree.from_dict(
        {
            "/posterior": xr.Dataset(
                {
                    "contribution": (("chain", "draw", "window", "channel"), x[:, :, None]),
                    "baseline": (("chain", "draw", "window"), np.zeros((2, 300, 1))),
                },
                {"window": ["crash"], "channel": names},
            ),
            "/windows/crash": xr.Dataset({"observed": ("time", [-14.2])}, {"time": DAY}),
            "/weights": xr.Dataset({"weight": (("chain", "draw"), np.ones((2, 300)))}),
        }
    )
    tree.attrs = {
        "model": "bvar", "title": "t", "event": "a fall", "estimand": "S", "outcome": "btc_return",
        "outcome_unit": "log points",
    }  # fmt: skip
    return Run(tree, {"model": "bvar", "findings": []})


@pytest.fixture(scope="module")
def both(shocks, toy_run):
    return comparing.answers_of({"bvar": shocks, "event": toy_run})


def shown(items, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    console = Console(width=width, record=True, file=StringIO())
    for item in items:
        console.print(item)
    return console.export_text()


def test_each_number_of_both_layers_is_listed_under_its_estimand(both, toy_run):
    said = both.table.set_index(["run", "answer"])
    assert said.loc[("bvar", "factor_derisking"), "estimand"].startswith("S: shock contribution")
    own = tables(toy_run)["answers"]
    for name in ("M but-for: gamma", "M triggers-first: basis", "alpha"):
        assert said.loc[("event", name), "mean"] == own.loc[name, "mean"]
        assert said.loc[("event", name), "estimand"] == own.loc[name, "estimand"]


def test_a_wide_screen_reads_one_player_across_estimands(both, monkeypatch):
    text = shown(comparing.answers_lines(both), monkeypatch, 110)
    rows = [line.split() for line in text.splitlines() if line.strip().startswith("liquidations")]
    assert len(rows) == 1 and len(rows[0]) == 5  # its name and four estimands
    assert "S: shock contribution" in text and "alpha" in text
    assert "do not add up" in text


def test_a_narrower_screen_reads_the_same_questions_below_one_another(both, monkeypatch):
    text = shown(comparing.answers_lines(both), monkeypatch, 70)
    rows = [line for line in text.splitlines() if line.strip().startswith("liquidations")]
    assert len(rows) == 2
    assert sum(len(line.split()) - 1 for line in rows) == 4
    assert max(map(len, (line.rstrip() for line in text.splitlines()))) <= 70


def test_a_very_narrow_screen_lists_every_answer_and_loses_none(both, monkeypatch):
    text = shown(comparing.answers_lines(both), monkeypatch, 40)
    assert text.count("but-for") >= 6 and text.count("Shapley") >= 6


def test_a_matrix_holds_each_mean_once_and_leaves_other_answers_out(toy_run):
    table = tables(toy_run)["answers"]
    found = matrix(table)
    assert found.questions == ["M but-for", "M stand-alone", "M triggers-first", "M Shapley"]
    assert [name for name, _ in found.rows] == [
        "factor", "basis", "rest", "notes", "gamma", "liquidations"
    ]  # fmt: skip
    assert list(found.rest.index) == ["alpha"]
    mean = table.loc["M Shapley: rest", "mean"]
    cell = dict(found.rows)["rest"][3]
    assert cell.startswith(f"{mean:.1f}".replace("-", "−"))


@pytest.mark.parametrize(
    "names", [["a", "b"], ["x: a", "x: b"], ["x: a", "y: b"]], ids=["plain", "one", "apart"]
)
def test_answers_that_share_no_name_are_no_matrix(names):
    row = {"estimand": "e", "mean": 1.0, "sd": 1.0, "q05": 0.0, "q95": 2.0, "unit": "log points"}
    table = pd.DataFrame([row] * len(names), index=names)
    assert matrix(table) is None
    assert len(list(answers_grids("", table))) == 1


def test_two_units_are_never_set_in_one_matrix(toy_run):
    table = tables(toy_run)["answers"].copy()
    table.loc["M Shapley: gamma", "unit"] = "USD million"
    assert matrix(table) is None


def test_the_question_of_an_answer_stands_before_the_colon():
    assert question_of("M but-for: gamma") == ("M but-for", "gamma")
    assert question_of("alpha") == ("", "alpha")


def test_the_figure_writes_each_question_once_above_its_answers(both):
    axis = answers_figure(both.table).axes[0]
    labels = [text.get_text().replace("\n", " ") for text in axis.get_yticklabels()]
    assert labels.count("M but-for") == 1
    at = labels.index("M but-for")
    assert labels[at + 1 : at + 7] == ["factor", "basis", "rest", "notes", "gamma", "liquidations"]
    dots = [line for line in axis.lines if line.get_marker() == "o"]
    assert len(dots) == (both.table["unit"] == "log points").sum()
    assert at not in [line.get_ydata()[0] for line in dots]


def test_answers_of_one_question_stand_together_wherever_the_table_has_them(both):
    late = both.table.iloc[[8]].assign(answer="M but-for: all amplifiers")
    axis = answers_figure(pd.concat([both.table, late])).axes[0]
    labels = [text.get_text().replace("\n", " ") for text in axis.get_yticklabels()]
    assert labels.count("M but-for") == 1
    assert labels[labels.index("M but-for") + 7] == "all amplifiers"
