"""Every kind of system: no answer depends on a unit, on where zero lies, on names or columns.

Shocks are counted in standard deviations and claims of the tables below are signs or lie in the
unit that is changed with them, so that what a unit, an origin or a name may change is nothing.
Draws are compared one by one, for the same seed: the sampler must see the same numbers.
"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import attribution as at
from attribution.decompose import decompose
from attribution.estimation import estimate
from attribution.model.spec import Window
from attribution.panel import panel_of

DAYS = pd.bdate_range("2023-01-02", periods=200)
NAMES = ("a", "b", "c")
HEAD = """
schema = 1
kind = "{kind}"
title = "t"
[sample]
start = {start}
end = {end}
[event]
name = "e"
outcome = "c"
[[event.windows]]
name = "w"
start = {first}
end = {end}
[system]
variables = ["a", "b", "c"]
lags = {lags}
horizons = 4
{more}
"""
CELLS = """
[identification.channels]
p = "x"
q = "z"
[identification.cells]
a.p = {{ sign = "+", reason = "r", source = "s" }}
a.q = {{ sign = "{zero}", reason = "r", source = "s" }}
c.p = {{ sign = "+", reason = "r", source = "s" }}
c.q = {{ sign = "+", reason = "r", source = "s" }}
b.p = {{ sign = "-", reason = "r", source = "s" }}
b.q = {{ sign = "+", reason = "r", source = "s" }}
"""
SIGNS = "[identification]\n" + CELLS.format(zero="-")
ZERO = "[identification]\n" + CELLS.format(zero="0")
CONES = '[identification]\noutcome = "c"\ndirection = "+"\n' + "\n".join(
    line for line in CELLS.format(zero="-").split("\n") if not line.startswith("c.")
)
ORDER = '[identification]\nscheme = "recursive"\n'
PROXY = """
[identification]
scheme = "proxy"
[identification.channels]
p = "x"
[identification.cells]
c.p = { sign = "+", reason = "r", source = "s" }
[[identification.instruments]]
channel = "p"
column = "z"
reason = "r"
"""
BREAK = f'[identification]\nscheme = "heteroskedasticity"\nbreaks = [{DAYS[90].date()}]\n'
TAILS = '[errors]\nlaw = "independent_t"\n[identification]\nscheme = "non_gaussian"\n'
KINDS = {
    "var": ("var", ""),
    "recursive": ("svar", ORDER),
    "recursive, own lag": ("svar", "[prior]\nown_lag = 0.5\n" + ORDER),
    "recursive, flat": ("svar", "[prior]\nflat = true\n" + ORDER),
    "recursive, hierarchical": ("svar", "[prior]\nhierarchical = true\n" + ORDER),
    "recursive, student_t": ("svar", '[errors]\nlaw = "student_t"\n' + ORDER),
    "recursive, common_volatility": ("svar", '[errors]\nlaw = "common_volatility"\n' + ORDER),
    "recursive, outlier": ("svar", f"[errors]\noutliers = [{DAYS[50].date()}]\n" + ORDER),
    "recursive, single unit root": ("svar", "[prior]\nsingle_unit_root = 1.0\n" + ORDER),
    "long run": ("svar", ORDER.replace("recursive", "long_run")),
    "signs": ("svar", SIGNS),
    "zero": ("svar", ZERO),
    "cones": ("bvar_signs", CONES),
    "proxy": ("svar", PROXY),
    "heteroskedasticity": ("svar", BREAK),
    "non_gaussian": ("svar", TAILS),
    "stochastic_volatility": ("svar", '[errors]\nlaw = "stochastic_volatility"\n' + SIGNS),
}
DRAWS = 80


def text(kind, lags=1):
    of, more = KINDS[kind]
    start, first, end = (DAYS[i].date() for i in (0, -3, -1))
    return HEAD.format(kind=of, start=start, first=first, end=end, lags=lags, more=more)


@pytest.fixture(scope="module")
def frame():
    """Three changes that move each other, heavy-tailed, calmer in their first half."""
    rng = np.random.default_rng(3)
    shocks = rng.standard_t(4, (len(DAYS), 3)) / np.sqrt(2) * np.where(np.arange(200) < 90, 1, 3)[:, None] ** [1, 0.5, -0.3]
    impact = np.array([[1.0, -0.3, 0.2], [-0.2, 1.0, 0.1], [0.4, 0.5, 1.0]])
    lag = np.array([[0.3, 0.1, 0.0], [0.0, 0.4, 0.1], [0.1, 0.0, 0.2]])
    y = np.zeros((len(DAYS), 3))
    for t in range(1, len(DAYS)):
        y[t] = lag @ y[t - 1] + impact @ shocks[t]
    y[-1] += [-4, 3, -6]
    z = shocks[:, 0] + rng.standard_normal(len(DAYS))
    return pd.DataFrame({**dict(zip(NAMES, y.T, strict=True)), "z": z}, DAYS)


def answers(found, values, unit=None, zero=None):
    """What a system says, draw by draw, in the units of the frame; less what an origin moves."""
    unit, zero = unit or {}, zero or {}
    own = np.array([unit.get(name, 1.0) for name in NAMES])
    window = Window("w", DAYS[-3].date(), DAYS[-1].date())
    split = decompose(found.posterior, values[list(NAMES)], window, "c")
    return {
        "contribution": split.contribution[:, :, :, 0].sum(2) / own[2],
        "baseline": (split.baseline[..., 0] - zero.get("c", 0.0)).sum(2) / own[2],
        "impact": found.posterior.impact / own[:, None],
        "lags": found.posterior.lag_coefficients * own / own[:, None],
        "weight": found.posterior.weight,
    }


def estimated(kind, data, lags=1, sampler="accept"):
    spec = at.model_from(text(kind, lags), name="m")
    panel = panel_of(data, spec)
    return estimate(spec, panel, DRAWS, 5, "out", sampler, progress=False), panel.values
