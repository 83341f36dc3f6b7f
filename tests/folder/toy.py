"""A small run whose parts add up, day by day and over its window, and programs that use it."""

import numpy as np
import pandas as pd
import xarray as xr

from attribution.runs.run import Run

DRAWS = ("chain", "draw")


def toy(name="toy", *, shape=(2, 40), days=3, levels=False):
    """Contributions of two channels and a rest to the fall of three days."""
    rng = np.random.default_rng(len(name) + ord(name[0]))
    time = pd.date_range("2026-02-04", periods=days, name="time")
    seen = rng.normal(-5.0, 1.0, days) + 900.0 * levels
    parts = rng.normal(-2.0, 1.0, (*shape, days, 3))
    base = rng.normal(0.0, 0.1, (*shape, days)) + 900.0 * levels
    parts[..., -1] += seen - base - parts.sum(-1)
    eve = {"eve": 900.5} if levels else {}
    move = (parts[..., -1, :], base[..., -1] - 900.5) if levels else (parts.sum(2), base.sum(2))
    channel = {"channel": ["hedging", "news", "unattributed"]}
    tree = xr.DataTree.from_dict(
        {
            "/posterior": xr.Dataset(
                {
                    "contribution": ((*DRAWS, "window", "channel"), move[0][:, :, None]),
                    "baseline": ((*DRAWS, "window"), move[1][:, :, None]),
                },
                {"window": ["crash"], **channel},
            ),
            "/windows/crash": xr.Dataset(
                {
                    **eve,
                    "contribution": ((*DRAWS, "time", "channel"), parts),
                    "baseline": ((*DRAWS, "time"), base),
                    "observed": ("time", seen),
                },
                {"time": time, **channel},
            ),
            "/weights": xr.Dataset({"weight": (DRAWS, np.ones(shape))}),
        }
    )
    tree.attrs = {
        "model": name, "title": "t", "event": "a fall", "estimand": "S",
        "outcome": "btc_return", "outcome_unit": "log points",
    }  # fmt: skip
    manifest = {
        "model": name, "title": "t", "event": "a fall", "seed": 1,
        "digests": {"model": "m", "data": "d"}, "versions": {"attribution": "0"},
        "diagnostics": {"max_rhat": 1.0},
        "findings": [{"name": "f", "question": "?", "evidence": "e", "verdict": "fails"}],
    }  # fmt: skip
    return Run(tree, manifest)


def first(run):
    """One number that tells two runs apart."""
    return float(run.tree["posterior/contribution"][0, 0, 0, 0])
