"""Every work that a model file or a docstring names is in refs.bib, under one key."""

import ast
import re
from pathlib import Path

from attribution.content import content

PACKAGE = Path(__file__).resolve().parents[2] / "attribution"
KEY = re.compile(r"\b[a-z]{2,}(?:19|20)\d\d\b")


def docstrings(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, kinds) and (text := ast.get_docstring(node)):
            yield text


def keys_in_docstrings():
    """Keys under References, and keys in square brackets in running text."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        for text in docstrings(path):
            section = re.search(r"^References\n-+\n(.*)", text, flags=re.MULTILINE | re.DOTALL)
            named = set(KEY.findall(section[1])) if section else set()
            named |= {
                key for group in re.findall(r"\[([^\]]*)\]", text) for key in KEY.findall(group)
            }
            for key in named:
                found.setdefault(key, set()).add(path.relative_to(PACKAGE).as_posix())
    return found


def keys_in_models():
    found = {}
    for path in content("models").rglob("*.toml"):
        for key in KEY.findall(path.read_text(encoding="utf-8")):
            found.setdefault(key, set()).add(path.name)
    return found


def test_every_key_in_a_model_file_is_in_the_bibliography(pages):
    assert {k: v for k, v in keys_in_models().items() if k not in pages.references()} == {}


def test_every_key_in_a_docstring_is_in_the_bibliography(pages):
    found = keys_in_docstrings()
    assert found, "docstrings name their sources"
    assert {k: v for k, v in found.items() if k not in pages.references()} == {}


def test_every_key_cited_by_the_paper_is_in_the_bibliography(pages, docs):
    cited = KEY.findall((docs / "paper" / "paper.typ").read_text(encoding="utf-8"))
    assert cited
    assert set(cited) <= set(pages.references())


def test_every_entry_is_complete_and_its_key_holds_its_year(pages):
    entries = pages.references()
    for key, entry in entries.items():
        assert {"author", "title", "year"} <= set(entry), key
        assert entry["year"] == key[-4:], key
        assert {"journal", "publisher", "note"} & set(entry), key
        assert not re.search(r"[\\{}]", "".join(entry.values())), f"{key}: an accent is left over"


def test_no_work_has_two_keys(pages):
    titles = [entry["title"].lower() for entry in pages.references().values()]
    assert len(set(titles)) == len(titles)
