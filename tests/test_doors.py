"""Hostile command lines: each ends in one sentence and a stable exit code, never a traceback."""

import errno
import os
import subprocess
import sys

import numpy as np
import pytest

HUGE = "9" * 5000
NOWHERE = "x" * 300
FIT = ("fit", "--data", ".", "--quiet", "--no-report")
READERS = (
    ("fit", "--model"),
    ("check",),
    ("monitor", "--model"),
    ("claims", "--table"),
    ("compare", "var"),
)
"""Verbs that read a TOML file first of all."""
FILES = {
    "folder.toml": "Is a directory",
    "noise.toml": "not a text file",
    "empty.toml": "key 'schema' is missing",
    "pipe.toml": "a pipe or a device",
    "device.toml": "a pipe or a device",
    "circle.toml": "check the path",
    "huge.toml": "200.0 MB, above the limit of 1 MB",
    "deep.toml": "nested deeper than the limit of 12",
    "dotted.toml": "nested deeper than the limit of 12",
    "digits.toml": "a number has thousands of digits",
    "absent.toml": "check the path",
    "...toml": "no letter and no digit",
    "mine.toml/x.toml": "check the path",
}
RUNS = (
    *(
        ("summary",),
        ("report", "--out", "new"),
        ("check", "net-creation"),
        ("counterfactual", "--without", "x"),
    ),
    ("claims",),
)
"""Verbs that read a saved run."""
NO_RUNS = ("mine.toml", "absent", "folder.toml", "", "/dev/null", "pipe.toml", NOWHERE, "circle")
OPTIONS = [
    *[("fit", "--draws", v) for v in ("-1", "0", "3", HUGE, "1e400", "nan", "many", "1.5", "true")],
    *[("fit", "--seed", v) for v in ("-1", str(2**32), HUGE, "inf", "")],
    *[("compare", "var", "bvar", "--draws", v) for v in ("0", "1000001")],
    *[("validate", "--replications", v) for v in ("0", HUGE)],
    *[("validate", "--processes", v) for v in ("0", "257")],
    *[("monitor", "--seed", v) for v in ("-1", HUGE)],
    ("claims", "--seed", "-1"),
    ("fit", "--no-such-option"),
    ("no-such-verb",),
    ("fit", "--draws"),
]
REFUSED = [
    (("fit", "--model", "mine.toml", "--data", ".", "--draws", "5", "-q"), "do not fill 4 equal"),
    (("fit", "--event", "x"), "not two dates"),
    (("fit", "--event", "2025-02-30"), "not two dates"),
    (("fit", "--event", "2025-03-12:2025-03-10"), "ends before it starts"),
    (("fit", "--event", "0001-01-01:9999-12-31"), "the sample of 'bvar' starts"),
    (("fit", "--event-in", "sideways"), "unknown"),
    (("fit", "--sampler", "dice"), "unknown"),
    (("fit", "--rival", ""), "unknown"),
    (("fit", "--model", ""), "unknown"),
    (("fit", "--model", "/"), "unknown"),
    (("fit", "--model", "a\x1b[31mb"), r"'a\x1b[31mb' holds a control character"),
    (("summary", "a\nb"), r"'a\nb' holds a control character"),
    (("compare", "var"), "is one run"),
    (("compare", "var", "absent.toml"), "no such file"),
    (("counterfactual", "runs", "--without", ""), "manifest.json"),
    (("validate", "no-such-design"), "no design"),
    (("validate", "--list", "no-such-design"), "no design"),
    (("validate", "student-t"), "run python tests/calibration/run.py student-t"),
    (("monitor", "--until", "soon"), "not a date"),
    (("monitor", "--model", "var"), "name one of kind 'flows'"),
    (("check", "var", "runs"), "leave 'runs' out"),
    (("check", "net-creation"), "add its folder"),
    (("data", "absent"), "no such file or folder"),
    (("data", NOWHERE), NOWHERE),
    (("data", "noise.toml"), "not a text file"),
    (("data", "/dev/null"), "no card"),
    (("claims", "--data", "absent"), "no such file or folder"),
]
TARGETS = {
    "mine.toml": "is a file",
    "mine.toml/below": "is a file",
    "/dev/null": "is a file",
    "circle": "is a file",
    "/proc/attribution": "cannot be written",
    NOWHERE: "longer than 255 bytes",
    f"new/{NOWHERE}": "longer than 255 bytes",
}
WRITERS = (
    ("fit", "--model", "mine.toml", "--data", "."),
    ("report", "absent"),
    ("compare", "absent", "var"),
    ("claims", "absent"),
    ("monitor", "--model", "absent"),
    ("validate", "bvar-right", "--replications", "1"),
)


def sentence(said, code):
    """One line on standard error, and the exit code."""
    found, out, err = said
    lines = err.strip().splitlines()
    assert found == code, err
    assert out == "" and len(lines) == 1, (out, err)
    assert lines[0].startswith("attribution: ") and ";" in lines[0]
    return lines[0]


@pytest.fixture
def hostile(own, monkeypatch):
    """Files that are not what their names say, in the working directory."""
    monkeypatch.chdir(own)
    (own / "folder.toml").mkdir()
    (own / "noise.toml").write_bytes(np.random.default_rng(1).bytes(3000))
    (own / "empty.toml").write_bytes(b"")
    os.mkfifo(own / "pipe.toml")
    (own / "device.toml").symlink_to("/dev/null")
    for name in ("circle", "circle.toml"):
        (own / name).symlink_to(name)
    with (own / "huge.toml").open("wb") as file:
        file.truncate(200_000_000)
    (own / "deep.toml").write_text("a = " + "[" * 5000 + "]" * 5000, encoding="utf-8")
    (own / "dotted.toml").write_text("a." * 200_000 + "a = 1", encoding="utf-8")
    (own / "digits.toml").write_text(f"a = {HUGE}", encoding="utf-8")
    (own / "...toml").write_bytes((own / "mine.toml").read_bytes())
    return own


@pytest.mark.parametrize("verb", READERS, ids=" ".join)
def test_a_file_that_is_no_model_is_refused(hostile, attribution, verb):
    for name, expected in FILES.items():
        assert expected in sentence(attribution(*verb, name), 2)


@pytest.mark.parametrize("verb", RUNS, ids=" ".join)
def test_what_is_no_run_is_refused(hostile, attribution, verb):
    for name in NO_RUNS:
        assert "manifest.json" in sentence(attribution(*verb, name), 2)


@pytest.mark.parametrize("words", OPTIONS, ids=lambda words: " ".join(words)[:40])
def test_an_option_beyond_its_limits_is_a_usage_error(attribution, words):
    code, out, err = attribution(*words)
    assert code == 2 and out == "" and "Error" in err and "Traceback" not in err


def test_the_limit_of_draws_is_in_the_message(attribution):
    assert "1000000" in attribution("fit", "--draws", "1000001")[2]


@pytest.mark.parametrize(("words", "expected"), REFUSED, ids=lambda x: " ".join(x)[:40])
def test_a_hostile_word_is_refused_in_a_sentence(hostile, attribution, words, expected):
    code = attribution(*words)[0]
    assert code in (2, 5, 6)
    assert expected in sentence(attribution(*words), code)


@pytest.mark.parametrize("verb", WRITERS, ids=lambda words: words[0])
def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_paid_for(
    hostile, attribution, verb
):
    for name, expected in TARGETS.items():
        assert expected in sentence(attribution(*verb, "--out", name), 2)
    assert not (hostile / "new").exists() and not list(hostile.glob(".run-*"))


def test_the_folder_of_a_run_that_names_none_is_tried_too(hostile, attribution):
    (hostile / "runs").write_text("a file", encoding="utf-8")
    assert "runs is a file" in sentence(attribution(*FIT, "--model", "mine.toml"), 2)


def test_a_read_only_folder_is_refused(hostile, attribution, monkeypatch):
    def denied(*args, **settings):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("tempfile.mkdtemp", denied)
    said = sentence(attribution(*FIT, "--model", "mine.toml", "--out", "new"), 2)
    assert "cannot be written (Read-only file system)" in said


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "an empty file"),
        (b"date,coin,share,fear\n", "a header without rows"),
        (b"date,coin,share,fear\n1,2\n", "has 2 cells"),
        (b"\xff\xfe\x00", "not a text file"),
        (b'date,coin,share,fear\n"', "not valid CSV"),
        (b"date,co\x1b[31min,share,fear\n", r"holds the control character \x1b"),
        (b"date," + b"x" * 300 + b",share,fear\n", "above the limit of 180"),
        (b"date,coin,share,fear\n2024-01-02,1e400,1,1\n", "not a finite number"),
        (b"date,coin,share,fear\n2024-01-02,1\0,1,1\n", "not a finite number"),
        (b"date,coin,share,fear\n9999-99-99,1,1,1\n", "not a date"),
        (b"date,coin,share,fear\n" + b"9" * 200_000 + b",1,1,1\n", "not valid CSV"),
        (None, "200.0 MB, above the limit of 100 MB"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_data_file_that_cannot_be_read_is_refused(
    own, attribution, monkeypatch, content, expected
):
    monkeypatch.chdir(own)
    if content is None:
        os.truncate(own / "market.csv", 200_000_000)
    else:
        (own / "market.csv").write_bytes(content)
    for words in (("data", own / "market.csv"), (*FIT, "--model", "mine.toml")):
        assert expected in sentence(attribution(*words), 2)


@pytest.mark.parametrize(
    ("error", "code", "expected"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "runs/x"), 6, "free some space"),
        (PermissionError(errno.EACCES, "Permission denied", "a"), 6, "'a': Permission denied"),
        (MemoryError("Unable to allocate 9 GiB"), 6, "out of memory (Unable to allocate 9 GiB)"),
        (RecursionError("maximum recursion depth"), 6, "nested too deeply"),
        (np.linalg.LinAlgError("Singular matrix"), 7, "arithmetic failed"),
        (OverflowError("math range error"), 7, "arithmetic failed"),
        (ZeroDivisionError("division by zero"), 7, "arithmetic failed"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), 2, "not UTF-8"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (KeyError("x\x1b[31m"), 70, r"a fault of this program"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_is_raised_inside_a_verb_leaves_by_the_door(
    own, attribution, monkeypatch, error, code, expected
):
    def raising(*args, **settings):
        raise error

    monkeypatch.setattr(sys.modules["attribution.fit.path"], "estimate", raising)
    monkeypatch.chdir(own)
    said = sentence(attribution(*FIT, "--model", "mine.toml"), code)
    assert expected in said and "\x1b" not in said
    if code in (7, 70):
        assert " at attribution/fit/path.py:" in said
    assert not (own / "runs").exists()


def run(*words, env=(), shell=None, **settings):
    """Run the program in a process of its own."""
    program = [sys.executable, "-m", "attribution", *words]
    command = ["sh", "-c", shell, *program] if shell else program
    root = os.path.dirname(os.path.dirname(__file__))
    given = {**os.environ, "PYTHONPATH": root, "COLUMNS": "100", **dict(env)}
    kept = {key: value for key, value in given.items() if value is not None}
    return subprocess.run(
        command, capture_output=True, env=kept, check=False, timeout=60, **settings
    )


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "LANG": "C"},
        {"HOME": None, "XDG_CACHE_HOME": None, "XDG_CONFIG_HOME": None},
        {"COLUMNS": "20", "NO_COLOR": "1", "TERM": "dumb"},
    ],
    ids=["ascii", "homeless", "narrow"],
)
def test_surroundings_do_not_break_a_list(env):
    done = run("models", env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"bvar_signs" in done.stdout


def test_a_refusal_with_letters_that_the_terminal_lacks_is_still_a_sentence():
    done = run("check", "λ.toml", env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1"})
    assert done.returncode == 2
    assert done.stderr.startswith(b"attribution: model '") and done.stderr.count(b"\n") == 1


def test_a_reader_who_leaves_early_and_a_closed_output_are_no_fault():
    left = run("models", shell='"$0" "$@" | true')
    closed = run("models", shell='"$0" "$@" >&-')
    full = run("models", shell='"$0" "$@" >/dev/full')
    assert [left.returncode, closed.returncode, full.returncode] == [0, 0, 6]
    assert left.stderr == closed.stderr == b""
    assert full.stderr.startswith(b"attribution: ") and b"free some space" in full.stderr


def test_a_working_directory_that_is_gone_is_a_sentence(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    done = run("summary", "x", shell=f'cd {gone}; rmdir {gone}; "$0" "$@"')
    assert done.returncode == 2 and done.stderr.count(b"\n") == 1
    assert done.stderr.startswith(b"attribution: ")
