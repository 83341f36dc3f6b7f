"""Rows in any order give the same numbers, whichever kind reads them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attribution.errors import AttributionError
from attribution.fit import Settings, fit
from attribution.model import model_from
from attribution.panel import panel_of, read_evidence
from attribution.report.run_tables import tables
from attribution.runs import study_tables

ROWS = 120
DAYS = pd.bdate_range("2022-01-03", periods=ROWS, name="date")
HEAD = 'schema = 1\ntitle = "t"\nkind = "{kind}"\n'
EVENT = """
[event]
outcome = "y"
[[event.windows]]
name = "w"
start = 2022-06-06
end = 2022-06-10
"""
SPAN = "[sample]\nstart = 2022-01-03\nend = 2022-06-17\n"
MODELS = {
    "svar": SPAN
    + EVENT.replace("[event]", '[event]\nname = "e"')
    + '[system]\nvariables = ["x", "y"]\nlags = 1\n[identification]\nscheme = "recursive"\n',
    "iv": """
methods = ["2sls"]
[sample]
[errors]
covariance = "kernel"
bandwidth = 3
[[equations]]
name = "e"
outcome = "y"
endogenous = ["x"]
instruments = ["z"]
lagged = { y = 1 }
reason = "r"
""",
    "projection": """
[sample]
[event]
outcome = "y"
[projection]
variables = ["x", "y"]
impulse = "x"
lags = 1
horizons = 2
""",
    "fama_macbeth": """
[sample]
[assets]
columns = ["a0", "a1", "a2", "a3", "a4"]
[[factors]]
name = "market"
column = "x"
[exposures]
window = 60
least = 50
[average]
lags = 5
""",
    "counterfactual": SPAN
    + EVENT
    + """
[counterfactual]
form = "level"
pre = [2022-01-03, 2022-06-03]
[controls]
columns = ["x"]
""",
}


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=ROWS), np.zeros(ROWS)
    for t in range(1, ROWS):
        y[t] = 0.6 * y[t - 1] + 0.5 * x[t] + 0.3 * rng.normal()
    found = {"x": x, "y": y, "z": x + 0.5 * rng.normal(size=ROWS)}
    for i in range(5):
        found[f"a{i}"] = x * (0.4 + 0.3 * i) + 0.2 * rng.normal(size=ROWS)
    return pd.DataFrame(found, DAYS)


def numbers(kind, data):
    text = HEAD.format(kind=kind) + MODELS[kind]
    draws = {"svar": 800, "counterfactual": 160}.get(kind, 400)
    run = fit(model_from(text, "m"), data=data, settings=Settings(draws=draws, seed=2))
    found = tables(run) if kind == "svar" else study_tables(run.tree)
    return {name: table.select_dtypes("number") for name, table in found.items()}


ORDERS = {
    "newest first": lambda f: f.iloc[::-1],
    "shuffled": lambda f: f.sample(frac=1.0, random_state=1),
}


@pytest.mark.parametrize("kind", MODELS)
def test_the_order_of_rows_says_nothing(frame, kind):
    expected = numbers(kind, frame)
    for order in ORDERS:
        found = numbers(kind, ORDERS[order](frame))
        for name, table in expected.items():
            assert found[name].equals(table), (order, name)


def test_the_order_of_rows_says_nothing_to_a_panel():
    rng = np.random.default_rng(5)
    index = pd.MultiIndex.from_product([["a", "b", "c", "d"], DAYS], names=["firm", "day"])
    long = pd.DataFrame(
        {"flow": rng.normal(size=len(index)), "x": rng.normal(size=len(index))}, index
    )
    text = HEAD.format(kind="panel") + """
[sample]
[outcome]
column = "flow"
lags = 1
[[regressors]]
name = "x"
column = "x"
lag = 1
"""  # fmt: skip
    spec = model_from(text, "m")
    one, other = (
        study_tables(fit(spec, data=data).tree)
        for data in (long, long.sample(frac=1.0, random_state=1))
    )
    for name, table in one.items():
        pd.testing.assert_frame_equal(table, other[name])


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(order=st.permutations(range(ROWS)), gone=st.sets(st.integers(0, ROWS - 1), max_size=4))
def test_whatever_rows_are_there_are_read_alike_in_any_order(frame, order, gone):
    """Equal or refused alike, never different."""
    kept = [row for row in order if row not in gone]
    outcomes = []
    for rows in (kept, sorted(kept)):
        part = frame.iloc[rows]
        for kind, read in (("svar", lambda s, f: panel_of(f, s).values), ("iv", _rows)):
            try:
                outcomes.append(read(model_from(HEAD.format(kind=kind) + MODELS[kind], "m"), part))
            except AttributionError as error:
                outcomes.append(str(error))
    for one, other in zip(outcomes[:2], outcomes[2:], strict=True):
        assert one.equals(other) if isinstance(one, pd.DataFrame) else one == other


def _rows(spec, frame):
    return read_evidence(spec, frame).rows
