"""The pages say what the program does: examples run, tables list what the code accepts."""

import re
from dataclasses import fields

import pytest

import attribution
from attribution.errors import AttributionError
from attribution.model import read_model
from attribution.model.read import KINDS, TOP
from attribution.model.spec import Exposure, Minnesota, StructuralPrior, System
from attribution.model.table import CELL_KEYS
from attribution.panel.read import read_panel
from attribution.panel.spelling import TRANSFORMS
from attribution.posterior import AdditivityError


def page(docs, name):
    return (docs / name).read_text(encoding="utf-8")


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def test_the_worked_example_reads(docs, tmp_path, monkeypatch):
    text = page(docs, "your-own-event.md")
    (code,) = blocks(text, "python")
    card, model = blocks(text, "toml")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "your-own-event.md", "exec"), {})
    (tmp_path / "oil.toml").write_text(card, encoding="utf-8")
    (tmp_path / "oil_model.toml").write_text(model, encoding="utf-8")
    spec = read_model("oil_model.toml")
    panel = read_panel(spec, tmp_path)
    assert tuple(panel.values) == spec.system.variables
    assert panel.values.notna().all().all()
    assert set(panel.units.values()) == {"log points"}


def test_the_quickstart_runs(docs, capsys):
    (code,) = blocks(page(docs, "quickstart.md"), "python")
    exec(compile(code, "quickstart.md", "exec"), {})
    assert "basis_unwind" in capsys.readouterr().out


def test_the_grammar_page_names_every_key(docs, pages):
    text = page(docs, "model-files.md")
    text += pages.settings_page(Minnesota) + pages.settings_page(StructuralPrior)
    parts = (Minnesota, StructuralPrior, System, Exposure)
    keys = (*TOP, *KINDS, *CELL_KEYS, *(field.name for part in parts for field in fields(part)))
    assert [key for key in keys if f"`{key}" not in text and f"[{key}]" not in text] == []


def test_the_data_page_names_every_transform(docs):
    text = page(docs, "data.md")
    assert [name for name in TRANSFORMS if f"`{name}`" not in text] == []


def test_the_page_of_checks_lists_every_exit_code(docs):
    listed = {
        int(code) for code in re.findall(r"^\| (\d+) \|", page(docs, "checks.md"), flags=re.M)
    }
    assert AdditivityError in AttributionError.__subclasses__()
    codes = {kind.exit_code for kind in AttributionError.__subclasses__()}
    assert listed == {0, *codes}


def test_the_changelog_knows_the_version(docs):
    assert f"## {attribution.__version__}" in page(docs, "changelog.md")


def test_the_identification_page_holds_every_cell_with_its_source(pages):
    text = pages.identification_page()
    table = read_model("bvar").identification
    for cell in table.cells:
        assert f"| `{cell.channel}` | {cell.claim} | {cell.reason} | {cell.source} |" in text
    assert text.count("\n| `") == len(table.cells) + len(table.channels)


def test_a_measurement_that_lacks_a_column_is_refused(pages, tmp_path):
    path = tmp_path / "performance.json"
    assert "No measurement" in pages.performance_page(path)
    path.write_text('{"machine": "m", "rows": [{"task": "t", "seconds": 1}]}', encoding="utf-8")
    with pytest.raises(pages.PageError, match=r"performance\.json: lacks 'note'; measure again"):
        pages.performance_page(path)


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
