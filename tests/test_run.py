"""The record of a fit: it comes back as it was, and a folder is of one run or of none."""

import json
import os
import shutil

import numpy as np
import pytest

from attribution import deliver
from attribution.errors import DataError
from attribution.results import tables
from attribution.run import Run, load_run, save_run, whole, write_json


def write(run, folder):
    deliver.write_run(run, tables(run), folder, report=True)


@pytest.fixture
def folder(var_run, tmp_path):
    save_run(var_run, tmp_path / "run")
    return tmp_path / "run"


@pytest.mark.parametrize("name", ["var_run", "signs_run"])
def test_a_run_comes_back_as_it_was(request, name, tmp_path):
    run = request.getfixturevalue(name)
    save_run(run, tmp_path / "run")
    back = load_run(tmp_path / "run")
    assert back.manifest == run.manifest
    assert back.tree.attrs == run.tree.attrs
    assert set(back.tree.groups) == set(run.tree.groups)
    for node in run.tree.subtree:
        other = back.tree[node.path].to_dataset()
        assert node.to_dataset().identical(other), node.path
        unlabelled = {"chain", "draw", "bound"} if node.path == "/robust" else set()  # some draws
        for dim in set(node.to_dataset().dims) - unlabelled:
            assert dim in node.indexes, f"{node.path}: {dim} has no labels"
        for array in other.data_vars.values():
            assert array.to_numpy().flags.c_contiguous
    weight = back.tree["weights/weight"].to_numpy()
    assert weight.shape == back.tree["posterior/contribution"].shape[:2]
    assert weight.mean() == pytest.approx(1.0, abs=1e-12)


def test_files_of_a_run_can_be_read_by_others(folder):
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o644}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("manifest.json", None, "holds no manifest.json"),
        ("manifest.json", b'{"model": ', "cannot be read"),
        ("manifest.json", b"\xff\xfe", "cannot be read"),
        ("manifest.json", b"[]", "lacks 'model'"),
        ("manifest.json", b'{"model": "var", "seed": 5}', "lacks 'digests'"),
        ("run.nc", None, "no such file"),
        ("run.nc", b"", "cannot be read as a saved run"),
        ("run.nc", b"not a file of ours", "cannot be read as a saved run"),
    ],
)
def test_a_missing_or_broken_part_is_refused_with_its_name(folder, name, content, said):
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(DataError, match=said) as refused:
        load_run(folder)
    assert name in str(refused.value) and "\n" not in str(refused.value)


def test_half_a_file_is_not_half_a_run(folder):
    data = (folder / "run.nc").read_bytes()
    (folder / "run.nc").write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match="cannot be read as a saved run"):
        load_run(folder)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DataError, match="attribution fit"):
        load_run(tmp_path / "nowhere")


def test_a_number_that_json_cannot_hold_leaves_the_old_file(tmp_path):
    path = tmp_path / "results.json"
    write_json({"a": 1}, path)
    with pytest.raises(ValueError, match="JSON"):
        write_json({"a": np.nan}, path)
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": 1}
    assert [item.name for item in tmp_path.iterdir()] == ["results.json"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
@pytest.mark.parametrize(
    "writer",
    [
        "attribution.deliver.write_report",
        "attribution.deliver.save_run",
        "attribution.compat.save",
        "attribution.deliver.results",
        "attribution.deliver.write_json",
    ],
)
def test_a_writer_that_fails_leaves_the_earlier_run_to_the_byte(
    var_run, tmp_path, quick, monkeypatch, snapshot, writer, error
):
    write(var_run, tmp_path / "run")
    old = snapshot(tmp_path)

    def fails(*_, **__):
        raise error("no more")

    monkeypatch.setattr(writer, fails)
    other = Run(var_run.tree, {**var_run.manifest, "created": "later"})
    for out in (tmp_path / "run", tmp_path / "new"):
        with pytest.raises(error):
            write(other, out)
    assert snapshot(tmp_path) == old
    assert not (tmp_path / "new").exists()


def test_a_fit_that_is_refused_leaves_the_earlier_run_to_the_byte(
    attribution, folder, tmp_path, snapshot
):
    old = snapshot(tmp_path)
    words = ["fit", "--model", "var", "--event", "2025-10-10", "--draws", "80", "--quiet"]
    code, _, err = attribution(*words, "--out", folder)
    assert code == 3 and "effective draws" in err
    assert snapshot(tmp_path) == old


def fill(folder, text):
    for name in ("a", "b", "deep/c"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("at", range(1, 7))
def test_a_failure_at_any_move_leaves_the_old_files(tmp_path, monkeypatch, snapshot, at):
    out = tmp_path / "out"
    with whole(out) as new:
        fill(new, "old")
    (out / "mine").write_text("kept", encoding="utf-8")
    old = snapshot(out)
    count, replace = 0, os.replace

    def fails_once(source, target):
        nonlocal count
        count += 1
        if count == at:
            raise OSError("disk")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fails_once)
    with pytest.raises(OSError, match="disk"), whole(out) as new:
        fill(new, "new")
    assert count >= at
    assert snapshot(out) == old
    assert not list(out.glob(".run-*"))
    monkeypatch.setattr(os, "replace", replace)
    with whole(out) as new:
        fill(new, "new")
    assert {"a": b"new", "mine": b"kept"}.items() <= snapshot(out).items()


def test_a_first_run_that_fails_leaves_no_folder(tmp_path):
    with pytest.raises(KeyboardInterrupt), whole(tmp_path / "deep" / "out") as new:
        fill(new, "new")
        raise KeyboardInterrupt
    assert not (tmp_path / "deep" / "out").exists()


def test_a_report_drawn_again_from_disk_has_the_same_bytes(var_run, tmp_path, quick, snapshot):
    write(var_run, tmp_path / "run")
    shutil.copytree(tmp_path / "run", tmp_path / "copy")
    back = load_run(tmp_path / "copy")
    deliver.draw_report(back, tables(back), tmp_path / "copy")
    assert snapshot(tmp_path / "copy") == snapshot(tmp_path / "run")


def test_files_of_an_earlier_run_do_not_stand_beside_the_numbers_of_a_later_one(var_run, tmp_path):
    folder = tmp_path / "run"
    deliver.write_run(var_run, tables(var_run), folder, report=True)
    (folder / "figures" / "waterfall_of_another_event.svg").write_text("old", encoding="utf-8")
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    deliver.write_run(var_run, tables(var_run), folder, report=True)
    assert not (folder / "figures" / "waterfall_of_another_event.svg").exists()
    deliver.write_run(var_run, tables(var_run), folder, report=False)
    assert sorted(path.name for path in folder.iterdir()) == [
        *("manifest.json", "notes.txt", "results.json", "run.nc")
    ]
