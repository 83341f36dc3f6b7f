"""The face of the package: its names, where they live, and a door that opens before the house."""

import subprocess
import sys
from importlib import import_module

import pytest

import attribution

PUBLIC = [
    *("AttributionError", "DataError", "DiagnosticsError", "EventError", "IdentificationError"),
    *("ModelSpec", "Panel", "Settings", "SpecError", "__version__"),
    *("decompose", "fit", "historical_decomposition", "load_run", "long_run_shares"),
    *("model_from", "panel_of", "read_frame", "read_model", "read_panel"),
    *("structural_of", "variance_shares"),
]


def said_by(code):
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120
    )
    return done.stdout.strip()


def test_the_public_names_are_these():
    assert attribution.__all__ == PUBLIC
    assert set(PUBLIC) <= set(dir(attribution))


@pytest.mark.parametrize("name", [name for name in PUBLIC if name != "__version__"])
def test_every_public_name_is_the_one_at_its_home(name):
    found = getattr(attribution, name)
    assert callable(found)
    assert found is getattr(import_module(found.__module__), name)


def test_a_name_that_is_not_there_is_missed():
    with pytest.raises(AttributeError, match="module 'attribution' has no attribute 'fits'"):
        _ = attribution.fits


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
