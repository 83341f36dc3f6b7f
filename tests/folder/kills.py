"""Kill a writer before each call that changes a folder, and look at what is left; run as a program.

An audit hook sees every call of Python that changes a file or a folder.  A child is killed by the
system before the k-th of them, for every k until it ends by itself.
"""

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

CHANGES = {
    *("os.mkdir", "os.rename", "os.link", "os.symlink", "os.remove", "os.rmdir", "os.truncate"),
    *("os.chmod", "os.chown", "os.utime", "os.setxattr"),
}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
MINE = {
    "notes.txt": "mine",
    "figures/mine.svg": "mine too",
    "deep/er/data.csv": "1,2",
    "waterfall_of_mine.svg": "mine by a name like theirs",
}


def fill(folder, text):
    """Write files of the product: some in every writing, some in only one."""
    for name in ("a", "figures/b.svg", f"figures/{text}.svg", f"only/{text}"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def product(text):
    return dict.fromkeys(("a", "figures/b.svg", f"figures/{text}.svg", f"only/{text}"), text)


def files(folder):
    """Texts of all files below a folder, links as such; without the record."""
    return {
        path.relative_to(folder).as_posix(): f"-> {os.readlink(path)}"
        if path.is_symlink()
        else path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if (path.is_symlink() or path.is_file()) and path.name != ".attribution.json"
    }


def mine(folder, outside):
    """Lay files of the user's own into a folder, and a link that leads out of it."""
    for name, text in MINE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "empty").mkdir()
    (folder / "away").symlink_to(outside)
    return {**MINE, "away": f"-> {outside}"}


def killed_at(count, action):
    """Do something in a child that is killed before its change number ``count``; was it?"""
    pid = os.fork()
    if pid == 0:
        seen = 0

        def hook(event, args):
            nonlocal seen
            if event in CHANGES or (event == "open" and args[2] & WRITES):
                seen += 1
                if seen == count:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        code = 1
        try:
            action()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) == 0, f"the child failed at {count}"
    return False


def killed_after(seconds, action):
    """Do something in a child that is killed after some time; was it?"""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            action()
            code = 0
        finally:
            os._exit(code)
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


def of_plain_files(place, *, inside):
    """Every kill of a writer of plain files; ``inside`` it stands in the folder it writes."""
    from attribution.folder import settle, whole

    out, outside = place / "runs" / "out", place / "outside"
    outside.mkdir()
    (outside / "theirs").write_text("theirs", encoding="utf-8")

    def write(text):
        with whole(out, ("*",)) as new:
            fill(new, text)

    def write_there():
        if inside:
            os.chdir(out)
        write("new")

    write("old")
    own = mine(out, outside)
    shutil.copytree(place / "runs", place / "before", symlinks=True)
    old, new = {**product("old"), **own}, {**product("new"), **own}
    count, found = 0, []
    while True:
        count += 1
        shutil.rmtree(place / "runs")
        shutil.copytree(place / "before", place / "runs", symlinks=True)
        killed = killed_at(count, write_there)
        if inside:
            assert own.items() <= files(out).items(), count
            settle(out)
        left = {n: t for n, t in files(out).items() if not n.startswith(".run-")}
        assert left in (old, new), (count, left)
        assert (out / "empty").is_dir() and (outside / "theirs").is_file()
        found.append("new" if left == new else "old")
        if not killed:
            assert found[-1] == "new"
            break
        write("later")
        assert files(out) == {**product("later"), **own}, count
        assert [path.name for path in (place / "runs").iterdir()] == ["out"], count
        assert not [path for path in out.iterdir() if path.name.startswith(".run-")]
    assert found == sorted(found, reverse=True), "old, and from one moment on new"
    return {"calls": count - 1, "old": found.count("old")}


def of_moments(place, *, times):
    """Kills of a writer of plain files at random moments."""
    import random

    from attribution.folder import whole

    out, chosen = place / "runs" / "out", random.Random(3)

    def write(text):
        with whole(out, ("*",)) as new:
            fill(new, text)

    write("old")
    own, last, found = mine(out, place), "old", []
    start = time.perf_counter()
    write("old")
    takes = time.perf_counter() - start
    for count in range(times):
        text = f"new {count}"
        killed_after(chosen.uniform(0.0, 2.0 * takes), lambda text=text: write(text))
        left = files(out)
        assert left in ({**product(last), **own}, {**product(text), **own}), (count, left)
        found.append(left["a"] == text)
        last = left["a"]
    write("later")
    assert [path.name for path in (place / "runs").iterdir()] == ["out"]
    return {"calls": times, "old": found.count(False), "new": found.count(True)}


def of_runs(place, *, times):
    """Kills of a writer of runs: before every change, or at that many random moments."""
    import random

    from toy import first, toy

    from attribution.runs.run import load_run, put_run, save_run, whole

    out = place / "runs" / "out"
    save_run(toy("old"), out)
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    new, chosen = toy("new"), random.Random(3)
    numbers = {name: first(toy(name)) for name in ("old", "new")}
    shutil.copytree(place / "runs", place / "before")

    def write():
        with whole(out, ("run.nc", "manifest.json")) as aside:
            put_run(new, aside)

    write()
    start = time.perf_counter()
    write()
    takes, found, count = time.perf_counter() - start, [], 0
    while count < times if times else True:
        count += 1
        shutil.rmtree(place / "runs")
        shutil.copytree(place / "before", place / "runs")
        if times:
            killed = killed_after(chosen.uniform(0.0, 1.3 * takes), write)
        else:
            killed = killed_at(count, write)
        run = load_run(out)
        said = run.manifest["model"]
        assert first(run) == numbers[said], count
        assert (out / "notes.txt").read_text(encoding="utf-8") == "mine"
        found.append(said)
        if not times and not killed:
            break
    return {"calls": count, "old": found.count("old"), "new": found.count("new")}


if __name__ == "__main__":
    os.fsync = lambda descriptor: None  # a killed process loses nothing that it has written
    which, where = sys.argv[1], Path(sys.argv[2])
    made = {
        "beside": lambda: of_plain_files(where, inside=False),
        "inside": lambda: of_plain_files(where, inside=True),
        "moments": lambda: of_moments(where, times=200),
        "runs": lambda: of_runs(where, times=0),
        "random": lambda: of_runs(where, times=200),
    }[which]()
    print(json.dumps(made))
