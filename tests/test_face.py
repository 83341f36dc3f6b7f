"""The face of the package: its names, where they live, and a door that opens before the house."""

import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import attribution

ROOT = Path(__file__).resolve().parents[1]
BEFORE = {
    *("AttributionError", "DataError", "DiagnosticsError", "EventError", "IdentificationError"),
    *("ModelSpec", "Panel", "Settings", "SpecError", "__version__"),
    *("decompose", "fit", "historical_decomposition", "load_run", "long_run_shares"),
    *("model_from", "panel_of", "read_frame", "read_model", "read_panel"),
    *("structural_of", "variance_shares"),
}
"""Names of the first version."""
PUBLIC = BEFORE | {
    *("Decomposition", "Finding", "History", "PathFlows", "Run", "StructuralPosterior"),
    *("StudySpec", "Window", "allocate", "data_sets", "fit_with_rival", "implied_shock"),
    *("linear_impact", "mechanics", "model_names", "stepped", "study_tables", "switched_off"),
    *("window_table", "with_event"),
}
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


def said_by(code):
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120
    )
    return done.stdout.strip()


def test_the_public_names_are_these():
    assert attribution.__all__ == sorted(attribution.__all__)
    assert set(attribution.__all__) == PUBLIC
    assert set(dir(attribution)) >= PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC - {"__version__"}))
def test_every_public_name_is_the_one_at_its_home(name):
    found = getattr(attribution, name)
    if isinstance(found, ModuleType):
        assert found.__name__ == f"attribution.{name}"
        return
    assert callable(found)
    assert found is getattr(import_module(found.__module__), found.__name__)
    assert found.__doc__


def test_a_name_that_is_not_there_is_missed():
    with pytest.raises(AttributeError, match="module 'attribution' has no attribute 'fits'"):
        _ = attribution.fits
    with pytest.raises(AttributeError, match=r"attribution\.mechanics' has no attribute 'gamm'"):
        _ = attribution.mechanics.gamm


def test_opening_the_door_loads_no_table_and_no_sampler():
    code = (
        "import sys, attribution as at\n"
        "heavy = {'pandas', 'numpy', 'pymc', 'numba', 'xarray', 'arviz'} & set(sys.modules)\n"
        "at.SpecError, at.__version__, dir(at)\n"
        "print(heavy, {'pandas', 'numpy'} & set(sys.modules))"
    )
    assert said_by(code) == "set() set()"


@pytest.mark.parametrize(
    "first", ["import attribution.decompose", "from attribution.decompose import decompose", "pass"]
)
def test_a_function_wins_over_the_module_of_its_name(first):
    code = (
        f"{first}\nimport attribution as at\nfrom attribution import decompose\n"
        "import attribution.decompose\n"
        "print(callable(at.decompose), decompose is at.decompose)"
    )
    assert said_by(code) == "True True"


def used(text):
    """Names that the Python blocks of a page take from the package."""
    found = set()
    for block in re.findall(r"^```(?:python|pycon)\n(.*?)^```", text, re.M | re.S):
        found |= set(re.findall(r"\bat\.(\w+)", block))
        found |= set(re.findall(r"\battribution\.(\w+)", block))
        for module, names in re.findall(r"from (attribution\S*) import ([\w, ]+)", block):
            inside = module.removeprefix("attribution").lstrip(".")
            found |= {inside} if inside else set(re.split(r",\s*", names.strip()))
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_uses_public_names_alone(path):
    assert used(path.read_text(encoding="utf-8")) - PUBLIC == set()


def test_a_name_that_is_not_public_is_seen_on_a_page():
    page = "```python\nimport attribution as at\nfrom attribution.runs import x\nat.fits(1)\n```\n"
    assert used(page) - PUBLIC == {"runs", "fits"}
    assert used("```python\nfrom attribution import fit, tables\n```\n") - PUBLIC == {"tables"}


def test_every_public_name_has_its_place_on_one_page_of_the_interface():
    pages = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "docs/api").glob("*.md")))
    listed = re.findall(r"\.\. auto(?:function|class|exception):: (\w+)$", pages, re.M)
    rooms = {"allocate", "mechanics"}
    assert sorted(listed) == sorted(PUBLIC - rooms - {"__version__"})
    assert "automodule:: attribution.allocate" in pages and "_generated/mechanics.md" in pages
    first = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert PUBLIC - {"__version__"} <= set(re.findall(r"`(\w+)`", first))
    linked = re.findall(r"\]\(api/(\w+)\.md\)", first)
    assert sorted(linked) == sorted(path.stem for path in (ROOT / "docs/api").glob("*.md"))


def test_the_distribution_has_a_name_of_its_own_and_no_page_installs_a_strangers():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["name"] == "market-attribution"
    assert project["scripts"] == {"attribution": "attribution.cli:main"}
    assert "Typing :: Typed" in project["classifiers"]
    texts = [*PAGES, *(ROOT / "attribution").rglob("*.py")]
    advice = re.compile(r"(?:install|add)\s+(?:-\S+\s+)*[\"']?attribution\b(?![/.])")
    assert [path.name for path in texts if advice.search(path.read_text(encoding="utf-8"))] == []
    assert advice.search("pip install attribution[fast]")


def test_the_citation_names_this_version():
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {attribution.__version__}\n" in text
    assert "the attribution developers" in text and "cff-version: 1.2.0" in text


DOWNSTREAM = """
import pandas as pd
from matplotlib.figure import Figure

import attribution as at

run: at.Run = at.fit("var", draws=2000, seed=1, event=("2026-02-05", "2026-02-05"), cores=2)
table: pd.DataFrame = run.summary("event")
figure: Figure = run.plot.waterfall()
again: at.Run = at.load_run("runs/var")
move: int = run.draws()
at.fit("var", drawz=2)
"""


@pytest.mark.slow
def test_a_strict_type_checker_downstream_sees_our_types(tmp_path):
    """In an environment of its own that has the package installed, and the libraries it names."""
    venv.create(tmp_path / "venv", with_pip=False)
    (folder,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    (folder / "ours.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n")
    (tmp_path / "desk.py").write_text(DOWNSTREAM, encoding="utf-8")
    python = str(tmp_path / "venv" / "bin" / "python")
    words = ["--strict", "--follow-imports=silent", "--python-executable", python, "desk.py"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-incremental", *words],
        cwd=tmp_path, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    faults = [line for line in done.stdout.splitlines() if re.match(r"desk.py:\d+: error", line)]
    assert len(faults) == 2, done.stdout + done.stderr
    assert ":11: error: Incompatible types in assignment" in faults[0]
    assert ':12: error: Unexpected keyword argument "drawz"' in faults[1]
