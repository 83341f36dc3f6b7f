"""Every kind of study: no answer depends on a unit, on where zero lies, on names or columns."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import attribution as at
from attribution.record import study_tables

DAYS = pd.bdate_range("2024-01-01", periods=160)
ENTITIES = ("f", "g", "h", "i", "j")


def span(first, last):
    return {"start": DAYS[first].date(), "end": DAYS[last].date()}


EVENT = {"name": "e", "outcome": "y", "windows": [{"name": "w", **span(-3, -1)}]}
SAMPLE = span(0, -1)
IV = {
    "name": "one",
    "outcome": "y",
    "endogenous": ["x"],
    "instruments": ["z", "v"],
    "exogenous": ["u"],
    "reason": "r",
}
PROJECTION = {"impulse": "x", "variables": ["u", "x", "y"], "lags": 2, "horizons": 3}
LEVEL = {"form": "level", "pre": [DAYS[0].date(), DAYS[-4].date()]}
KINDS = {
    "level": {"kind": "counterfactual", "counterfactual": LEVEL, "controls": {"columns": ["x", "u"]}},
    "level, spike and slab": {
        "kind": "counterfactual",
        "counterfactual": LEVEL,
        "controls": {"columns": ["x", "u"], "prior": "spike_and_slab"},
    },
    "projection": {"kind": "projection", "projection": PROJECTION},
    "projection, newey_west": {
        "kind": "projection",
        "projection": PROJECTION | {"errors": "newey_west"},
    },
    "projection, instrument": {
        "kind": "projection",
        "projection": PROJECTION,
        "instrument": {"column": "z", "reason": "r"},
    },
    "iv": {"kind": "iv", "methods": ["2sls", "liml", "gmm"], "equations": [IV]},
    "iv, unadjusted": {"kind": "iv", "errors": {"covariance": "unadjusted"}, "equations": [IV]},
    "panel": {
        "kind": "panel",
        "outcome": {"column": "y", "scale": "none", "lags": 1},
        "regressors": [{"column": "x", "entities": ["f"]}],
        "events": [{"name": "w", "days": [DAYS[150].date()], "entities": ["f"], "reason": "r"}],
        "placebo": {"column": "x", "groups": 5},
    },
    "fama_macbeth": {
        "kind": "fama_macbeth",
        "assets": {"columns": [f"r{i}" for i in range(10)], "apart": ["r0"]},
        "factors": [{"name": "one", "column": "x"}, {"name": "two", "column": "u"}],
        "exposures": {"window": 60, "least": 40},
        "average": {"lags": 2},
        "events": [{"name": "w", "day": DAYS[150].date()}],
    },
}
OUTCOMES = {"fama_macbeth": tuple(f"r{i}" for i in range(10))}
ORIGINLESS = {"fama_macbeth": OUTCOMES["fama_macbeth"]}


def asked(kind):
    base = {"schema": 1, "title": "t", "sample": SAMPLE}
    if KINDS[kind]["kind"] in ("counterfactual", "projection"):
        base["event"] = EVENT
    return at.model_from(base | KINDS[kind], name="m")


@pytest.fixture(scope="module")
def frame():
    """Rows that serve every study: an outcome, what moves it, instruments, and assets."""
    rng = np.random.default_rng(2)
    n = len(DAYS)
    u, z, v, e, own = rng.standard_normal((5, n))
    x = 0.5 * u + 0.8 * z + 0.4 * v + e
    y = 1.5 * x - 0.6 * u + own - 0.5 * e
    beta = np.column_stack([np.linspace(-1, 1, 10), np.cos(np.arange(10))])
    assets = np.column_stack([x, u]) @ beta.T + 0.5 * rng.standard_normal((n, 10))
    named = {f"r{i}": column for i, column in enumerate(assets.T)}
    return pd.DataFrame({"y": y, "x": x, "u": u, "z": z, "v": v, **named}, DAYS)


def stacked(frame):
    """Five entities on the same days, for studies of panels."""
    rng = np.random.default_rng(4)
    unit, zero = frame["y"].std(), frame["y"].mean()
    each = {}
    for name in ENTITIES:
        moved = 0.3 * (frame["y"] - zero) / unit * (name == "f") + rng.standard_normal(len(frame))
        each[name] = frame[["y", "x"]].assign(y=zero + unit * moved)
    return pd.concat(each, names=["entity", "time"])


def fitted(kind, data):
    return at.fit(asked(kind), data=stacked(data) if kind == "panel" else data, settings=at.Settings(draws=400, seed=3))


def answers(run):
    table = study_tables(run.tree)["answers"]
    return table[[c for c in ("mean", "sd", "q05", "q95", "p", "p_value", "tail_probability") if c in table]].astype(float)
