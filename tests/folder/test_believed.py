"""A saved run is believed only if it is what was written, and still adds up."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from attribution.errors import DataError, DiagnosticsError
from attribution.fit.judge import marked
from attribution.folder import netcdf
from attribution.folder.ledger import checksum
from attribution.report import deliver
from attribution.report.run_tables import tables
from attribution.runs.run import load_run, save_run
from attribution.sampling import engine

DRAWN = "posterior/contribution"
FULL = """
import resource, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from toy import toy
from attribution.runs.run import save_run
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limit = int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    save_run(toy("new"), Path(sys.argv[2]))
except OSError as error:
    print(type(error).__name__)
    sys.exit(7)
"""


@pytest.fixture
def folder(toy, tmp_path):
    run = toy("toy")
    deliver.write_run(run, {**tables(run)}, tmp_path / "run", report=False)
    return tmp_path / "run"


def reseal(folder, **changes):
    """Change a manifest as a stranger would who knows how it is sealed."""
    path = folder / "manifest.json"
    found = {**json.loads(path.read_text(encoding="utf-8")), **changes}
    if "run.nc" not in changes:
        data = (folder / "run.nc").read_bytes()
        found["files"]["run.nc"] = {"bytes": len(data), "sha256": netcdf_digest(data)}
    found["checksum"] = checksum(found)
    path.write_text(json.dumps(found), encoding="utf-8")


def netcdf_digest(data):
    from hashlib import sha256

    return sha256(data).hexdigest()


def refused(attribution, folder, said):
    """The command line refuses in one sentence, with an exit code."""
    code, out, err = attribution("summary", folder)
    assert code not in (0, 1) and out == "" and err.count("\n") == 1, (code, out, err)
    assert said in err, err


def verdict(folder):
    path = folder / "manifest.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"fails"', '"holds"'), encoding="utf-8")


def other(folder):
    shutil.copy(folder.parent / "other" / "run.nc", folder / "run.nc")


def flipped(folder):
    data = bytearray((folder / "run.nc").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "run.nc").write_bytes(data)


def halved(folder):
    with h5py.File(folder / "run.nc", "r+") as file:
        file[DRAWN][...] = file[DRAWN][...] / 2.0


def results(folder):
    path = folder / "results.json"
    path.write_text(path.read_text(encoding="utf-8").replace("-", ""), encoding="utf-8")


def unlisted(folder):
    path = folder / "manifest.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    del found["files"]["run.nc"]
    found["checksum"] = checksum(found)
    path.write_text(json.dumps(found), encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (verdict, "manifest.json: it was changed after it was written; fit the model again"),
        (other, "run.nc: cannot be read as a saved run, since its digest"),
        (flipped, "run.nc: cannot be read as a saved run, since its digest"),
        (halved, "run.nc: cannot be read as a saved run, since its digest"),
        (results, "results.json: cannot be read as a saved run, since its digest"),
        (unlisted, "run.nc: it is not on record; fit the model again"),
        (lambda folder: reseal(folder, format=99), "its format 99 is of a newer version"),
        (lambda folder: reseal(folder, format=1), "it was changed after it was written"),
        (lambda folder: (folder / "run.nc").unlink(), "run.nc: no such file"),
    ],
)
def test_what_was_changed_is_refused_with_the_remedy(toy, folder, attribution, change, said):
    save_run(toy("other"), folder.parent / "other")
    assert load_run(folder).manifest["model"] == "toy"
    change(folder)
    refused(attribution, folder, said)


def edited(name, change):
    def edit(folder):
        with h5py.File(folder / "run.nc", "r+") as file:
            file[name][...] = change(file[name][...])
        reseal(folder)

    return edit


def one(value):
    def change(x):
        x = x.copy()
        x[1, 7] = value
        return x

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (edited(DRAWN, lambda x: x / 2), "window 'crash': contributions and baseline miss"),
        (edited(DRAWN, lambda x: x + 1e-8), "window 'crash': contributions and baseline miss"),
        (edited(DRAWN, one(np.nan)), "window 'crash': a draw is not a finite number"),
        (edited("posterior/baseline", one(np.inf)), "window 'crash': a draw is not a finite"),
        (edited("windows/crash/contribution", one(1.0)), "window 'crash', day by day: contrib"),
        (edited("windows/crash/baseline", one(np.nan)), "window 'crash', day by day: a draw"),
        (edited("windows/crash/observed", lambda x: x * 2), "miss the observed move"),
        (edited("weights/weight", one(-1.0)), "weights are not finite and non-negative"),
    ],
)
def test_parts_that_do_not_add_up_are_refused_whatever_their_digests(
    folder, attribution, change, said
):
    change(folder)
    refused(attribution, folder, said)


@pytest.mark.parametrize("levels", [False, True])
def test_parts_that_add_up_are_believed(toy, tmp_path, levels):
    """Of changes the move is their sum, of levels it is the last less the eve."""
    run = toy("toy", levels=levels)
    save_run(run, tmp_path / "run")
    back = load_run(tmp_path / "run")
    assert back.manifest == run.manifest
    xr.testing.assert_identical(back.tree["posterior"].to_dataset(),
                                run.tree["posterior"].to_dataset())  # fmt: skip


def test_a_run_of_an_earlier_version_is_read_and_said_to_carry_no_digests(
    toy, tmp_path, attribution
):
    run = toy("toy")
    engine.save(run.tree, tmp_path / "run.nc")
    (tmp_path / "manifest.json").write_text(json.dumps(run.manifest), encoding="utf-8")
    with pytest.warns(UserWarning, match="without digests"):
        assert load_run(tmp_path).manifest == run.manifest
    save_run(toy("new"), tmp_path)  # its files were the product's, and give way
    assert sorted(path.name for path in tmp_path.iterdir()) == ["manifest.json", "run.nc"]
    assert load_run(tmp_path).manifest["model"] == "new"


def test_the_bytes_of_a_run_are_those_of_another_one_of_the_same_draws(toy, tmp_path):
    for name in ("one", "two"):
        save_run(toy("toy"), tmp_path / name)
    one, two = ((tmp_path / name / "run.nc").read_bytes() for name in ("one", "two"))
    assert one == two


def external_link(file, far):
    file["posterior/far"] = h5py.ExternalLink(str(far), "/secret")


def soft_link(file, far):
    file["posterior/again"] = h5py.SoftLink("/posterior/contribution")


def hard_cycle(file, far):
    file["posterior/up"] = file["/"]


def soft_cycle(file, far):
    file["posterior/up"] = h5py.SoftLink("/posterior")


def twice(file, far):
    file["posterior/again"] = file["posterior/contribution"]


def external_storage(file, far):
    file["posterior"].create_dataset("far", (8,), "u1", external=[(str(far), 0, 8)])


def virtual(file, far):
    layout = h5py.VirtualLayout((8,), "f8")
    layout[:] = h5py.VirtualSource(str(far), "secret", (8,))
    file["posterior"].create_virtual_dataset("far", layout)


def huge(file, far):
    file["posterior"].create_dataset("far", (10**12,), "f8", chunks=(10**6,))


def deep(file, far):
    file.create_group("/".join("abcdefgh" * 6))


def named_type(file, far):
    file["posterior/kind"] = np.dtype("f8")


@pytest.mark.parametrize(
    ("hostile", "said"),
    [
        (external_link, "'/posterior/far' is a link to another file"),
        (soft_link, "'/posterior/again' is a link to another name"),
        (soft_cycle, "'/posterior/up' is a link to another name"),
        (hard_cycle, "'/posterior/up' is reached by two ways"),
        (twice, "is reached by two ways"),
        (external_storage, "'/posterior/far' is stored in another file"),
        (virtual, "'/posterior/far' is a view of other arrays"),
        (huge, "an array of 8,000,000,000,000 bytes"),
        (deep, "more than 32 groups deep"),
        (named_type, "'/posterior/kind' is neither a group nor an array"),
    ],
)
def test_a_file_that_reaches_out_of_itself_is_refused_before_it_is_read(
    folder, tmp_path, attribution, monkeypatch, hostile, said
):
    far = tmp_path / "far"
    far.write_bytes(b"a secret of the user")
    with h5py.File(folder / "run.nc", "r+") as file:
        hostile(file, far)
    reseal(folder)
    monkeypatch.setattr(xr, "open_datatree", lambda *_, **__: pytest.fail("it was read"))
    refused(attribution, folder, said)
    with pytest.raises(DataError, match="which no run holds"):
        netcdf.load(folder / "run.nc")


def test_a_name_in_a_strangers_file_reaches_no_terminal_as_it_is(folder):
    with h5py.File(folder / "run.nc", "r+") as file:
        file["\x1b[31mred\n"] = h5py.SoftLink("/posterior")
    with pytest.raises(DataError, match=r"\?\[31mred") as told:
        netcdf.load(folder / "run.nc")
    assert str(told.value).isprintable()


@pytest.mark.skipif(os.name != "posix", reason="limits are of POSIX")
@pytest.mark.parametrize("limit", [0, 1000, 20000])
def test_a_full_disk_is_an_error_and_leaves_the_old_run(folder, tmp_path, snapshot, limit):
    """A limit on the size of files stands for the disk: HDF5 met it by a crash."""
    assert (folder / "run.nc").stat().st_size > 20000
    old = snapshot(tmp_path)
    here = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", FULL, here, str(folder), str(limit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (7, "OSError\n"), done.stderr
    assert snapshot(tmp_path) == old


@pytest.fixture
def disk(tmp_path):
    """A disk of its own with room for one run; only a superuser can make one."""
    place = tmp_path / "disk"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=80k", "tmpfs", str(place)]
    try:
        made = subprocess.run(words, capture_output=True, check=False).returncode == 0
    except OSError:
        made = False
    if not made:
        pytest.skip("a disk of its own cannot be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("out", ["run", "."])
def test_a_disk_that_is_full_leaves_the_old_run(toy, disk, out):
    """At the root of a disk folders cannot be exchanged: its files are changed where they are."""
    save_run(toy("old"), disk / out)
    (disk / "mine").write_bytes(b"x" * 24_000)
    with pytest.raises(OSError, match="No space left"):
        save_run(toy("new"), disk / out)
    assert load_run(disk / out).manifest["model"] == "old"
    (disk / "mine").unlink()
    save_run(toy("new"), disk / out)
    assert load_run(disk / out).manifest["model"] == "new"


def test_draws_that_failed_are_kept_for_a_look_and_have_no_headline(toy, tmp_path, attribution):
    failed = "the sampler did not converge: R-hat 1.200 of crash/news is above 1.01"
    run = marked(toy("toy"), failed)
    assert deliver.write_unconverged(run, tmp_path / "toy") == tmp_path / "toy"
    code, out, err = attribution("summary", tmp_path / "toy")
    assert (code, err) == (0, "")
    assert "unconverged" in out and "R-hat 1.200" in out and "largest part" not in out
    assert "contribution[crash, news]" in out and "r_hat" in out and "ess_bulk" in out
    code, out, err = attribution("summary", tmp_path / "toy", "--json")
    assert json.loads(out) == {"model": "toy", "unconverged": failed,
                               "diagnostics": {"max_rhat": 1.0}}  # fmt: skip
    save_run(toy("good"), tmp_path / "good")
    for words in (
        ("report", tmp_path / "toy"),
        ("compare", tmp_path / "good", tmp_path / "toy"),
        ("claims", tmp_path / "toy"),
        ("counterfactual", tmp_path / "toy", "--without", "news"),
        ("check", "net-creation", tmp_path / "toy"),
    ):
        code, out, err = attribution(*words)
        assert (code, out, err.count("\n")) == (3, "", 1), words
        assert "it is unconverged" in err and "attribution summary" in err
    with pytest.raises(DiagnosticsError):
        load_run(tmp_path / "toy")
    assert load_run(tmp_path / "toy", unconverged=True).unconverged == failed


def test_draws_that_failed_lie_beside_a_run_that_did_not(toy, tmp_path):
    save_run(toy("good"), tmp_path / "toy")
    place = deliver.write_unconverged(marked(toy("bad"), "failed"), tmp_path / "toy")
    assert place == tmp_path / "toy-unconverged"
    assert load_run(tmp_path / "toy").manifest["model"] == "good"
    save_run(toy("good"), place)  # a run that converged takes the place of one that did not
    assert load_run(place).unconverged == ""


def test_a_report_drawn_again_and_a_comparison_keep_the_record_true(
    toy, tmp_path, quick, attribution
):
    for name in ("one", "two"):
        save_run(toy(name), tmp_path / name)
    before = json.loads((tmp_path / "one" / "manifest.json").read_text(encoding="utf-8"))
    code, _, err = attribution(
        "compare", tmp_path / "one", tmp_path / "two", "--out", tmp_path / "one"
    )
    assert (code, err) == (0, "") or "moved" in err
    after = json.loads((tmp_path / "one" / "manifest.json").read_text(encoding="utf-8"))
    assert {k: v for k, v in after.items() if k not in ("files", "checksum")} == {
        k: v for k, v in before.items() if k not in ("files", "checksum")
    }
    assert before["files"].items() <= after["files"].items()
    assert load_run(tmp_path / "one").manifest == toy("one").manifest
    listed = set(after["files"]) | {"manifest.json"}
    assert listed == {path.relative_to(tmp_path / "one").as_posix()
                      for path in (tmp_path / "one").rglob("*") if path.is_file()}  # fmt: skip


def test_a_changed_manifest_is_not_sealed_anew_by_another_writer(toy, tmp_path):
    from attribution.folder import whole

    save_run(toy("toy"), tmp_path)
    verdict(tmp_path)
    with whole(tmp_path, ("note",)) as aside:
        (aside / "note").write_text("new")
    with pytest.raises(DataError, match="it was changed after it was written"):
        load_run(tmp_path)
