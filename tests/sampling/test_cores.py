"""How many processes or threads sampling may use: the draws are the same whatever it is."""

from importlib import import_module

import numpy as np
import pandas as pd
import pytest

import attribution as at
from attribution.errors import SpecError
from attribution.sampling import engine


@pytest.fixture
def model():
    import pymc as pm

    with pm.Model() as made:
        pm.Normal("x", 0.0, [1.0, 3.0], shape=2)
    return made


@pytest.mark.parametrize("metric", [None, np.diag([1.0, 9.0])], ids=["adapted", "given"])
def test_draws_are_the_same_in_one_process_and_in_two(model, metric):
    drawn = []
    for cores in (1, 2):
        with engine.at_most(cores):
            tree = engine.sample(
                model, draws=30, tune=30, chains=2, seed=3, mode="FAST_COMPILE", metric=metric
            )
        drawn.append(tree["posterior"]["x"].to_numpy())
    np.testing.assert_array_equal(*drawn)


def test_what_is_allowed_ends_with_its_block_and_is_usual_where_nothing_is_said():
    assert engine.allowed(4) == 4
    with engine.at_most(1):
        assert engine.allowed(4) == 1
        with engine.at_most(None):
            assert engine.allowed(4) == 4
    assert engine.allowed(4) == 4


def test_a_fit_hands_its_cores_to_whatever_samples(monkeypatch):
    seen = []
    path = import_module("attribution.fit.path")
    monkeypatch.setattr(path, "estimate", lambda *given: seen.append(engine.allowed(9)) or 1 / 0)
    for more in ({"cores": 3}, {"settings": at.Settings(cores=5)}, {}):
        with pytest.raises(ZeroDivisionError):
            at.fit("var", **more)
    assert seen == [3, 5, 9]


def test_chains_of_a_law_per_shock_run_in_as_many_threads_and_draw_the_same():
    rng = np.random.default_rng(3)
    index = pd.bdate_range("2015-01-01", periods=150, name="time")
    frame = pd.DataFrame(rng.standard_t(4, (150, 2)) @ [[1.0, 0.5], [0.2, 1.0]], index, ["a", "b"])
    spec = at.model_from(
        {
            "schema": 1, "kind": "svar", "title": "two series",
            "sample": {"panel": "frame", "start": index[0].date(), "end": index[-1].date()},
            "system": {"variables": ["a", "b"], "lags": 1, "horizons": 2},
            "errors": {"law": "independent_t"},
            "identification": {"scheme": "non_gaussian", "shocks": ["one", "two"]},
        },
        name="two",
    )  # fmt: skip
    from attribution.var.estimate.independent_laws import structural_draws

    drawn = []
    for cores in (1, 2):
        with engine.at_most(cores):
            running = structural_draws(spec, frame, seed=1)
            drawn.append(running.batch(5).impact)
    np.testing.assert_array_equal(*drawn)


@pytest.mark.parametrize("given", [0, -1, 2.5, "two", True, 1000])
def test_a_number_of_cores_that_is_none_is_refused(given):
    with pytest.raises(SpecError, match=r"cores = .*(correct it|lower it)$"):
        at.fit("var", cores=given)
