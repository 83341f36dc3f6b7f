"""The command line: help that can be copied, doors that open fast, refusals of one sentence."""

import json
import os
import re
import resource
import shlex
import subprocess
import sys

import pytest
from typer.main import get_command

from attribution import __version__, cli
from attribution.runs.run import load_run

VERBS = {command.callback.__name__: command for command in cli.app.registered_commands}
EXAMPLES = [
    example.strip()
    for command in VERBS.values()
    for example in re.sub(r"^Examples?:", "", command.epilog or "").split("|")
    if example.strip()
]
HEAVY = (
    *("pymc", "pytensor", "arviz", "numba", "xarray", "matplotlib", "statsmodels", "linearmodels"),
    *("pandas", "scipy", "h5netcdf", "h5py", "rich.progress", "jinja2"),
)
LOADED = """
import sys
from attribution.cli import main
sys.argv = ["attribution", *sys.argv[1:]]
try:
    main()
except SystemExit as left:
    code = left.code or 0
print("LOADED", *sorted({name.split(".")[0] for name in sys.modules}), file=sys.stderr)
sys.exit(code)
"""
CPU = 1.0
"""Seconds of processor time; the doors open in a fifth of it."""
PLACEBO = ("--event", "2025-10-10:2025-10-10")


def one_sentence(err):
    """A refusal: one line that says where, what was found, and what to do."""
    lines = err.strip().splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith("attribution: ")
    assert "Traceback" not in err and not lines[0].endswith(":")
    return lines[0]


def test_the_verbs_are_the_promised_ones():
    assert set(VERBS) == {
        "fit",
        "compare",
        "counterfactual",
        "summary",
        "report",
        "models",
        "data",
        "schema",
        "check",
        "claims",
        "monitor",
        "validate",
    }


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_explains_itself_with_its_example(attribution, verb):
    code, out, err = attribution(verb, "--help")
    assert (code, err) == (0, "")
    said = " ".join(out.split())
    assert f"attribution {verb} [OPTIONS]" in said
    assert VERBS[verb].callback.__doc__.split(".")[0].split()[0] in said
    if VERBS[verb].epilog:
        assert " ".join(VERBS[verb].epilog.split()) in said


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_can_be_typed(example):
    program, verb, *words = shlex.split(example)
    assert program == "attribution"
    get_command(cli.app).commands[verb].make_context(verb, words)


def test_an_example_with_an_option_that_does_not_exist_would_be_seen():
    with pytest.raises(Exception, match="no-such-option"):
        get_command(cli.app).commands["fit"].make_context("fit", ["--no-such-option"])


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["models"], ["fit", "--help"]])
def test_the_doors_open_in_a_blink(words):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", LOADED, *words],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "120"},
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0 and done.stdout
    loaded = done.stderr.split("LOADED")[1].split()
    assert "attribution" in loaded
    assert not set(HEAVY) & set(loaded)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert spent < CPU


def test_without_a_verb_the_help_is_shown(attribution):
    code, out, _ = attribution()
    assert code == 2 and all(verb in out for verb in VERBS)
    assert attribution("--version")[:2] == (0, f"{__version__}\n")


def test_the_package_runs_as_a_module():
    words = [sys.executable, "-W", "error", "-m", "attribution", "--version"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (f"{__version__}\n", "")


def test_models_data_and_check_speak_json(attribution):
    code, out, _ = attribution("models", "--json")
    vars_ = {"bvar", "bvar_signs", "coarse", "factor", "var"}
    studies = {
        "barrier",
        "counterfactual",
        "degrossing",
        "event",
        "flow_return",
        "flows",
        "panel",
        "projection",
    }
    assert code == 0 and set(json.loads(out)) == vars_ | studies
    sets = json.loads(attribution("data", "--json")[1])
    daily = next(item for item in sets if item["name"] == "daily")
    assert "btc_return" in [column["name"] for column in daily["columns"]]
    rows = json.loads(attribution("check", "bvar", "--json")[1])
    assert {"what", "verdict", "why"} == set(rows[0])
    words = attribution("check", "bvar")[1]
    assert all(row["what"] in words and row["verdict"] in words for row in rows)


@pytest.mark.parametrize(
    ("code", "words", "said"),
    [
        (2, ["fit", "--model", "bvr"], "(nearest: 'bvar')"),
        (2, ["check", "bvar_sign"], "(nearest: 'bvar_signs')"),
        (2, ["fit", "--model", "nowhere/mine.toml"], "no such file"),
        (2, ["check", "var"], "no identification table"),
        (2, ["fit", "--model", "var", "--data", "nowhere"], "data 'nowhere': no such file"),
        (2, ["data", "nowhere"], "no such file"),
        (2, ["summary", "nowhere"], "run 'nowhere'"),
        (2, ["report", "nowhere"], "run 'nowhere'"),
        (2, ["fit", "--model", "var", "--event-in", "inn"], "--event-in 'inn'"),
        (2, ["fit", "--model", "var", "--event-in", "all"], "kind 'var'"),
        (2, ["fit", "--model", "var", "--sampler", "nutpy"], "(nearest: 'nutpie')"),
        (2, ["fit", "--event", "2026"], "--event '2026': not two dates"),
        (2, ["fit", "--event", "2025-10-10:"], "not two dates"),
        (2, ["fit", "--event", ":2025-10-10"], "not two dates"),
        (2, ["fit", "--event", "2025-10-10:2025-10-11:2025-10-12"], "not two dates"),
        (2, ["fit", "--event", "2025-02-30"], "not two dates"),
        (2, ["fit", "--model", "var", "--event", "2025-10-13:2025-10-10"], "swap the two dates"),
        (3, ["fit", "--model", "var", *PLACEBO, "--draws", "80"], "more --draws"),
        (5, ["fit", "--model", "var", "--event", "2030-01-02"], "before the event does"),
        (5, ["fit", "--model", "var", "--event", "2024-02-01"], "sample of 'var' starts"),
        (5, ["fit", "--model", "var", "--event", "2025-10-11:2025-10-12"], "2025-10-11"),
    ],
)
def test_a_refusal_is_one_sentence_and_the_code_of_its_class(
    attribution, tmp_path, monkeypatch, code, words, said
):
    monkeypatch.chdir(tmp_path)
    quiet = ["--quiet"] if words[0] == "fit" else []
    left, out, err = attribution(*words, *quiet)
    assert left == code
    assert out == ""
    assert said in one_sentence(err)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    kept = {f"runs/var/{name}" for name in ("run.nc", "manifest.json")} if code == 3 else set()
    assert left == kept  # nothing half written; draws that failed are kept for a look


def test_channels_that_share_every_restriction_are_refused_before_any_draw(attribution, own):
    text = (own / "cones.toml").read_text(encoding="utf-8")
    native = next(line for line in text.splitlines() if line.startswith("native = { between"))
    both = text.replace(native, native.replace("between = [-0.15, 0.15]", "at_most = -0.2"))
    fear = next(line for line in text.splitlines() if line.startswith("risk = { sign"))
    both = both.replace(fear, f"{fear}\n{fear.replace('risk', 'native', 1)}")
    (own / "cones.toml").write_text(both, encoding="utf-8")
    for words in (["check"], ["fit", "--data", own, "--out", own / "out", "--quiet", "--model"]):
        code, _, err = attribution(*words, own / "cones.toml")
        assert code == 4
        assert "'risk' and 'native'" in one_sentence(err) or ("risk" in err and "native" in err)
    assert not (own / "out").exists()


def test_an_output_that_is_a_file_is_refused_before_minutes_are_spent(attribution, tmp_path):
    path = tmp_path / "notes"
    path.write_text("mine", encoding="utf-8")
    for out in (path, path / "below"):
        code, _, err = attribution("fit", "--model", "var", *PLACEBO, "--out", out, "--quiet")
        assert code == 2 and f"{path} is a file" in one_sentence(err)
    assert path.read_text(encoding="utf-8") == "mine"


def test_a_fit_prints_what_it_writes(attribution, tmp_path, quick):
    words = ["fit", "--model", "var", *PLACEBO, "--draws", "1200", "--out", tmp_path / "run"]
    code, out, err = attribution(*words, "--json")
    assert (code, err) == (0, "")
    written = json.loads((tmp_path / "run" / "results.json").read_text(encoding="utf-8"))
    assert json.loads(out) == written
    assert json.loads(attribution("summary", tmp_path / "run", "--json")[1]) == written
    assert load_run(tmp_path / "run").manifest["seed"] == written["manifest"]["seed"]
    code, out, err = attribution("summary", tmp_path / "run")
    assert (code, err) == (0, "")
    headline = " ".join(written["headline"].split())
    assert headline in " ".join(out.split())
    assert out.index("moved") < out.index("vix_change"), "the headline comes first"
    assert "r_hat" not in out
    code, out, err = attribution("summary", tmp_path / "run", "--findings")
    assert (code, err) == (0, "") and headline in " ".join(out.split())
    assert all(finding["name"] in out for finding in written["findings"])
    assert "contribution[event, vix_change]" in out and "r_hat" in out


def test_a_pipe_gets_the_result_and_no_stage(attribution, tmp_path, quick):
    words = ["fit", "--model", "var", *PLACEBO, "--draws", "1200", "--out", tmp_path / "run"]
    code, out, err = attribution(*words, "--no-report", "--cores", "1")
    assert (code, err) == (0, "")
    assert "estimating" not in out and "moved" in out


def test_words_are_completed_by_the_shell():
    words = {"_ATTRIBUTION_COMPLETE": "complete_bash", "COMP_WORDS": "attribution su"}
    done = subprocess.run(
        [sys.executable, "-c", "from attribution.cli import app; app(prog_name='attribution')"],
        capture_output=True,
        text=True,
        env={**os.environ, **words, "COMP_CWORD": "1"},
        check=False,
    )
    assert done.stdout.split() == ["summary"]


def test_a_schema_is_printed_as_json(attribution):
    code, out, err = attribution("schema", "projection")
    assert (code, err) == (0, "")
    assert json.loads(out)["properties"]["kind"] == {
        **json.loads(out)["properties"]["kind"],
        "const": "projection",
    }
    code, _, err = attribution("schema", "projektion")
    assert code == 2 and "nearest: 'projection'" in one_sentence(err)


def test_a_quiet_fit_of_one_date_prints_nothing(attribution, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["fit", "--model", "var", "--event", "2025-10-10", "--draws", "1200", "--quiet"]
    assert attribution(*words, "--no-report") == (0, "", "")
    files = {path.name for path in (tmp_path / "runs" / "var").iterdir()}
    assert files == {"run.nc", "manifest.json", "results.json"}
    settings = load_run(tmp_path / "runs" / "var").manifest["settings"]
    assert settings["windows"] == {"event": "2025-10-10 to 2025-10-10"}
