"""What a folder holds after a writing: what the product wrote, and all that it did not."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from attribution.errors import DataError
from attribution.folder import lock, settle, stage, whole
from attribution.folder.ledger import RECORD

WRITER = """
import sys, time
from pathlib import Path
from attribution.folder import whole
out, text = Path(sys.argv[1]), sys.argv[2]
for turn in range(30):
    with whole(out, ("*",)) as new:
        for name in "abc":
            (new / name).write_text(f"{text}{turn}")
            time.sleep(0.001)
"""


@pytest.fixture(params=["beside", "inside"])
def out(request, tmp_path, monkeypatch):
    """A folder that is exchanged, and one whose files are changed where they are."""
    if request.param == "inside":
        monkeypatch.setattr("attribution.folder.stage.can_exchange", lambda place: False)
    return tmp_path / "runs" / "out"


def write(folder, *names, text="new", replaces=("*",)):
    with whole(folder, replaces) as new:
        for name in names:
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).write_text(text, encoding="utf-8")


def texts(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != RECORD
    }


def clean(folder):
    """Whether nothing but the folder is left beside it, and no stage in it."""
    own = [path.name for path in folder.iterdir() if path.name.startswith(".")]
    return [path.name for path in folder.parent.iterdir()] == [folder.name] and own == [RECORD]


def test_a_later_writing_takes_the_place_of_all_of_an_earlier_one(out):
    write(out, "a", "b/c", text="old")
    write(out, "a", "d/e")
    assert texts(out) == {"a": "new", "d/e": "new"}
    assert not (out / "b").exists() and clean(out)


def test_what_the_product_did_not_write_stays_though_a_pattern_names_it(out):
    write(out, "figures/a.svg", text="old")
    (out / "figures/mine.svg").write_text("mine", encoding="utf-8")
    (out / "notes").write_text("mine", encoding="utf-8")
    write(out, "b")
    assert texts(out) == {"b": "new", "figures/mine.svg": "mine", "notes": "mine"}


def test_what_the_user_changed_stays_under_its_name_or_another(out):
    write(out, "figures/a.svg", "b.txt", text="old")
    (out / "figures/a.svg").write_text("retouched", encoding="utf-8")
    (out / "b.txt").write_text("corrected", encoding="utf-8")
    write(out, "b.txt")
    kept = {"figures/a.svg": "retouched", "b.kept-1.txt": "corrected"}
    assert texts(out) == {"b.txt": "new", **kept}
    write(out, "b.txt", text="newer")
    assert texts(out) == {"b.txt": "newer", **kept}


def test_files_of_a_foreign_folder_make_room_and_are_not_lost(out):
    for name in ("a.txt", "figures", "c/d"):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text("mine", encoding="utf-8")
    write(out, "a.txt", "figures/b", "c")
    assert texts(out) == {
        **{"a.txt": "new", "figures/b": "new", "c": "new"},
        **{"a.kept-1.txt": "mine", "figures.kept-1": "mine", "c.kept-1/d": "mine"},
    }


def test_links_are_neither_followed_nor_lost(out, tmp_path):
    far = tmp_path / "far"
    write(out, "figures/a", "b", text="old")
    far.mkdir()
    (out / "figures").rename(far / "figures")
    (out / "figures").symlink_to(far / "figures")
    (out / "b").unlink()
    (out / "b").symlink_to(far / "figures" / "a")
    write(out, "figures/a", "b")
    assert (far / "figures" / "a").read_text() == "old"
    assert not (out / "figures").is_symlink() and not (out / "b").is_symlink()
    assert (out / "figures/a").read_text() == (out / "b").read_text() == "new"
    assert (out / "figures.kept-1").readlink() == far / "figures"
    assert (out / "b.kept-1").readlink() == far / "figures" / "a"


def test_a_folder_that_is_a_link_stays_one(out, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    out.parent.mkdir()
    out.symlink_to(tmp_path / "elsewhere")
    write(out, "a")
    assert out.is_symlink() and (tmp_path / "elsewhere" / "a").read_text() == "new"


def test_a_user_in_the_folder_is_not_left_in_an_old_one(tmp_path, monkeypatch):
    write(tmp_path / "out", "a", text="old")
    monkeypatch.chdir(tmp_path / "out")
    before = os.stat(".").st_ino
    write(tmp_path / "out", "a")
    assert os.stat(tmp_path / "out").st_ino == before
    assert Path("a").read_text(encoding="utf-8") == "new"


@pytest.mark.skipif(os.name != "posix", reason="rights of a file are of POSIX")
@pytest.mark.parametrize(("mask", "file", "folder"), [(0o022, 0o644, 0o755), (0o077, 0o600, 0o700)])
def test_rights_are_those_that_the_user_asks_for(out, mask, file, folder):
    old = os.umask(mask)
    try:
        write(out, "a", "b/c")
        (out / "notes").write_text("mine", encoding="utf-8")
        (out / "notes").chmod(0o640)
        write(out, "a", "b/c")
    finally:
        os.umask(old)
    modes = {name: (out / name).stat().st_mode & 0o777 for name in ("a", "b/c", "b", ".", RECORD)}
    assert modes == {"a": file, "b/c": file, "b": folder, ".": folder, RECORD: file}
    assert (out / "notes").stat().st_mode & 0o777 == 0o640


def test_a_failure_leaves_the_old_files_and_a_first_one_no_folder(out):
    with pytest.raises(KeyboardInterrupt), whole(out) as new:
        (new / "a").write_text("new")
        raise KeyboardInterrupt
    assert not out.exists() and not out.parent.exists()
    write(out, "a", text="old")
    with pytest.raises(OSError, match="disk"), whole(out) as new:
        (new / "a").write_text("new")
        raise OSError("disk")
    assert texts(out) == {"a": "old"} and clean(out)


def test_two_writers_take_turns_and_a_reader_sees_one_of_them_whole(out):
    write(out, "a", "b", "c", text="old")
    own = [subprocess.Popen([sys.executable, "-c", WRITER, out, word]) for word in ("x", "y")]
    seen = set()
    while any(writer.poll() is None for writer in own):
        with lock.locked(out):
            found = texts(out)
        assert len(set(found.values())) == 1 and set(found) == {"a", "b", "c"}, found
        seen |= set(found.values())
    assert [writer.wait() for writer in own] == [0, 0]
    (last,) = set(texts(out).values())
    assert {word[0] for word in seen} <= {"o", "x", "y"} and last[0] in "xy" and clean(out)


def test_a_writer_that_waits_too_long_is_told_so(tmp_path):
    tmp_path.joinpath("out").mkdir()
    with (
        lock.locked(tmp_path / "out"),
        pytest.raises(DataError, match="another process is writing there") as refused,
        lock.locked(tmp_path / "out", patience=0.1),
    ):
        pass
    assert "\n" not in str(refused.value)


def test_a_lock_is_a_file_where_folders_cannot_be_locked(out, monkeypatch):
    monkeypatch.setattr(lock, "fcntl", None)
    write(out, "a", text="old")
    write(out, "a")
    assert texts(out) == {"a": "new"} and clean(out)
    with (
        lock.locked(out),
        pytest.raises(DataError, match="another process"),
        lock.locked(out, patience=0.1),
    ):
        pass


def test_what_came_into_a_folder_while_it_was_switched_comes_along(tmp_path, monkeypatch):
    out = tmp_path / "out"
    write(out, "a", text="old")

    def late(here, there):
        (out / "late").write_text("mine", encoding="utf-8")
        stage.exchange(here, there)

    monkeypatch.setattr("attribution.folder.switch.exchange", late)
    write(out, "a")
    assert texts(out) == {"a": "new", "late": "mine"} and clean(out)


def test_a_stage_is_known_by_its_mark_and_not_by_its_name(out):
    write(out, "a", text="old")
    like = out.parent / f".{out.name}.run-0123456789abcdef"
    like.mkdir()
    (like / "b").write_text("mine", encoding="utf-8")
    write(out, "a")
    assert (like / "b").read_text() == "mine"


@pytest.mark.parametrize(
    "intent",
    [
        {"stage": "../far", "place": ["a"], "drop": {}, "aside": {}},
        {"stage": ".run-0123456789abcdef", "place": ["../a"], "drop": {}, "aside": {}},
        {"stage": ".run-0123456789abcdef", "place": [], "drop": {"link/a": {}}, "aside": {}},
        {"stage": ".run-0123456789abcdef", "place": [], "drop": {}, "aside": {"a": "/b"}},
        {"stage": 1},
        [],
    ],
)
def test_an_intent_that_reaches_out_of_its_folder_is_refused(tmp_path, intent):
    out = tmp_path / "out"
    write(out, "a")
    (tmp_path / "far").mkdir()
    (out / "link").symlink_to(tmp_path / "far")
    (out / ".attribution.switch").write_text(json.dumps(intent), encoding="utf-8")
    with pytest.raises(DataError, match="delete it"):
        settle(out)


def test_a_lock_that_is_let_go_is_taken_by_the_one_who_waits(tmp_path):
    order = []

    def first():
        with lock.locked(tmp_path):
            order.append("first")
            time.sleep(0.2)
            order.append("first ends")

    thread = threading.Thread(target=first)
    thread.start()
    while not order:
        time.sleep(0.01)
    with lock.locked(tmp_path):
        order.append("second")
    thread.join()
    assert order == ["first", "first ends", "second"]
