"""Data and saved runs of known content, to hold claims against."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from attribution.audit.run import audit
from attribution.audit.sources import Library, Sources
from attribution.model.audit import read_audit
from attribution.runs.run import Run

DAYS = pd.bdate_range("2025-01-01", periods=400)
FACTS = {
    "z": ("3.5", "z", "a score"),
    "bound": (">10", "USD bn", "a volume"),
    "range": ("38 to 39", "USD", "a level"),
    "turned": ("71000 to 64000", "USD", "a range"),
    "words": ("worst day since April", "", "a fund's day"),
    "near": ("104", "USD", "a price"),
    "far": ("150", "USD", "a price"),
    "none": ("0", "USD", "a price"),
    "flow": (">230", "USD m", "a flow"),
    "shares": ("6.0", "m shares", "shares created"),
    "total": (">530", "USD m", "notes"),
}


@pytest.fixture(scope="session")
def essay():
    return read_audit("essay")


@pytest.fixture(scope="session")
def result(essay):
    """Audit the essay against the shipped data, without a run."""
    return audit(essay, Sources(Library()))


@pytest.fixture
def facts():
    rows = {
        key: {"value": v, "unit": u, "quantity": q, "source_title": "a page"}
        for key, (v, u, q) in FACTS.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


@pytest.fixture
def sources(facts):
    """Hold claims against columns of a data set named daily."""

    def made(columns, *, index=DAYS, runs=None, seed=1, **frames):
        daily = pd.DataFrame(columns, index=pd.DatetimeIndex(index, name="time"))
        return Sources({"daily": daily, "facts": facts, **frames}, runs or {}, seed)

    return made


@pytest.fixture
def var_run():
    """Save a run of given contributions: window -> (days, (sample, day, channel), baseline)."""

    def made(windows, channels, *, weight=None, findings=()):
        first = next(iter(windows.values()))[1]
        size = len(first)
        weight = np.ones(size) if weight is None else np.asarray(weight, float)
        groups = {
            "/posterior": xr.Dataset(
                {
                    "contribution": (
                        ("chain", "draw", "window", "channel"),
                        np.stack([parts.sum(1) for _, parts, _ in windows.values()], 1)[None],
                    )
                },
                {"window": list(windows), "channel": list(channels)},
            ),
            "/weights": xr.Dataset({"weight": (("chain", "draw"), weight[None])}),
        }
        for name, (days, parts, baseline) in windows.items():
            observed = parts.mean(0).sum(-1) + baseline.mean(0)
            groups[f"/windows/{name}"] = xr.Dataset(
                {
                    "contribution": (("chain", "draw", "time", "channel"), parts[None]),
                    "baseline": (("chain", "draw", "time"), baseline[None]),
                    "observed": ("time", observed),
                },
                {"time": pd.DatetimeIndex(days), "channel": list(channels)},
            )
        tree = xr.DataTree.from_dict(groups)
        tree.attrs = {"model": "bvar", "outcome": "btc_return", "outcome_unit": "log points"}
        return Run(tree, {"model": "bvar", "findings": list(findings)})

    return made
