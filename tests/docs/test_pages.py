"""The pages say what the program does: examples run, tables list what the code accepts."""

import json
import re
import subprocess
from dataclasses import fields

import pytest

import attribution
from attribution.cli.door import ARITHMETIC, FAULT, INPUT, INTERRUPTED, MACHINE, NO_READER
from attribution.errors import AttributionError
from attribution.model import read_model
from attribution.model.asked import ANY, asked_of
from attribution.model.kinds import STUDIES, VARS
from attribution.model.read import model_from
from attribution.model.restriction import CLAIMS, READINGS
from attribution.model.scheme import LAWS, SCHEMES
from attribution.model.study import ALWAYS
from attribution.panel.card import TRANSFORMS, read_card
from attribution.panel.read import read_panel
from attribution.posterior import AdditivityError
from attribution.studies.event.question import DayBars


def page(docs, name):
    return (docs / name).read_text(encoding="utf-8")


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def test_the_worked_example_reads(docs, tmp_path, monkeypatch):
    text = page(docs, "your-own-event.md")
    code, _ = blocks(text, "python")
    card, model, _ = blocks(text, "toml")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "your-own-event.md", "exec"), {})
    (tmp_path / "oil.toml").write_text(card, encoding="utf-8")
    (tmp_path / "oil_model.toml").write_text(model, encoding="utf-8")
    spec = read_model("oil_model.toml")
    panel = read_panel(spec, tmp_path)
    assert tuple(panel.values) == spec.system.variables
    assert panel.values.notna().all().all()
    assert set(panel.units.values()) == {"log points"}


def test_a_data_frame_of_ones_own_is_read(docs, tmp_path):
    text = page(docs, "your-own-event.md")
    found = {}
    exec(compile(blocks(text, "python")[1], "your-own-event.md", "exec"), found)
    assert len(found["panel"].values) == 240
    assert found["panel"].units == {"output": "percent", "prices": "percent"}
    card = tmp_path / "macro.toml"
    card.write_text(blocks(text, "toml")[2], encoding="utf-8")
    assert read_card(card).columns["output_growth"].unit == "log points"


def test_the_grammar_page_shows_every_scheme(docs):
    shown = [model_from(block) for block in blocks(page(docs, "model-files.md"), "toml")]
    assert {spec.scheme.name for spec in shown} == set(SCHEMES)


def test_the_quickstart_runs(docs, capsys):
    (code,) = blocks(page(docs, "quickstart.md"), "python")
    exec(compile(code, "quickstart.md", "exec"), {})
    assert "basis_unwind" in capsys.readouterr().out


def whole(docs, pages, name):
    """A page with the tables of keys that the build writes into it."""
    made = pages.key_pages()
    include = re.compile(r"^```\{include\} _generated/(keys-[\w-]+\.md)\n```$", flags=re.M)
    return include.sub(lambda found: made[found[1]], page(docs, name))


def test_the_grammar_page_names_every_key(docs, pages):
    text = whole(docs, pages, "model-files.md")
    keys = {name for node in asked_of("svar").values() for name in node.keys} - {ANY}
    words = (*VARS, *CLAIMS, *SCHEMES, *LAWS, *READINGS)
    spelt = re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", text)))
    assert sorted({*keys, *words} - set(spelt)) == []


@pytest.mark.parametrize("kind", STUDIES)
def test_the_page_of_studies_lists_every_key_of_a_kind(docs, pages, kind):
    text = whole(docs, pages, "studies.md")
    part = text[text.index(f"\n## `{kind}`\n") :].split("\n## ", 2)[1]
    for place, node in asked_of(kind).items():
        for name in node.keys:
            key = ".".join((*place, name))
            shared = key.partition(".")[0] in ALWAYS
            law = place and f"| `{'.'.join(place)}` |" in part and f"`{name}`" in part
            assert shared or law or f"| `{key}` |" in part, key


def test_every_generated_table_of_keys_stands_on_a_page(docs, pages):
    texts = page(docs, "model-files.md") + page(docs, "studies.md")
    assert [name for name in pages.key_pages() if f"_generated/{name}\n" not in texts] == []


def test_the_data_page_names_every_transform(docs):
    text = page(docs, "data.md")
    assert [name for name in TRANSFORMS if f"`{name}`" not in text] == []


def test_the_page_of_checks_lists_every_exit_code(docs):
    listed = {
        int(code) for code in re.findall(r"^\| (\d+) \|", page(docs, "checks.md"), flags=re.M)
    }
    assert AdditivityError in AttributionError.__subclasses__()
    codes = {kind.exit_code for kind in AttributionError.__subclasses__()}
    assert listed == {0, *codes, INPUT, MACHINE, ARITHMETIC, FAULT, INTERRUPTED, NO_READER}


def test_the_changelog_knows_the_version(docs):
    assert f"## {attribution.__version__}" in page(docs, "changelog.md")


def test_the_identification_page_holds_every_cell_with_its_source(pages):
    text = pages.identification_page()
    table = read_model("bvar").identification
    for cell in table.cells:
        assert f"| `{cell.channel}` | {cell.claim} | {cell.reason} | {cell.source} |" in text
    assert text.count("\n| `") == len(table.cells) + len(table.channels)


def test_a_measurement_that_lacks_a_column_is_refused(measured, tmp_path):
    path = tmp_path / "performance.json"
    assert "No measurement" in measured.table_of(path, measured.run_times)
    path.write_text('{"machine": "m", "rows": [{"task": "t", "seconds": 1}]}', encoding="utf-8")
    with pytest.raises(
        measured.StaleMeasurement, match=r"performance\.json: lacks 'note'; measure"
    ):
        measured.table_of(path, measured.run_times)


def test_every_saved_measurement_makes_its_table(measured, docs):
    for name, write in (
        ("performance", measured.run_times),
        ("engine", measured.engine_rates),
        ("calibration", measured.calibration),
        ("calibration", measured.coverage),
    ):
        path = docs / "results" / f"{name}.json"
        assert path.is_file(), name
        text = measured.table_of(path, write)
        assert text.count("\n| ") >= 2, name


def test_the_stored_calibration_holds_for_every_design(docs):
    saved = json.loads((docs / "results" / "calibration.json").read_text(encoding="utf-8"))
    assert {name for name, d in saved["designs"].items() if not d["holds"]} == set()
    enough = dict.fromkeys(saved["designs"], 500) | {"event": 200}  # a fit a world is slow there
    assert all(d["replications"] >= enough[name] for name, d in saved["designs"].items())


def test_the_site_and_the_formulas_ask_no_other_host(docs):
    for source in docs.glob("*.py"):
        assert "http" not in source.read_text(encoding="utf-8").replace("https://doi.org/", "")


def test_every_page_is_in_the_contents(docs):
    text = page(docs, "index.md")
    listed = {
        name
        for block in re.findall(r"```\{toctree\}(.*?)```", text, re.S)
        for name in block.split()
    }
    assert {path.stem for path in docs.glob("*.md")} - {"index"} <= listed


def test_the_keys_of_bars_and_the_example_of_steps_are_those_of_the_code(docs):
    text = page(docs, "studies.md")
    (toml,) = [block for block in blocks(text, "toml") if "[event.bars]" in block]
    assert re.findall(r"^(\w+) = ", toml, flags=re.MULTILINE) == [f.name for f in fields(DayBars)]
    (code,) = [block for block in blocks(text, "python") if "PathFlows" in block]
    exec(compile(code, "studies.md", "exec"), {})


def test_the_glossary_is_one_table_and_every_row_has_its_four_cells(docs):
    lines = page(docs, "glossary.md").splitlines()
    rows = [n for n, line in enumerate(lines) if line.startswith("|")]
    assert rows == list(range(rows[0], rows[-1] + 1))  # a line between two rows ends a table
    cells = [re.split(r"(?<!\\)\|", lines[n])[1:-1] for n in rows]
    assert {len(row) for row in cells} == {4}
    assert all(cell.strip() for row in cells for cell in row)
    names = [row[0].strip() for row in cells]
    assert len(set(names)) == len(names)


def test_each_example_difference_of_the_guide_applies_to_this_tree(docs):
    text = (docs.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    diffs = blocks(text, "diff")
    counts = [int(n) for n in re.findall(r"^Files touched: (\d+)\.$", text, flags=re.M)]
    assert [diff.count("diff --git") for diff in diffs] == counts
    for diff in diffs:
        done = subprocess.run(
            ["git", "apply", "--check", "-"], cwd=docs.parent, input=diff, text=True,
            capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
