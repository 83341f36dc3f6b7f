"""The record of a fit: it comes back as it was, and a folder is of one run or of none."""

import json
import shutil

import numpy as np
import pytest

from attribution.errors import DataError
from attribution.report import deliver
from attribution.report.run_tables import tables
from attribution.runs.run import Run, load_run, save_run, whole, write_json


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
        ("manifest.json", b"[" * 100_000, "cannot be read"),
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
        "attribution.report.deliver.render_report",
        "attribution.report.deliver.put_run",
        "attribution.sampling.engine.save",
        "attribution.report.deliver.results",
        "attribution.report.deliver.write_json",
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
    beside = tmp_path / "run-unconverged"
    assert code == 3 and "effective draws" in err and f"kept in {beside}, unconverged" in err
    assert {n: b for n, b in snapshot(tmp_path).items() if not n.startswith(beside.name)} == old
    kept = load_run(beside, unconverged=True)
    assert kept.tree["posterior/contribution"].sizes["draw"] * 4 == 80
    assert "effective draws" in kept.unconverged and not kept.manifest["checks"]["converged"]


def test_draws_of_a_first_fit_that_is_refused_are_kept_in_its_folder(attribution, tmp_path):
    words = ["fit", "--model", "var", "--event", "2025-10-10", "--draws", "80", "--quiet"]
    code, out, err = attribution(*words, "--out", tmp_path / "run")
    assert (code, out, err.count("\n")) == (3, "", 1)
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"run.nc", "manifest.json"}
    code, out, err = attribution("summary", tmp_path / "run")
    assert (code, err) == (0, "") and "unconverged" in out and "ess_bulk" in out
    assert "largest part" not in out


def test_a_first_run_that_fails_leaves_no_folder(tmp_path):
    with pytest.raises(KeyboardInterrupt), whole(tmp_path / "deep" / "out") as new:
        (new / "a").write_text("new", encoding="utf-8")
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
    (folder / "figures" / "waterfall_of_my_own.svg").write_text("mine", encoding="utf-8")
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    deliver.write_run(var_run, tables(var_run), folder, report=True)
    deliver.write_run(var_run, tables(var_run), folder, report=False)
    assert sorted(path.name for path in folder.iterdir()) == [
        *("figures", "manifest.json", "notes.txt", "results.json", "run.nc")
    ]
    assert [path.name for path in (folder / "figures").iterdir()] == ["waterfall_of_my_own.svg"]
