"""Reference posteriors of posteriordb: our door to the sampler returns their means and spreads."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from attribution.sampling import engine

FOLDER = Path(__file__).parent / "posteriordb"
DRAWS, TUNE, CHAINS = 2500, 1000, 4
pytestmark = [
    pytest.mark.slow,
    # powers of a moving average overflow at points that the sampler turns down
    pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning"),
]


def data(name):
    found = json.loads((FOLDER / f"data_{name}.json").read_text())
    return {key: np.array(value, float) for key, value in found.items()}


def autoregression(pm, pt):
    """Five lags, conditional on the first five observations."""
    y = data("arK")["y"]
    lags = np.column_stack([y[5 - lag : -lag] for lag in range(1, 6)])
    alpha = pm.Normal("alpha", 0.0, 10.0)
    beta = pm.Normal("beta", 0.0, 10.0, shape=5)
    sigma = pm.HalfCauchy("sigma", 2.5)
    pm.Normal("y", alpha + pt.dot(lags, beta), sigma, observed=y[5:])


def eight_schools(pm, pt):
    """Effects of coaching, shrunk to a common mean; the standardised effects are sampled."""
    found = data("eight_schools")
    mu = pm.Normal("mu", 0.0, 5.0)
    tau = pm.HalfCauchy("tau", 5.0)
    theta = pm.Deterministic("theta", mu + tau * pm.Normal("standard", 0.0, 1.0, shape=8))
    pm.Normal("y", theta, found["sigma"], observed=found["y"])


def moving_average(pm, pt):
    """One lag and one lagged error; the recursion is inverted as a sum of powers."""
    y = data("arma")["y"]
    mu = pm.Normal("mu", 0.0, 10.0)
    phi = pm.Normal("phi", 0.0, 2.0)
    theta = pm.Normal("theta", 0.0, 2.0)
    sigma = pm.HalfCauchy("sigma", 2.5)
    step = y - mu - phi * pt.concatenate([mu[None], y[:-1]])
    ago = np.subtract.outer(np.arange(len(y)), np.arange(len(y)))
    powers = pt.switch(ago >= 0, pt.power(-theta, np.maximum(ago, 0)), 0.0)
    pm.Potential("errors", pm.logp(pm.Normal.dist(0.0, sigma), (powers * step).sum(1)).sum())


POSTERIORS = {
    "arK-arK": autoregression,
    "eight_schools-eight_schools_noncentered": eight_schools,
    "arma-arma11": moving_average,
}


def reference(name):
    """Rows (parameter, mean, tolerance, sd) of one posterior, parameters counted from one."""
    table = pd.read_csv(FOLDER / "expected.csv")
    kept = table[table["id"].str.startswith(f"{name}.")]
    return [
        (
            row.id[len(name) + 1 : -len(".mean")],
            row.value,
            row.tolerance,
            float(re.match(r"sd ([\d.e+-]+)", row.note)[1]),
        )
        for row in kept.itertuples()
    ]


@pytest.mark.parametrize("name", POSTERIORS)
def test_means_and_spreads_are_those_of_the_reference_draws(name):
    import pymc as pm
    import pytensor.tensor as pt

    with pm.Model() as model:
        POSTERIORS[name](pm, pt)
    tree = engine.sample(
        model, draws=DRAWS, tune=TUNE, chains=CHAINS, cores=1, seed=11, target_accept=0.95
    )
    rows = reference(name)
    assert len(rows) >= 4
    for parameter, mean, tolerance, sd in rows:
        base, _, index = parameter.partition("[")
        draws = tree["posterior"][base].to_numpy()
        x = draws[..., int(index[:-1]) - 1] if index else draws
        assert engine.rhat(x[..., None]).max() < 1.01, parameter
        own = float(engine.mcse_mean(x[..., None]).max())
        assert abs(x.mean() - mean) < tolerance + 4 * own, parameter
        assert x.std() == pytest.approx(sd, rel=0.05), parameter
