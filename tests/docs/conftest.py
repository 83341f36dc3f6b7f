"""The module that writes the generated pages, loaded from docs/ as the build loads it."""

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def docs():
    return ROOT / "docs"


def loaded(path):
    spec = importlib.util.spec_from_file_location(f"docs_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def pages(docs):
    return loaded(docs / "pages.py")


@pytest.fixture(scope="session")
def measured(docs):
    return loaded(docs / "measured.py")


def row(mean, **more):
    return {"mean": mean, "q05": mean - 1, "q95": mean + 1, **more}


@pytest.fixture
def results():
    """Numbers that no run has produced: these tests need a complete file, not a true one."""
    rows = {
        "one_channel": row(-7.25, p_negative=0.875, p_largest=0.625, grade="model-based"),
        "other_channel": row(-3.5, p_negative=0.5, p_largest=0.25, grade="prior-driven"),
        "unattributed": row(-1.75, p_negative=0.75, p_largest=0.125),
        "baseline": row(0.25),
    }
    means = {"crash": {name: {"mean": rows[name]["mean"]} for name in rows if "channel" in name}}
    return {
        "model": "bvar",
        "event": "an event that never was",
        "windows": {
            "crash": {"observed": -12.25, "rows": rows},
            "round-trip": {"observed": 1.0, "rows": rows},
        },
        "findings": [
            {"name": "first", "question": "Is it so?", "evidence": "It is.", "verdict": "holds"},
            {"name": "second_one", "question": "And?", "evidence": "No.", "verdict": "undecided"},
        ],
        "diagnostics": {
            "max_rhat": 1.0042,
            "min_ess_bulk": 777.7,
            "divergences": 0,
            "draws": 50,
            "chains": 2,
        },
        "manifest": {"model_digest": "a" * 64, "data_digest": "b" * 64, "seed": 9, "version": "0"},
        "event_in": {"out": means, "scale": means, "in": means},
        "companions": {"other": {"windows": {"crash": {"observed": -12.25, "rows": rows}}}},
        "frozen_commit": "c" * 40,
    }
