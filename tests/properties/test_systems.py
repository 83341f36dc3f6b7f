"""Every kind of system: no answer depends on a unit, on where zero lies, on names or on columns.

Draws are compared one by one for the same seed: the sampler has to see the same numbers, up to
rounding, however the series are written.  Published exceptions are left out where they are named:
volumes of exact zeros and the law of hierarchical residual scales have units, and artificial
observations of unit roots stand on the zero of the data.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import attribution as at
from attribution.decompose import decompose
from attribution.errors import DataError, SpecError
from attribution.model.spec import Window
from attribution.panel import panel_of
from attribution.var.estimate.conjugate import standardised
from attribution.var.estimate.design import design
from attribution.var.estimate.reduced_form import reduced_form
from attribution.var.kinds import Sampling, estimate

DAYS = pd.bdate_range("2023-01-02", periods=160)
NAMES = ("alpha", "beta", "gamma")
HEAD = """
schema = 1
kind = "{kind}"
title = "t"
[sample]
start = {start}
end = {end}
[event]
name = "e"
outcome = "gamma"
[[event.windows]]
name = "w"
start = {first}
end = {end}
[system]
variables = ["alpha", "beta", "gamma"]
lags = {lags}
horizons = 4
{more}
"""
CELLS = """
[identification.channels]
push = "x"
pull = "z"
[identification.cells]
alpha.push = { sign = "+", reason = "r", source = "s" }
alpha.pull = { sign = "-", reason = "r", source = "s" }
beta.push = { sign = "-", reason = "r", source = "s" }
beta.pull = { sign = "+", reason = "r", source = "s" }
"""
OUTCOME = """
gamma.push = { sign = "+", reason = "r", source = "s" }
gamma.pull = { sign = "+", reason = "r", source = "s" }
"""
SIGNS = "[identification]\n" + CELLS + OUTCOME
CONES = '[identification]\noutcome = "gamma"\ndirection = "+"\n' + CELLS
ZERO = SIGNS.replace('alpha.pull = { sign = "-"', 'alpha.pull = { sign = "0"')
ORDER = '[identification]\nscheme = "recursive"\n'
PROXY = """
[identification]
scheme = "proxy"
[identification.channels]
push = "x"
[identification.cells]
gamma.push = { sign = "+", reason = "r", source = "s" }
[[identification.instruments]]
channel = "push"
column = "zeta"
reason = "r"
"""
BREAK = f'[identification]\nscheme = "heteroskedasticity"\nbreaks = [{DAYS[80].date()}]\n'
KINDS = {
    "var": ("var", ""),
    "recursive": ("svar", "[prior]\nown_lag = 0.5\n" + ORDER),
    "flat": ("svar", "[prior]\nflat = true\n" + ORDER),
    "hierarchical": ("svar", "[prior]\nhierarchical = true\n" + ORDER),
    "student_t": ("svar", '[errors]\nlaw = "student_t"\n' + ORDER),
    "common_volatility": ("svar", '[errors]\nlaw = "common_volatility"\n' + ORDER),
    "outlier": ("svar", f"[errors]\noutliers = [{DAYS[50].date()}]\n" + ORDER),
    "unit roots": ("svar", "[prior]\nsum_of_coefficients = 1.0\nsingle_unit_root = 1.0\n" + ORDER),
    "long_run": ("svar", ORDER.replace("recursive", "long_run")),
    "signs": ("svar", SIGNS),
    "zero": ("svar", ZERO),
    "cones": ("bvar_signs", CONES),
    "proxy": ("svar", PROXY),
    "heteroskedasticity": ("svar", BREAK),
    "non_gaussian": (
        "svar",
        '[errors]\nlaw = "independent_t"\n[identification]\nscheme = "non_gaussian"\n',
    ),
    "stochastic_volatility": ("svar", '[errors]\nlaw = "stochastic_volatility"\n' + SIGNS),
}
DRAWS = 80
CHAOTIC = ("stochastic_volatility",)  # its chains double what rounding leaves, sweep by sweep
FREE_OF_UNITS = [k for k in KINDS if k not in ("zero", "hierarchical", *CHAOTIC)]
FREE_OF_ORIGINS = [k for k in KINDS if k not in ("unit roots", *CHAOTIC)]
TOLERANCE = {"hierarchical": 1e-4}  # its mode is searched to 1e-6 of a log density
EXPONENTS = st.lists(st.integers(-12, 12), min_size=4, max_size=4)
OFFSETS = st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=4)
FEW = settings(max_examples=2, deadline=None, derandomize=True)
MANY = settings(max_examples=8, deadline=None, derandomize=True)


def text(kind, lags=1):
    of, more = KINDS[kind]
    start, first, end = (DAYS[i].date() for i in (0, -3, -1))
    return HEAD.format(kind=of, start=start, first=first, end=end, lags=lags, more=more)


def spec_of(kind, lags=1):
    return at.model_from(text(kind, lags), name="m")


@cache
def frame():
    """Three changes that move each other, heavy-tailed, whose variances shift halfway."""
    rng = np.random.default_rng(3)
    shocks = rng.standard_t(5, (len(DAYS), 3))
    shocks[80:] *= [3.0, 1.5, 0.7]
    impact = np.array([[1.0, -0.3, 0.2], [-0.2, 1.0, 0.1], [0.4, 0.5, 1.0]])
    lag = np.array([[0.3, 0.1, 0.0], [0.0, 0.4, 0.1], [0.1, 0.0, 0.2]])
    y = np.zeros((len(DAYS), 3))
    for t in range(1, len(DAYS)):
        y[t] = lag @ y[t - 1] + impact @ shocks[t]
    y[-1] += [-4, 3, -6]
    z = shocks[:, 0] + rng.standard_normal(len(DAYS))
    return pd.DataFrame({**dict(zip(NAMES, y.T, strict=True)), "zeta": z}, DAYS)


def answers(found, values, unit=(1, 1, 1), zero=0.0):
    """What a system says, draw by draw, in the units of the frame; less what an origin moves."""
    own, names = np.asarray(unit, float), list(found.posterior.variables)
    window = Window("w", DAYS[-3].date(), DAYS[-1].date())
    split = decompose(found.posterior, values[names], window, names[2])
    return {
        "contribution": split.contribution[:, :, :, 0].sum(2) / own[2],
        "baseline": (split.baseline[..., 0] - zero).sum(2) / own[2],
        "impact": found.posterior.impact / own[:, None],
        "lags": found.posterior.lag_coefficients * own / own[:, None],
        "weight": found.posterior.weight,
    }


def estimated(spec, data):
    panel = panel_of(data, spec)
    return estimate(spec, panel, Sampling(DRAWS, 5)), panel.values


@cache
def base(kind, lags=1, size=1.0):
    return answers(*estimated(spec_of(kind, lags), frame() * size), np.full(3, size))


def assert_same(found, expected, rtol):
    for name, value in expected.items():
        assert_allclose(found[name], value, atol=rtol * np.abs(value).max(), rtol=0, err_msg=name)


def rewritten(kind, unit, zero, lags=1):
    return answers(
        *estimated(spec_of(kind, lags), frame() * unit + zero), np.asarray(unit)[:3], zero[2]
    )


def units_of(exponents):
    return 10.0 ** np.array(exponents, float)


@pytest.mark.parametrize("kind", FREE_OF_UNITS)
@FEW
@given(EXPONENTS)
def test_units_change_nothing(kind, exponents):
    assert_same(rewritten(kind, units_of(exponents), np.zeros(4)), base(kind), 1e-9)


@pytest.mark.parametrize("kind", FREE_OF_ORIGINS)
@FEW
@given(OFFSETS)
def test_origins_change_nothing(kind, offsets):
    found = rewritten(kind, np.ones(4), np.array(offsets))
    assert_same(found, base(kind), TOLERANCE.get(kind, 1e-8))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [k for k in FREE_OF_UNITS if k in FREE_OF_ORIGINS])
@MANY
@given(EXPONENTS, OFFSETS)
def test_units_and_origins_together_change_nothing(kind, exponents, offsets):
    unit = units_of(exponents)
    assert_same(rewritten(kind, unit, unit * offsets), base(kind), 1e-8)


def test_five_lags_and_series_of_unlike_units_leave_least_squares_its_digits():
    unit = np.array([1e12, 1e-12, 1.0, 1.0])
    assert_same(rewritten("var", unit, np.zeros(4), 5), base("var", 5), 1e-9)


def test_the_unit_of_a_series_whose_impact_is_zero_is_no_part_of_a_volume():
    found = rewritten("zero", np.array([1e9, 1.0, 1.0, 1e-9]), np.zeros(4))
    assert_same(found, base("zero"), 1e-9)


@FEW
@given(st.lists(st.integers(4, 12), min_size=4, max_size=4))
def test_hierarchical_residual_scales_far_above_their_law_know_no_units(exponents):
    unit = units_of(exponents)
    assert_same(rewritten("hierarchical", unit, np.zeros(4)), base("hierarchical", 1, 1e4), 1e-4)


def test_hierarchical_residual_scales_that_their_law_would_decide_are_refused():
    with pytest.raises(SpecError, match=r"residual scale of 'beta' is .*e-06.*multiply the series"):
        rewritten("hierarchical", np.array([1.0, 1e-6, 1.0, 1.0]), np.zeros(4))


@FEW
@given(st.lists(st.integers(-40, 40), min_size=4, max_size=4))
def test_chains_that_double_their_rounding_are_equal_where_there_is_none(exponents):
    unit = 2.0 ** np.array(exponents)
    assert_same(rewritten("stochastic_volatility", unit, np.zeros(4)), base(*CHAOTIC), 1e-12)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(EXPONENTS, OFFSETS)
def test_every_sampler_is_handed_the_same_series(exponents, offsets):
    unit, spec = units_of(exponents)[:3], spec_of("stochastic_volatility")
    plain = frame()[list(NAMES)]
    moved = plain * unit + unit * np.array(offsets[:3])
    found, expected = standardised(spec, moved)[1], standardised(spec, plain)[1]
    assert_allclose(found, expected, atol=1e-8, rtol=0)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(EXPONENTS, OFFSETS)
def test_the_rows_of_the_headline_are_the_same(exponents, offsets):
    """Kind ``bvar`` and ``factor`` sample on these rows and this prior and on nothing else."""
    unit = units_of(exponents)
    one, other = (
        design(at.model_from(headline(u), name="m"), frame() * u + u * np.array(o), "in")
        for u, o in ((np.ones(4), np.zeros(4)), (unit, offsets))
    )
    for part in ("response", "regressors", "exposure", "scale"):
        assert_allclose(getattr(other.rows, part), getattr(one.rows, part), atol=1e-8, rtol=0)
    assert_allclose(other.sd / unit[:3], one.sd, rtol=1e-8)
    for name, value in vars(one.prior).items():
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            assert_allclose(getattr(other.prior, name), value, rtol=1e-7, err_msg=name)


def headline(unit):
    """Kind ``bvar``, whose cells have a centre in the units of the series."""
    said = text("cones").replace("bvar_signs", "bvar")
    for place, name in enumerate(NAMES[:2]):
        for channel in ("push", "pull"):
            for sign, side in (("+", 0.5), ("-", -0.5)):
                old = f'{name}.{channel} = {{ sign = "{sign}"'
                said = said.replace(old, f"{old}, center = {float(side * unit[place] / unit[2])!r}")
    return said


@pytest.mark.parametrize("kind", KINDS)
def test_names_and_columns_change_nothing(kind):
    """The new names sort the other way round, and so do the columns of the frame."""
    new = {"alpha": "zulu", "beta": "mike", "gamma": "able", "zeta": "aa", "push": "z", "pull": "b"}
    said = text(kind)
    for old, name in new.items():
        said = said.replace(old, name)
    data = frame().rename(columns=new)
    found = answers(*estimated(at.model_from(said, name="other"), data[sorted(data)]))
    for name, value in base(kind).items():
        assert_array_equal(found[name], value, err_msg=name)


@pytest.mark.parametrize("kind", ["var", "signs", "cones", "proxy"])
@FEW
@given(st.randoms(use_true_random=False))
def test_rows_in_another_order_are_refused_or_change_nothing(kind, random):
    order = list(range(len(DAYS)))
    random.shuffle(order)
    try:
        found = answers(*estimated(spec_of(kind), frame().iloc[order]))
    except DataError:
        return
    assert_same(found, base(kind), 1e-12)


@pytest.mark.parametrize("kind", ["recursive", "flat", "unit roots"])
def test_the_order_of_variables_only_orders_the_posterior(kind):
    """A rotation of its shocks makes a closed-form posterior recursive; itself it has no order."""
    spec, turned = spec_of(kind), ["gamma", "alpha", "beta"]
    other = at.model_from(
        text(kind).replace('["alpha", "beta", "gamma"]', '["gamma", "alpha", "beta"]'), name="m"
    )
    one = reduced_form(spec, frame()[list(NAMES)], seed=1).posterior
    two = reduced_form(other, frame()[turned], seed=1).posterior
    place = [NAMES.index(name) for name in turned]
    assert_allclose(two.scale, one.scale[np.ix_(place, place)], rtol=1e-9)
    rows = [0, *(1 + i for i in place)]
    assert_allclose(two.mean, one.mean[np.ix_(rows, place)], rtol=1e-7, atol=1e-10)
