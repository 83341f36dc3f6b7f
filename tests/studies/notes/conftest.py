"""Small books of notes of known terms, and a fund that falls."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

import attribution as at
from attribution.panel import Evidence
from attribution.runs.study import Effort
from attribution.studies.notes.answer import barrier_study

DAY = date(2026, 2, 5)
FUND = {"2025-12-10": 52.0, "2026-02-03": 43.3, "2026-02-04": 41.57, "2026-02-05": 36.1}
INDEX = (40.0, 50.72, 52.91, 87.77)
MODEL = {
    "schema": 1,
    "kind": "barrier",
    "title": "a book",
    "sample": {"panel": "daily"},
    "event": {"outcome": "ibit", "volume": "ibit_volume", "day": DAY, "material": 0.1},
    "notes": {
        "records": "notes",
        "face": {"median": 800, "sd": 0.35, "source": "published"},
        "watched": {"maturity": 0.9, "close": 0.05, "continuous": 0.05, "source": "filings"},
    },
    "volatility": {
        "column": "dvol",
        "level": {"low": 40, "high": 65, "source": "a year of it"},
        "pass_through": {"median": 0.15, "sd": 0.5, "source": "two markets"},
    },
    "overlay": {
        "ratio": {"p": 1, "q": 3, "source": "an essay"},
        "strike": {"low": 0.8, "high": 1.0, "source": "an essay"},
        "tenor": {"low": 0.08, "high": 0.5, "source": "an essay"},
        "root_time": {"probability": 0.5, "source": "a coin"},
    },
    "market": {"rate": 0.04, "carry": 0.04},
}


def record(face=5e6, percent="70", kind="barrier", maturity="2027-11-18", fixed="2025-12-10"):
    """Return one note, everything stated."""
    return {
        "product": "Notes",
        "doc_date": "",
        "pricing_date": fixed,
        "maturity": maturity,
        "notional_usd": face,
        "ibit_initial": 52.0,
        "barrier_pct_of_initial": percent,
        "barrier_kind": kind,
        "autocall_or_cap": "",
    }


@pytest.fixture
def model():
    """Make a model file's table with keys of some sections changed."""

    def made(**sections):
        changed = {name: {**MODEL[name], **keys} for name, keys in sections.items()}
        return at.model_from({**MODEL, **changed}, name="book")

    return made


@pytest.fixture
def evidence():
    """Lay records beside the fund's rows."""

    def made(records, fund=None, index=INDEX):
        fund = FUND if fund is None else fund
        rows = pd.DataFrame(
            {"ibit": list(fund.values()), "ibit_volume": 2.8e8, "dvol": np.array(index, float)},
            index=pd.DatetimeIndex(list(fund), name="time"),
        )
        table = pd.DataFrame.from_dict(records, orient="index")
        units = {"ibit": "USD", "ibit_volume": "shares", "dvol": "percent a year"}
        return Evidence("daily", rows, units, "0" * 64, tables={"notes": table})

    return made


@pytest.fixture
def study(model, evidence):
    """Answer the question of a book."""

    def made(records, *, draws=400, seed=1, fund=None, index=INDEX, **sections):
        return barrier_study(model(**sections), evidence(records, fund, index), Effort(draws, seed))

    return made


def always(way):
    """Watch every barrier one way."""
    ways = dict.fromkeys(("maturity", "close", "continuous"), 0.0) | {way: 1.0}
    return {"watched": {**ways, "source": "a test"}}
