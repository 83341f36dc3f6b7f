"""What the shipped models must satisfy: reasons, sources, untouched tests, names that resolve."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from attribution.content import content
from attribution.core.rotations.separation import INTERIOR, cone_rows, slack
from attribution.model import model_names, read_model
from attribution.model.spec import ModelSpec
from attribution.panel.catalogue import find_data

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = [read_model(name) for name in model_names()]
MODELS = [spec for spec in SHIPPED if isinstance(spec, ModelSpec)]
TABLED = [spec for spec in MODELS if spec.identification is not None]


def ids(spec):
    return spec.name


@pytest.mark.parametrize("spec", MODELS, ids=ids)
def test_every_shipped_model_speaks_of_one_event(spec):
    assert spec.title
    assert spec.event == MODELS[0].event
    assert spec.sample == MODELS[0].sample


@pytest.mark.parametrize("spec", TABLED, ids=ids)
def test_every_cell_has_a_reason_and_a_source(spec):
    for cell in spec.identification.cells:
        assert len(cell.reason.split()) >= 2, f"{cell.variable}, {cell.channel}"
        assert cell.source.strip(), f"{cell.variable}, {cell.channel}"


@pytest.mark.parametrize("spec", TABLED, ids=ids)
def test_every_channel_is_restricted_somewhere(spec):
    assert all(spec.identification.cells_of(name) for name in spec.channels)


@pytest.mark.parametrize("spec", MODELS, ids=ids)
def test_no_restriction_touches_a_test_series(spec):
    assert spec.system.tests
    cells = spec.identification.cells if spec.identification else ()
    assert not {cell.variable for cell in cells} & set(spec.system.tests)
    assert not set(spec.predetermined) & set(spec.system.tests)


def test_the_puzzle_and_the_basis_are_tests_in_every_model():
    for spec in MODELS:
        assert {"ibit_net_creation", "cme_basis_bp_change"} <= set(spec.system.tests)


@pytest.mark.parametrize("spec", MODELS, ids=ids)
def test_every_column_is_defined_in_the_card(spec):
    card, _ = find_data(spec.sample.panel)
    assert set(spec.columns) <= set(card.columns)
    assert all(card.known_before(card.columns[name]) for name in spec.predetermined)


@pytest.mark.parametrize("spec", MODELS, ids=ids)
def test_the_event_is_left_out_of_estimation(spec):
    first, last = spec.event.hold_out
    assert first <= spec.event.start <= spec.event.end <= last


@pytest.mark.parametrize("spec", TABLED, ids=ids)
def test_the_cells_of_every_channel_can_hold_together(spec):
    table, names = spec.identification, (*spec.system.variables, *spec.system.auxiliary)
    outcome = names.index(spec.event.outcome)
    for channel in spec.channels:
        cells = [
            (names.index(cell.variable), cell.low, cell.high)
            for cell in table.cells_of(channel)
            if cell.variable in names
        ]
        rows = cone_rows(cells, variables=len(names), outcome=outcome, direction=table.direction)
        assert slack(rows) > INTERIOR, channel


@pytest.mark.slow
def test_an_installed_wheel_holds_its_models_and_data(tmp_path):
    """Build, unpack and read from another folder: no checkout is in sight."""
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-cache-dir"),
            *("-w", str(tmp_path), str(ROOT)),
        ],
        check=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    listing = zipfile.ZipFile(wheel).namelist()
    for kind in ("models", "data"):
        here = content(kind)
        shipped = {
            name.removeprefix(f"attribution/_content/{kind}/")
            for name in listing
            if name.startswith(f"attribution/_content/{kind}/")
        }
        tracked = {str(path.relative_to(here)) for path in here.rglob("*") if path.is_file()}
        assert tracked == shipped, f"files of {kind}/ that git ignores are left out"
    assert not [name for name in listing if re.match(r"(tests|docs|models|data)/", name)]
    unpacked = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(unpacked)
    code = (
        f"import sys; sys.path.insert(0, {str(unpacked)!r})\n"
        "import attribution\n"
        "from attribution.model import read_model\n"
        f"assert attribution.__file__.startswith({str(unpacked)!r})\n"
        "print(read_model('bvar').path)"
    )
    said = subprocess.run(
        [sys.executable, "-I", "-c", code], check=True, capture_output=True, text=True, cwd=tmp_path
    )
    assert said.stdout.strip() == str(unpacked / "attribution/_content/models/bvar.toml")
