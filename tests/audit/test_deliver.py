"""An audited table on the screen, in files and at the command line."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from attribution.audit import deliver
from attribution.audit.run import audit
from attribution.audit.sources import Library, Sources
from attribution.cli.auditing import claims
from attribution.content import content
from attribution.errors import DataError, SpecError
from attribution.finding import VERDICTS
from attribution.model import read_model
from attribution.model.audit import Audit, AuditedClaim, Part, Variant
from attribution.runs.run import digest_of, save_run

CLAIMS = (*(f"C{number}" for number in range(1, 22)), "R1")
FIGURES = {"figure", "figures", "total", "before", "after"}


def made(*parts, combine="all"):
    return Audit("mine", "Mine", "", (AuditedClaim("M1", "said", "number", combine, "", parts),))


def tail(name, times, **variants):
    given = {"figure": "A04", "against": 3.0, "times": times}
    asked = tuple(Variant(say, say, {"times": other}) for say, other in variants.items())
    return Part("mine.toml", name, "tail_ratio", given, asked)


# ---- delivery -----------------------------------------------------------------------------------


def test_the_frame_has_a_row_a_part(result):
    table = deliver.frame(result)
    assert len(table) == sum(len(claim.parts) for claim in result.claims)
    assert set(table["part_verdict"]) <= set(VERDICTS)
    assert table["part_probability"].dropna().between(0, 1).all()


def test_files_hold_the_same_verdicts_in_every_form(result, tmp_path):
    paths = deliver.write_audit(result, tmp_path)
    told = json.loads((tmp_path / "claims.json").read_text(encoding="utf-8"))
    table = pd.read_csv(tmp_path / "claims.csv")
    page = (tmp_path / "claims.html").read_text(encoding="utf-8")
    text = (tmp_path / "claims.md").read_text(encoding="utf-8")
    assert [path.name for path in paths] == list(deliver.FILES)
    for claim in told["claims"]:
        assert set(table.loc[table["id"] == claim["id"], "verdict"]) == {claim["verdict"]}
        assert f'<tr class="{claim["verdict"]}"><th scope="row">{claim["id"]}</th>' in page
        (row,) = [line for line in text.splitlines() if line.startswith(f"| {claim['id']} |")]
        assert f"**{claim['verdict']}**" in row
    assert told["counts"] == result.counts()
    assert set(told["data"]) == {"daily", "facts", "notes"}


def test_a_claim_in_angle_brackets_and_pipes_stays_text():
    table = made(tail("a | b <i>", 10.0))
    claim = replace(table.claims[0], claim="<script>x</script> [bold]y[/bold]")
    found = audit(replace(table, claims=(claim,)), Sources(Library()))
    assert "<script>" not in deliver.html(found)
    assert "[bold]y" in _screen(found)
    assert all(line.count(" | ") == 5 for line in deliver.markdown(found).splitlines()[2:])


def _screen(result):
    from rich.console import Console

    console = Console(width=200, highlight=False)
    with console.capture() as said:
        console.print(*deliver.lines(result, every=True), sep="\n")
    return said.get()


def test_the_screen_shows_every_claim_and_the_commands_that_would_tell_more(result):
    said = _screen(result)
    assert all(f" {name} " in said for name in CLAIMS)
    assert "attribution fit --model bvar" in said
    assert "attribution fit --model event" in said
    assert f"{len(CLAIMS)} claims: " in said


# ---- the command --------------------------------------------------------------------------------

TABLE = """
schema = 1
kind = "audit"
title = "Mine"
[[claims]]
id = "M1"
claim = "Ten times rarer."
quantity = "ratio"
[[claims.parts]]
name = "ratio"
test = "tail_ratio"
with.figure = "A04"
with.against = 3.0
with.times = 10.0
"""


@pytest.fixture
def verb(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text(TABLE, encoding="utf-8")
    app = typer.Typer()
    app.command()(claims)
    return lambda *words: CliRunner().invoke(app, [*map(str, words)])


def test_the_verb_prints_json_and_writes_files(verb, tmp_path):
    left = verb("--table", "mine.toml", "--json", "--out", "found")
    assert left.exit_code == 0, left.output
    assert json.loads(left.stdout)["claims"][0]["verdict"] == "fails"
    assert (tmp_path / "found" / "claims.md").is_file()


@pytest.fixture
def saved(tmp_path, var_run):
    """Save a run that bears the name of bvar, and whose manifest says what a test wants."""

    def save(folder="bvar", **said):
        spec = read_model("bvar")
        windows = {w.name: f"{w.start} to {w.end}" for w in spec.event.windows}
        day = pd.DatetimeIndex(["2026-02-05"])
        parts = np.full((8, 1, 1), -2.0) + np.arange(8)[:, None, None] / 100
        run = var_run({"crash": (day, parts, np.zeros((8, 1)))}, ("factor",))
        run.manifest.update(
            {"seed": 1, "versions": {}, "diagnostics": {}, "settings": {"windows": windows}},
            digests={"model": digest_of(spec)},
        )
        run.manifest.update(said)
        save_run(run, tmp_path / "runs" / folder)

    part = 'test = "largest"\nwith.run = "bvar"\nwith.window = "crash"\nwith.channel = "factor"\n'
    (tmp_path / "mine.toml").write_text(TABLE[: TABLE.index("test =")] + part, encoding="utf-8")
    return save


def test_the_verb_finds_runs_by_the_name_of_their_model(verb, saved):
    for folder in ("bvar", "another"):
        saved(folder)
    left = verb("--table", "mine.toml", "--json")
    told = json.loads(left.stdout)
    assert told["claims"][0]["verdict"] == "holds"
    assert told["left_out"] == [] and set(told["runs"]) == {"bvar"}
    twice = verb("runs/bvar", "runs/another", "--table", "mine.toml")
    assert isinstance(twice.exception, SpecError)
    assert "both runs of 'bvar'" in str(twice.exception)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            {"digests": {"model": "0" * 64}},
            r"model is not the shipped 'bvar' \(digest 0{12}, shipped",
        ),
        ({"digests": {"model": digest_of(read_model("var"))}}, "model is not the shipped 'bvar'"),
        ({"digests": {}}, r"not the shipped 'bvar' \(digest missing, shipped"),
        (
            {"settings": {"windows": {"event": "2025-10-10 to 2025-10-13"}}},
            "fitted to another event than that of the shipped 'bvar'",
        ),
        ({"settings": {"windows": {"crash": "2025-10-10 to 2025-10-10"}}}, "to another event"),
        (
            {"findings": [{"name": "rival ../mine.toml", "verdict": "holds", "evidence": ""}]},
            "the rival that it holds is not shipped",
        ),
    ],
)
def test_a_run_that_is_not_of_the_shipped_model_is_no_evidence_and_it_is_said(
    verb, saved, said, why
):
    saved(**said)
    left = verb("--table", "mine.toml", "--json")
    assert left.exit_code == 0, left.output
    told = json.loads(left.stdout)
    (sentence,) = told["left_out"]
    assert re.search(rf"run 'runs/bvar' is left out: .*{why}.*fit it again: ", sentence)
    assert told["claims"][0]["verdict"] == "untestable" and told["runs"] == {}
    assert sentence.endswith("fit it again: attribution fit --model bvar")
    assert sentence in left.stderr and "\n" not in sentence
    if "findings" not in said:
        assert told["claims"][0]["parts"][0]["evidence"] == sentence
    shown = " ".join(verb("--table", "mine.toml").stdout.split())
    assert sentence in shown


def test_a_run_of_a_user_s_own_model_answers_a_user_s_own_table(verb, saved, tmp_path):
    saved("mine", model="mine", digests={"model": "0" * 64})
    text = (tmp_path / "mine.toml").read_text(encoding="utf-8").replace('"bvar"', '"mine"')
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    told = json.loads(verb("--table", "mine.toml", "--json").stdout)
    assert told["claims"][0]["verdict"] == "holds" and told["left_out"] == []


@pytest.mark.parametrize(
    ("words", "kind", "message"),
    [
        (("--table", "esay"), SpecError, "nearest: 'essay'"),
        (("nowhere",), DataError, "holds no manifest"),
        (("--out", "mine.toml"), SpecError, "is a file"),
        (("--data", "nowhere", "--table", "mine.toml"), DataError, "no such file or folder"),
    ],
)
def test_the_verb_refuses_in_one_sentence(verb, words, kind, message):
    left = verb(*words)
    assert isinstance(left.exception, kind)
    assert message in str(left.exception)
    assert "\n" not in str(left.exception)


def test_the_shipped_table_ships_with_the_models():
    assert (content("models") / "claims" / "essay.toml").is_file()
