"""A sampler tells the live line how far it is, and samples the same as if nobody looked."""

import numpy as np
import pytest

from attribution.sampling import engine
from attribution.screen import live


@pytest.fixture(scope="module")
def model():
    import pymc as pm

    with pm.Model() as made:
        pm.Normal("x", 0.0, 1.0, shape=2)
    return made


@pytest.mark.parametrize("cores", [1, 2])
def test_the_line_follows_the_chains_and_changes_no_draw(model, cores):
    how = {"draws": 30, "tune": 20, "chains": 2, "cores": cores, "seed": 3, "mode": "FAST_COMPILE"}
    with live() as line:
        line.stage("estimating")
        seen = engine.sample(model, **how, progressbar=True, stage="pilot chains")
        said = line.text()
    assert said.startswith("estimating · pilot chains 2 of 2 ended · 100 % · ")
    bad = int(seen["sample_stats"]["diverging"].sum())
    assert f" · {bad} divergences · 0:00 left" in said
    alone = engine.sample(model, **how)
    np.testing.assert_array_equal(seen["posterior"]["x"], alone["posterior"]["x"])
