"""The example of CausalImpact (Brodersen et al. 2015), as a user runs it: a file and a frame."""

import numpy as np
import pandas as pd
import pytest

import attribution as at
from attribution.runs import study_tables
from attribution.studies.counterfactual.level import LevelModel, Problem


@pytest.fixture(scope="module")
def vignette(case):
    return case("causalimpact_vignette")


@pytest.fixture(scope="module")
def frame(vignette):
    return pd.read_csv(vignette.folder / "causalimpact.csv").set_index("t")


def test_every_published_row_of_the_effect(vignette, frame):
    run = at.fit(vignette.model("level"), data=frame, settings=at.Settings(seed=5))
    answers = study_tables(run.tree)["answers"]
    windows = study_tables(run.tree)["windows"]
    draws = run.tree["counterfactual/predicted"].to_numpy().reshape(-1, 30)
    average = (frame["y"].to_numpy()[70:] - draws).mean(1)
    low, high = np.quantile(average, [0.025, 0.975])
    found = {
        "post.sum": windows.loc["post/observed", "mean"],
        "effect.average": answers.loc["post/average", "mean"],
        "effect.average.sd": answers.loc["post/average", "sd"],
        "effect.cumulative": answers.loc["post/unexplained", "mean"],
        "effect.truth_in_95ci": float(low < 10 < high),
    }
    assert vignette.misses(found) == {}
    # the vignette prints [9.7 or 9.8, 11], rounded
    assert 9.65 < low < 9.95
    assert 10.5 < high < 11.5
    assert average.mean() == pytest.approx(
        answers.loc["post/average", "mean"], abs=5 * average.std() / np.sqrt(4000)
    )


def test_without_a_level_and_without_a_prior_it_is_least_squares(vignette, frame):
    y, x = frame["y"].to_numpy(), frame[["x1"]].to_numpy()
    centre, spread = y[:70].mean(), y[:70].std()
    middle, width = x[:70].mean(0), x[:70].std(0)
    problem = Problem.of(
        (y[:70] - centre) / spread, (x[:70] - middle) / width, LevelModel(0.0, 0.0, 1e6)
    )
    noise = np.array([0.3])
    b = problem.moments(problem.subsets[0], noise, np.zeros(1))[0][0]
    effect = y[70:] - centre - spread * (b[0] + (x[70:] - middle) @ b[1:] / width)
    found = {
        "ols.effect.average": effect.mean(),
        "ols.coef.x1": float(b[1] * spread / width[0]),
    }
    assert vignette.misses(found) == {}
