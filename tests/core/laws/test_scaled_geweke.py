"""Geweke's joint test of the scale chain: prior draws against sweeps that alternate with new data.

If every conditional is right, parameters visited while data are redrawn given parameters follow
the prior.  Twelve days of two series, so that the prior matters and mistakes of the data's part
show too.
"""

from dataclasses import replace

import numpy as np
import pytest

from attribution.core import niw
from attribution.core.laws import scaled

N, DAYS = 2, 12
LISTED = np.array([3, 7])
FIRST = np.array([[0.4, -0.2]])
LAWS = {
    "outliers": scaled.ScaleLaw(),
    "student_t": scaled.ScaleLaw(None),
    "given dof": scaled.ScaleLaw(5.0),
    "common_volatility": scaled.ScaleLaw(volatility_scale=0.3),
    "both": scaled.ScaleLaw(None, volatility_scale=0.3),
}


@pytest.fixture(autouse=True)
def short_blocks(monkeypatch):
    """Three or four blocks of volatility in twelve days, so that their joints are tried too."""
    monkeypatch.setattr(scaled, "BLOCK", 4)


@pytest.fixture(scope="module")
def prior():
    plain = niw.minnesota(
        np.array([1.0, 0.5]),
        lags=1,
        constant=True,
        own_lag=np.array([0.0, 0.4]),
        tightness=0.3,
        decay=1.0,
        intercept_scale=0.5,
    )
    return replace(plain, dof=9.0, scale=6.0 * plain.scale)


def simulate(coefficients, factor, scales, rng):
    path = np.concatenate([FIRST, np.empty((DAYS, N))])
    noise = scales[:, None] * rng.standard_normal((DAYS, N)) @ factor.T
    for t in range(DAYS):
        path[t + 1] = coefficients[0] + path[t] @ coefficients[1:] + noise[t]
    return path


def statistics(coefficients, factor, log_variance, mixing, shrunk, parameters, path):
    """What is compared; bounded or in logs, so that all have moments."""
    dof, phi, sigma = parameters
    found = {
        "log det": np.log(np.diag(factor)).sum(),
        "correlation": factor[1, 0] / np.hypot(factor[1, 0], factor[1, 1]),
        "constant": coefficients[0, 0],
        "own lag": coefficients[2, 1],
        "cross lag": coefficients[1, 1],
        "squared lag": coefficients[1, 0] ** 2,
        "constant and scale": coefficients[0, 0] ** 2 / factor[0, 0],
        "data": np.tanh(path[4:6, 0]).prod(),
        "day": np.log1p(path[8, 1] ** 2),
        "shrunk": shrunk[0],
        "shrunk and scale": shrunk[1] * np.log(factor[0, 0]),
    }
    if np.isfinite(dof):
        found |= {"mixing": np.log(mixing[3]), "mixing next": np.log(mixing).mean()}
        found |= {"dof": np.log(dof - 2.1), "dof and mixing": np.log(dof) * np.log(mixing[5])}
    if sigma > 0:
        found |= {
            "persistence": phi,
            "sigma": np.log(sigma),
            "sigma itself": sigma,
            "first state": log_variance[0],
            "last state": log_variance[-1],
            "squared states": np.log((log_variance**2).mean()),
            "level": np.tanh(log_variance.mean()),
            "steps": np.log((np.diff(log_variance) ** 2).mean() / sigma**2),
            "level and scale": np.tanh(log_variance.mean()) * np.log(factor[0, 0]),
        }
    return found


def row_scales(log_variance, mixing, shrunk):
    scales = np.exp(0.5 * log_variance) * np.sqrt(mixing)
    scales[LISTED] /= np.sqrt(shrunk)
    return scales


def prior_side(prior, law, draws, rng):
    factor = niw.draw_factor(prior, draws, rng)
    coefficients = niw.draw_coefficients(prior, factor, rng)
    rows = []
    for b, root in zip(coefficients, factor, strict=True):
        parameters = law.draw(rng)
        states = law.draw_scales(parameters, DAYS, rng)
        shrunk = rng.random(2) ** 2
        path = simulate(b, root, row_scales(*states, shrunk), rng)
        rows.append(statistics(b, root, *states, shrunk, parameters, path))
    return rows


def chain_side(prior, law, draws, rng):
    chain = scaled.ScaleChain(DAYS, law, LISTED, rng)
    factor = niw.draw_factor(prior, 1, rng)
    b = niw.draw_coefficients(prior, factor, rng)
    rows = []
    for _ in range(draws):
        scales = row_scales(chain.log_variance, chain.mixing, chain.shrunk)
        path = simulate(b[0], factor[0], scales, rng)
        data = scaled.whiten(prior, *niw.design(path, lags=1))
        swept = chain.sweep(data, 1)
        factor, b = data.restore(swept.roots, swept.turns)
        states = chain.log_variance, chain.mixing, chain.shrunk
        rows.append(statistics(b[0], factor[0], *states, chain.parameters, path))
    return rows


def standard_scores(prior, law, draws, seed):
    """Differences of means over their standard errors, the chain's by the means of batches."""
    one, two = np.random.default_rng(seed).spawn(2)
    direct, visited = prior_side(prior, law, draws, one), chain_side(prior, law, draws, two)
    scores = {}
    for name in direct[0]:
        a, b = (np.array([row[name] for row in side]) for side in (direct, visited))
        batches = b[: draws // 40 * 40].reshape(40, -1).mean(1)
        error = np.hypot(a.std() / np.sqrt(draws), batches.std(ddof=1) / np.sqrt(40))
        scores[name] = (a.mean() - b.mean()) / error
    return scores


@pytest.mark.parametrize("law", ["outliers", "student_t", "common_volatility"])
def test_sweeps_leave_the_prior_where_it_is(prior, law):
    scores = standard_scores(prior, LAWS[law], 4000, seed=1)
    assert max(map(abs, scores.values())) < 3.5, scores


@pytest.mark.slow
@pytest.mark.stored
@pytest.mark.parametrize("law", LAWS)
def test_sweeps_leave_the_prior_where_it_is_to_three_digits(prior, law):
    scores = standard_scores(prior, LAWS[law], 60_000, seed=2)
    assert max(map(abs, scores.values())) < 3.5, scores
