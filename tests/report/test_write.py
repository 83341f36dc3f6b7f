"""A report is written whole or not at all, from a saved run, without the estimators."""

import hashlib
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from attribution.errors import DataError
from attribution.folder import settle
from attribution.report import deliver
from attribution.report.style import Picture, figure

RENDER = """
import hashlib, json, pickle, sys
from pathlib import Path
import xarray as xr
from attribution.report.deliver import write_report

here = Path(sys.argv[1])
tree = xr.open_datatree(here / "run.nc", engine="h5netcdf")
manifest, tables = pickle.loads((here / "rest.pickle").read_bytes())
paths = write_report(tree, manifest, tables, here / "report")
heavy = {"pymc", "pytensor", "arviz", "statsmodels", "linearmodels", "matplotlib.pyplot"}
digest = lambda path: hashlib.sha256(path.read_bytes()).hexdigest()
found = {str(path.relative_to(here / "report")): digest(path) for path in paths}
print(json.dumps({"loaded": sorted(heavy & set(sys.modules)), "digests": found}))
"""


def snapshot(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def quick(monkeypatch):
    """Two figures of nothing: these tests are about files."""

    def two(tree, tables):
        return [Picture(name, name, name, figure(width=1, height=1)) for name in ("one", "two")]

    monkeypatch.setattr(deliver, "pictures", two)


def save(run, out):
    return deliver.write_report(run.tree, run.manifest, run.tables, out)


def test_a_report_has_its_tables_its_figures_and_its_page(any_run, tmp_path):
    paths = save(any_run, tmp_path / "out")
    assert sorted([*paths, tmp_path / "out" / ".attribution.json"]) == sorted(
        p for p in (tmp_path / "out").rglob("*") if p.is_file()
    )
    names = {str(path.relative_to(tmp_path / "out")) for path in paths}
    assert {"report.html", "tables/crash.csv", "figures/waterfall_crash.svg"} <= names
    assert {n[:-4] for n in names if n.endswith(".svg")} == {
        n[:-4] for n in names if n.endswith(".png")
    }


def test_a_table_on_disk_is_the_table_to_the_last_bit(run, tmp_path, quick):
    save(run, tmp_path)
    for name, table in run.tables.items():
        read = pd.read_csv(tmp_path / "tables" / f"{name}.csv", index_col="name")
        pd.testing.assert_frame_equal(
            read.assign(grade=read["grade"].fillna("")), table, check_names=False, check_dtype=False
        )


def test_a_saved_run_is_rendered_without_the_estimators_in_the_same_bytes(run, tmp_path):
    run.tree.to_netcdf(tmp_path / "run.nc", engine="h5netcdf")
    (tmp_path / "rest.pickle").write_bytes(pickle.dumps((run.manifest, run.tables)))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", RENDER, str(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": "11", "TZ": "Asia/Tokyo"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["loaded"] == []
    save(run, tmp_path / "here")
    here = snapshot(tmp_path / "here")
    del here[".attribution.json"]
    assert said["digests"] == {n: hashlib.sha256(b).hexdigest() for n, b in here.items()}


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, OSError])
def test_a_failure_while_drawing_leaves_the_old_report(run, tmp_path, quick, monkeypatch, error):
    save(run, tmp_path)
    old = snapshot(tmp_path)

    def fails(*_, **__):
        raise error("no more")

    monkeypatch.setattr(deliver, "page", fails)
    with pytest.raises(error):
        save(run, tmp_path)
    assert snapshot(tmp_path) == old
    assert not list(tmp_path.parent.glob(".*.run-*"))


@pytest.mark.parametrize("at", range(1, 9))
def test_a_failure_at_any_link_or_move_leaves_one_whole_report(
    run, tmp_path, quick, monkeypatch, at
):
    """Where folders cannot be exchanged, an intent that stands is completed by who comes next."""
    out = tmp_path / "out"
    save(run, out)
    (out / "mine").write_text("mine")
    old = snapshot(out)
    changed = {name: table.assign(mean=table["mean"] * 2) for name, table in run.tables.items()}
    deliver.write_report(run.tree, run.manifest, changed, tmp_path / "new")
    new = {**snapshot(tmp_path / "new"), "mine": b"mine"}
    count, replace = 0, os.replace

    def fails_once(source, target):
        nonlocal count
        count += 1
        if count == at:
            raise OSError("disk")
        replace(source, target)

    monkeypatch.setattr("attribution.folder.stage.can_exchange", lambda place: False)
    monkeypatch.setattr(os, "replace", fails_once)
    with pytest.raises(OSError, match="disk"):
        deliver.write_report(run.tree, run.manifest, changed, out)
    monkeypatch.setattr(os, "replace", replace)
    settle(out)
    assert snapshot(out) in (old, new)
    deliver.write_report(run.tree, run.manifest, changed, out)
    assert snapshot(out) == new


def test_files_of_the_run_that_are_not_the_report_are_left_alone(run, tmp_path, quick):
    (tmp_path / "figures").mkdir()
    for name in ("run.nc", "manifest.json", "figures/mine.svg"):
        (tmp_path / name).write_text("kept")
    save(run, tmp_path)
    save(run, tmp_path)
    for name in ("run.nc", "manifest.json", "figures/mine.svg"):
        assert (tmp_path / name).read_text() == "kept"


def test_a_window_without_a_table_is_refused_before_anything_is_written(run, tmp_path):
    tables = {name: table for name, table in run.tables.items() if name != "crash"}
    with pytest.raises(DataError, match="window 'crash' has no summary table"):
        deliver.write_report(run.tree, run.manifest, tables, tmp_path / "out")
    assert not Path(tmp_path / "out").exists()


def test_two_tables_of_one_file_name_are_refused(run, tmp_path, quick):
    extra = {"a b": run.tables["crash"], "a-b": run.tables["crash"]}
    with pytest.raises(DataError, match=r"tables/a-b\.csv"):
        deliver.write_report(run.tree, run.manifest, {**run.tables, **extra}, tmp_path)
    assert snapshot(tmp_path) == {}


@pytest.mark.parametrize(
    ("name", "file"),
    [("crash", "crash"), ("shock+crash", "shock-crash"), ("../up", "up"), ("", "unnamed")],
)
def test_a_name_becomes_a_file_name_that_stays_in_its_folder(name, file):
    assert deliver.file_name(name) == file
