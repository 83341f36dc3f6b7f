"""One event under several models: who agrees, who is largest, and what cannot be compared."""

import json
import os

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from numpy.testing import assert_allclose

from attribution import compare as comparing
from attribution.compare import collect, compare
from attribution.compare.deliver import side_by_side
from attribution.errors import DataError, EventError, SpecError
from attribution.runs import window_table
from attribution.runs.run import Run, save_run

DAYS = pd.DatetimeIndex(["2026-02-05", "2026-02-06"], name="time")
MANIFEST = {
    "model": "toy", "seed": 1, "digests": {"model": "m", "data": "d"},
    "versions": {"attribution": "0"}, "diagnostics": {}, "findings": [],
}  # fmt: skip


def run_of(means, *, seed=0, days=DAYS, window="crash", outcome="btc_return", move=-10.0):
    """A run of one window; what its channels and baseline leave of the move is unattributed."""
    rng = np.random.default_rng(seed)
    names = [*means, "unattributed"]
    x = np.array([*means.values(), 0.0]) + rng.normal(size=(4, 400, len(names)))
    base = 0.1 * rng.normal(size=(4, 400))
    x[..., -1] = move - base - x[..., :-1].sum(-1)
    tree = xr.DataTree.from_dict(
        {
            "/posterior": xr.Dataset(
                {
                    "contribution": (("chain", "draw", "window", "channel"), x[:, :, None]),
                    "baseline": (("chain", "draw", "window"), base[..., None]),
                },
                {"window": [window], "channel": names},
            ),
            f"/windows/{window}": xr.Dataset(
                {"observed": ("time", [move - 1.0, *[1.0 / (len(days) - 1)] * (len(days) - 1)])},
                {"time": days},
            ),
            "/weights": xr.Dataset({"weight": (("chain", "draw"), np.ones((4, 400)))}),
        }
    )
    tree.attrs = {
        "model": "toy", "title": "t", "event": "a fall", "estimand": "S", "outcome": outcome,
        "outcome_unit": "log points",
    }  # fmt: skip
    return Run(tree, MANIFEST)


@pytest.fixture
def runs():
    return {
        "signs": run_of({"hedging": -6.0, "news": -3.0}, seed=1),
        "proxy": run_of({"news": -3.2, "hedging": -6.1, "flows": -0.5}, seed=2),
        "recursive": run_of({"hedging": -1.0}, seed=3),
    }


def test_every_number_is_that_of_the_run_s_own_table(runs):
    found = compare(runs)
    assert (found.outcome, found.period) == ("btc_return", "2026-02-05 to 2026-02-06")
    assert found.observed == pytest.approx(-10.0)
    assert found.channels == ["hedging", "news", "flows"]
    for name, run in runs.items():
        table = window_table(run.tree, "crash")
        for column in ("mean", "q05", "q95", "p_negative", "p_largest"):
            for row in found.tables[name].index:
                assert_allclose(found.tables[name].loc[row, column], table.loc[row, column])


def test_every_run_s_means_add_up_to_the_one_move(runs):
    long = compare(runs).long()
    sums = long[long["channel"] == "sum"]
    assert sums["run"].tolist() == list(runs)
    assert_allclose(sums["mean"], -10.0, rtol=1e-12)
    parts = long[long["channel"] != "sum"].groupby("run")["mean"].sum()
    assert_allclose(parts, -10.0, rtol=1e-12)


def test_what_a_run_does_not_name_is_absent_and_not_zero(runs):
    found = compare(runs)
    long = found.long()
    assert set(long[long["channel"] == "flows"]["run"]) == {"proxy"}
    matrix = found.robustness()
    assert matrix.index.tolist() == ["hedging", "news", "flows", "unattributed"]
    assert np.isnan(matrix.loc["flows", "signs"]) and np.isnan(matrix.loc["news", "recursive"])
    assert_allclose(matrix.sum(), 1.0)


def test_agreement_is_a_value_that_all_50_per_cent_intervals_hold(runs):
    found = compare(runs).agreement()
    assert found["news"].overlap and found["news"].runs == 2
    assert not found["hedging"].overlap and found["hedging"].runs == 3
    assert found["hedging"].lowest == pytest.approx(-6.1, abs=0.15)
    assert found["hedging"].highest == pytest.approx(-1.0, abs=0.15)
    assert found["flows"].runs == 1


def silenced(run, row):
    """The same run, in which a row is held at zero and the rest of the move is unattributed."""
    parts = run.tree["posterior/contribution"]
    moved = xr.where(parts["channel"] == row, 0.0, parts)
    rest = (parts - moved).sum("channel")
    moved = xr.where(parts["channel"] == "unattributed", moved + rest, moved)
    tree = run.tree.copy(deep=True)
    kept = tree["posterior"].to_dataset().assign(contribution=moved.transpose(*parts.dims))
    tree["posterior"] = xr.DataTree(kept)
    return Run(tree, run.manifest)


def test_a_row_that_is_zero_by_construction_is_no_agreement(runs):
    """Two intervals around zero share zero with a constant, which has nothing to say."""
    near = run_of({"hedging": -6.0, "news": 0.1}, seed=4)
    pair = {"free": near, "held": silenced(near, "news")}
    found = compare(pair)
    one = found.agreement()["news"]
    assert (one.runs, one.overlap, one.zero) == (1, False, ("held",))
    assert one.lowest == one.highest == found.tables["free"].loc["news", "mean"]
    said = [str(line) for line in comparing.lines(found)]
    assert any("no say" in line and "zero by construction under held" in line for line in said)
    assert not any(line.startswith("[green]agree") and "news" in line for line in said)
    three = compare({**pair, "other": run_of({"hedging": -6.0, "news": 0.0}, seed=5)})
    one = three.agreement()["news"]
    assert (one.runs, one.overlap, one.zero) == (2, True, ("held",))
    (line,) = [
        str(x) for x in comparing.lines(three) if str(x).startswith("[green]agree[/green]  news")
    ]
    assert line.endswith("share a value; zero by construction under held")
    both = compare({"a": pair["held"], "b": silenced(near, "news")}).agreement()["news"]
    assert (both.runs, both.overlap, both.zero) == (0, False, ("a", "b"))
    assert json.loads(comparing.as_json(three))["agreement"]["news"]["zero"] == ["held"]


def test_the_largest_part_is_told_for_each_run(runs):
    found = compare(runs).largest()
    assert {run: name for run, (name, _) in found.items()} == {
        "signs": "hedging", "proxy": "hedging", "recursive": "unattributed",
    }  # fmt: skip
    assert all(0.9 < chance <= 1 for _, chance in found.values())


def test_windows_are_matched_by_their_days_and_not_by_their_names(runs):
    other = run_of({"hedging": -6.0}, window="event")
    assert "other" in compare({**runs, "other": other}).tables
    with pytest.raises(EventError, match=r"run 'other': it has no window 'crash' \(nearest|known"):
        compare({**runs, "other": other}, window="crash")
    late = run_of({"hedging": -6.0}, days=DAYS + pd.Timedelta("3D"))
    with pytest.raises(EventError, match="no window has the 2 days from 2026-02-05 to 2026-02-06"):
        compare({**runs, "late": late})


def test_what_is_not_of_one_move_is_refused(runs):
    with pytest.raises(DataError, match="run 'b': its outcome is 'eth_return' and that of run 'a'"):
        compare({"a": runs["signs"], "b": run_of({"x": 1.0}, outcome="eth_return")})
    with pytest.raises(DataError, match=r"btc_return moved -9 in window 'crash', and -10 in run"):
        compare({"a": runs["signs"], "b": run_of({"x": 1.0}, move=-9.0)})
    with pytest.raises(DataError, match="1 run given; give two or more"):
        compare({"a": runs["signs"]})


def test_files_are_written_whole_and_say_the_same_numbers(runs, tmp_path):
    found = compare(runs)
    (tmp_path / "report.html").write_text("another's", encoding="utf-8")
    paths = comparing.write_comparison(found, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        [*(p.name for p in paths), "report.html", ".attribution.json"]
    )
    said = json.loads((tmp_path / "comparison.json").read_text(encoding="utf-8"))
    table = pd.read_csv(tmp_path / "comparison.csv")
    matrix = pd.read_csv(tmp_path / "robustness.csv", index_col=0)
    for run, rows in said["runs"].items():
        for name, row in rows.items():
            line = table[(table["run"] == run) & (table["channel"] == name)].iloc[0]
            for key, value in row.items():
                assert_allclose(line[key], value, rtol=1e-12)
            if "p_largest" in row:
                assert_allclose(matrix.loc[name, run], row["p_largest"], rtol=1e-12)
    assert json.loads(comparing.as_json(found)) == said
    first = {p.name: p.read_bytes() for p in paths}
    comparing.write_comparison(found, tmp_path)
    assert {p.name: p.read_bytes() for p in paths} == first


def test_the_figure_has_a_mark_for_every_row_that_a_run_names(runs):
    found = compare(runs)
    axis = side_by_side(found).axes[0]
    marks = [line for line in axis.lines if line.get_marker() not in ("None", None, "")]
    assert len(marks) == sum(len(t) for t in found.tables.values())
    assert [t.get_text() for t in axis.get_yticklabels()] == found.rows
    assert len({line.get_color() for line in marks}) == len(runs)
    means = sorted(float(line.get_xdata()[0]) for line in marks)
    assert_allclose(means, sorted(v for t in found.tables.values() for v in t["mean"]))


def test_folders_are_loaded_and_other_names_are_fitted(runs, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "attribution.compare.comparison.fit",
        lambda spec, **settings: asked.append((spec.name, settings["event"])) or runs["proxy"],
    )
    monkeypatch.chdir(tmp_path)
    for name in ("signs", "a/signs"):
        (tmp_path / name).mkdir(parents=True)
        save_run(runs["signs"], tmp_path / name)
    os.makedirs("bvar")  # a folder that holds no run does not hide a model of its name
    found = collect(["signs", "a/signs", "bvar"])
    assert list(found) == ["signs", "a/signs", "bvar"] and asked == [("bvar", None)]
    assert set(compare(found).tables) == set(found)
    for names, message in ((["var"], "'var' is one run"), (["var", "var"], "'var' is given twice")):
        with pytest.raises(SpecError, match=message):
            collect(names)
    with pytest.raises(DataError, match=r"run 'a': it holds no manifest|run '\./a'"):
        collect(["./a", "signs"])


def test_the_verb_prints_a_table_the_matrix_and_where_runs_agree(runs, tmp_path, attribution):
    for name, run in runs.items():
        save_run(run, tmp_path / name)
    folders = [tmp_path / name for name in runs]
    code, out, err = attribution("compare", *folders, "--out", tmp_path / "out")
    assert (code, err) == (0, "")
    words = " ".join(out.split())
    assert "P(largest)" in words and "agree news: means from" in words
    assert "differ hedging" in words and "largest: hedging under signs" in words
    assert (tmp_path / "out" / "comparison.png").is_file()
    code, out, err = attribution("compare", *folders, "--json")
    assert code == 0 and set(json.loads(out)["runs"]) == set(runs)
    code, _, err = attribution("compare", *folders, "--window", "crsh")
    assert code == 5 and "(nearest: 'crash'); correct --window" in err


def test_the_headline_and_its_companion_are_asked_whether_they_agree():
    """Medians inside each other's 50 % bands hold; disjoint bands fail."""
    from attribution.compare.comparison import _companions

    columns = ["q25", "median", "q75"]
    near = pd.DataFrame([[-3.0, -2.0, -1.0], [-9.0, -8.0, -6.0]], ["a", "b"], columns)
    far = pd.DataFrame([[1.0, 2.0, 3.0], [-9.0, -8.0, -6.0]], ["a", "b"], columns)
    (same,) = _companions({"bvar": near, "factor": near}, "crash", "log points")
    (apart,) = _companions({"bvar": near, "factor": far}, "crash", "log points")
    assert (same.verdict, apart.verdict) == ("holds", "fails")
    assert _companions({"bvar": near, "var": far}, "crash", "log points") == ()
