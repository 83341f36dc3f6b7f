"""Every kind of study: no answer depends on a unit, on where zero lies, on rows or columns."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import attribution as at
from attribution.errors import DataError
from attribution.runs import study_tables
from attribution.studies.counterfactual.returns import _collect, _standard
from attribution.studies.counterfactual.rows import CounterfactualRows

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
    "level": {
        "kind": "counterfactual",
        "counterfactual": LEVEL,
        "controls": {"columns": ["x", "u"]},
    },
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


def asked(kind):
    base = {"schema": 1, "title": "t", "sample": SAMPLE}
    if KINDS[kind]["kind"] in ("counterfactual", "projection"):
        base["event"] = EVENT
    return at.model_from(base | KINDS[kind], name="m")


@cache
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
    data = stacked(data) if kind == "panel" else data
    return answers(at.fit(asked(kind), data=data, settings=at.Settings(draws=400, seed=3)))


def answers(run):
    """Every number of the table of answers that has a unit, and those that have none."""
    table = study_tables(run.tree)["answers"]
    sized = [c for c in ("mean", "sd", "q05", "q95") if c in table]
    bare = [c for c in ("p", "p_value", "tail_probability") if c in table]
    return table[sized].astype(float), table[bare].astype(float)


@cache
def base(kind):
    return fitted(kind, frame())


def unit_of(kind, row, unit):
    """Unit of an answer: of the outcome, of a slope, or of the price of a factor."""
    if kind.startswith("iv"):
        return unit["y"] / unit["x"]
    if kind == "fama_macbeth":
        return {"one": unit["x"], "two": unit["u"]}.get(row.split(",")[0], 1.0)
    return unit["y"]


def assert_same(kind, found, unit, rtol=1e-8):
    (sized, bare), (own, own_bare) = found, base(kind)
    assert list(sized.index) == list(own.index)
    size = np.array([unit_of(kind, row, unit) for row in own.index])
    scale = np.nanmax(np.abs(own.to_numpy()), axis=1)
    gap = np.abs(sized.to_numpy() / size[:, None] - own.to_numpy()) / scale[:, None]
    assert (np.isnan(gap) | (gap <= rtol)).all(), f"{sized} against {own}"
    assert np.array_equal(np.isnan(sized), np.isnan(own))
    assert np.allclose(bare, own_bare, rtol=1e-6, atol=1e-9, equal_nan=True)


COLUMNS = ("y", "x", "u", "z", "v")
ONE = dict.fromkeys(COLUMNS, 1.0)
UNITS = st.fixed_dictionaries({c: st.integers(-12, 12).map(lambda e: 10.0**e) for c in COLUMNS})
OFFSETS = st.fixed_dictionaries({c: st.floats(-1e6, 1e6) for c in COLUMNS})
FEW = settings(max_examples=2, deadline=None, derandomize=True)
MANY = settings(max_examples=8, deadline=None, derandomize=True)


def rewritten(unit, zero):
    data = frame().copy()
    for column in COLUMNS:
        data[column] = data[column] * unit[column] + zero.get(column, 0.0)
    return data


@pytest.mark.parametrize("kind", KINDS)
@FEW
@given(UNITS)
def test_units_change_nothing(kind, unit):
    assert_same(kind, fitted(kind, rewritten(unit, {})), unit)


@pytest.mark.parametrize("kind", KINDS)
@FEW
@given(OFFSETS)
def test_origins_change_nothing(kind, zero):
    if kind == "panel":  # days are like the event by the size of a move, which starts at zero
        zero = zero | {"x": 0.0}
    assert_same(kind, fitted(kind, rewritten(ONE, zero)), ONE)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@MANY
@given(UNITS, OFFSETS)
def test_units_and_origins_together_change_nothing(kind, unit, zero):
    zero = {c: unit[c] * o * (kind != "panel" or c != "x") for c, o in zero.items()}
    assert_same(kind, fitted(kind, rewritten(unit, zero)), unit)


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_columns_changes_nothing(kind):
    data = frame()
    assert_same(kind, fitted(kind, data[sorted(data, reverse=True)]), ONE, 1e-12)


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "panel"])
@FEW
@given(st.randoms(use_true_random=False))
def test_rows_in_another_order_are_refused_or_change_nothing(kind, random):
    order = list(range(len(DAYS)))
    random.shuffle(order)
    try:
        found = fitted(kind, frame().iloc[order])
    except DataError:
        return
    assert_same(kind, found, ONE, 1e-10)


def rows(frame):
    """Lay a counterfactual out as its sampler sees it."""
    n = len(frame)
    return CounterfactualRows(
        labels=frame.index,
        pre=n - 3,
        outcome=frame["y"].to_numpy(),
        controls=frame[["x", "u"]].to_numpy(),
        scale=frame[["v"]].to_numpy(),
        windows={"w": np.arange(3)},
    )


@settings(max_examples=20, deadline=None, derandomize=True)
@given(UNITS, OFFSETS)
def test_returns_are_sampled_on_the_same_numbers_and_split_into_the_same_parts(unit, zero):
    """The sampler itself takes minutes: what goes in, and what is made of given draws."""
    question = at.model_from(
        {"schema": 1, "title": "t", "sample": SAMPLE, "event": EVENT}
        | {"kind": "counterfactual", "counterfactual": LEVEL | {"form": "returns"}}
        | {"controls": {"columns": ["x", "u"]}, "noise": {"scale": ["v"]}}
    ).question
    moved = rewritten(unit, {c: unit[c] * o for c, o in zero.items()})
    one, other = rows(frame()), rows(moved)
    for mine, theirs in zip(_standard(one), _standard(other), strict=True):
        assert np.allclose(mine, theirs, atol=1e-8)
    rng = np.random.default_rng(1)
    draws = {n: (("chain", "draw"), rng.random((4, 5))) for n in ("alpha", "log_scale", "tail")}
    draws |= {
        "beta": (("chain", "draw", "beta_dim_0"), rng.random((4, 5, 2))),
        "scale_slope": (("chain", "draw", "scale_slope_dim_0"), rng.random((4, 5, 1))),
    }
    stats = xr.Dataset({"diverging": (("chain", "draw"), np.zeros((4, 5), bool))})
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset(draws), "sample_stats": stats})
    mine, theirs = (_collect(question, r, tree, np.random.default_rng(2)) for r in (one, other))
    level = unit["y"] * zero["y"]
    for part, shift in (("accounted", 0.0), ("expected", level), ("predicted", level)):
        found = (getattr(theirs, part) - shift) / unit["y"]
        assert np.allclose(found, getattr(mine, part), atol=1e-7), part
