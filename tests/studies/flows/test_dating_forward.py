"""One pass forward agrees with all paths counted by hand, and with the pass that knows them all."""

import numpy as np
import pytest
from scipy.special import logsumexp

from attribution.studies.flows.dating import DatingPrior, log_marginal
from attribution.studies.flows.dating_forward import running_likelihood

TIME = 6
PRIORS = (DatingPrior(1, 2, 3), DatingPrior(1, 1, 1), DatingPrior(0, 1, 0), DatingPrior(0, 0, 1))
KNOWN = ([-1] * TIME, [-1, -1, -1, 1, 1, -1], [1, -1, -1, -1, -1, 0], [1, *[-1] * (TIME - 1)])


def by_hand(density, prior, known, rows):
    """Sum over all paths that have the known readings."""
    weight = prior.log_weights(TIME)
    paths = [(weight[0], [0] * TIME), (weight[1], [1] * TIME)]
    for s in range(1, TIME):
        paths.append((weight[2], [1] * s + [2] + [0] * (TIME - s - 1)))
        paths.append((weight[3], [0] * s + [3] + [1] * (TIME - s - 1)))
    fits = [
        (w, path)
        for w, path in paths
        if all(k < 0 or k == reading for k, reading in zip(known, path, strict=True))
    ]
    whole = logsumexp([w for w, _ in fits])
    each = [w + sum(density[lag][t] for t, lag in enumerate(p[:rows])) for w, p in fits]
    return logsumexp(each) - whole if np.isfinite(whole) else -np.inf


@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize("known", KNOWN)
def test_the_likelihood_so_far_is_the_sum_over_paths(prior, known):
    density = np.random.default_rng(0).normal(size=(4, TIME))
    if not np.isfinite(by_hand(density, prior, known, 0)):
        with pytest.raises(ValueError, match="no path"):
            running_likelihood(density[:, None], prior, np.array(known))
        return
    found = running_likelihood(density[:, None], prior, np.array(known))[0]
    expected = [by_hand(density, prior, known, rows) for rows in range(TIME + 1)]
    assert np.allclose(found, expected, rtol=0, atol=1e-12)


def test_the_last_entry_is_the_marginal_likelihood_of_all_rows():
    rows = 5 * np.random.default_rng(1).normal(size=(4, 4, 600))
    found = running_likelihood(rows, PRIORS[0])
    assert np.allclose(found[:, -1], log_marginal(rows, PRIORS[0]), rtol=1e-12)
    rows[3] = -np.inf
    found = running_likelihood(rows, PRIORS[0])
    assert np.allclose(found[:, -1], log_marginal(rows, PRIORS[0]), rtol=1e-12)


@pytest.mark.parametrize("size", [30.0, 400.0])
@pytest.mark.parametrize("prior", PRIORS)
def test_log_likelihoods_far_from_zero_keep_their_digits(prior, size):
    rows = np.random.default_rng(2).normal(size=(4, 1, 600)) * size
    found = running_likelihood(rows, prior)
    assert np.isfinite(found).all()
    assert found[0, -1] == pytest.approx(log_marginal(rows[:, 0], prior), rel=1e-12)
