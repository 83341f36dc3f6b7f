"""The restrictions-alone posterior has the law of joint accept-reject, whatever the labels."""

from math import inf

import numpy as np
import pandas as pd
from numpy.testing import assert_allclose
from scipy import stats

from attribution.core import niw
from attribution.core.rotations import restrictions
from attribution.decompose import decompose
from attribution.posterior import StructuralPosterior
from attribution.var.estimate.bvar_signs import fit_bvar_signs
from attribution.var.estimate.cones import table_cones


def fit_of(model, data, **changes):
    settings = {"draws": 400, "seed": 1, "robust_draws": 4, "windows": ()} | changes
    return fit_bvar_signs(model, data, **settings)


def crash(posterior, data, window):
    """Contributions to the price (draw, channel), chains flattened."""
    parts, _, _ = decompose(posterior, data, window).cumulated("price")
    return parts.reshape(-1, parts.shape[-1])


def assert_same_law(one, two):
    for k in range(one.shape[1]):
        assert stats.ks_2samp(one[:, k], two[:, k]).pvalue > 0.01 / one.shape[1], k


def test_the_posterior_is_square_named_and_evenly_weighted(toy, signs_fit):
    posterior = signs_fit.posterior
    assert posterior.variables == toy.names
    assert posterior.shocks == ("derisking", "hedging", "unnamed_1", "unnamed_2")
    assert posterior.channels == ("derisking", "hedging")
    assert posterior.impact.shape == (4, 500, 4, 4)
    assert posterior.lag_coefficients.shape == (4, 500, 1, 4, 4)
    assert (posterior.weight == 1).all()
    assert signs_fit.time[-1] == pd.Timestamp("2025-11-28")


def test_every_draw_obeys_every_cell(toy, signs_fit):
    impact = signs_fit.posterior.impact.reshape(-1, 4, 4)
    for cell in toy.table().cells:
        k = ("derisking", "hedging").index(cell.channel)
        elasticity = impact[:, toy.names.index(cell.variable), k] / -impact[:, 1, k]
        assert (impact[:, 1, k] < 0).all()
        assert (elasticity >= cell.low - 1e-9).all(), cell
        assert (elasticity <= cell.high + 1e-9).all(), cell


def test_contributions_have_the_law_of_brute_force(toy, signs_fit, signs_values):
    """Reduced form in closed form, uniform rotations, one joint decision, weights as counts."""
    rng = np.random.default_rng(3)
    cones = table_cones(toy.spec())
    root = niw.draw_factor(signs_fit.reduced_form, 4000, rng)
    found = restrictions.accept(cones.rows @ root, cones.ends, rotations=3, rng=rng)
    q = restrictions.complete(found.columns, rng)
    impact = root[found.draw] @ q
    slopes, intercept = niw.split(
        niw.draw_coefficients(signs_fit.reduced_form, impact, rng), constant=True
    )
    brute = StructuralPosterior(
        variables=toy.names,
        shocks=signs_fit.posterior.shocks,
        channels=cones.channels,
        impact=impact[None],
        lag_coefficients=slopes[None],
        intercept=intercept[None],
        weight=(found.weight / found.weight.mean())[None],
    )
    pick = rng.choice(
        len(impact), size=int(min(2000, found.ess / 4)), p=found.weight / found.weight.sum()
    )
    for window in toy.windows:
        wanted = crash(brute, signs_values, window)[pick]
        assert_same_law(crash(signs_fit.posterior, signs_values, window), wanted)
    low, high = (found.rate * x for x in (1 - 0.3, 1 + 0.3))
    assert low < signs_fit.acceptance.rate < high  # measured on 4000 rotations in the fit


def test_coefficients_belong_to_the_covariance_of_their_own_draw(signs_fit):
    """Whitened by its own impact matrix, a draw of B is standard normal; by another's it is not."""
    reduced, posterior = signs_fit.reduced_form, signs_fit.posterior
    impact = posterior.impact.reshape(-1, 4, 4)
    slopes = posterior.lag_coefficients.reshape(-1, 4, 4).swapaxes(1, 2)
    intercept = posterior.intercept.reshape(-1, 1, 4)
    moved = np.concatenate([intercept, slopes], axis=1) - reduced.mean
    left = np.linalg.cholesky(reduced.precision).T @ moved
    own, other = (
        (np.linalg.solve(root, left.swapaxes(1, 2)) ** 2).sum((1, 2))
        for root in (impact, impact[::-1])
    )
    law = stats.chi2(5 * 4).cdf
    assert stats.kstest(own, law).pvalue > 1e-3
    # where another's covariance is the smaller one, a draw looks too large for it
    size = np.linalg.slogdet(impact)[1]
    larger = size - size[::-1]
    assert abs(stats.spearmanr(own, larger).statistic) < 4 / np.sqrt(len(own))
    assert stats.spearmanr(other, larger).statistic > 4 / np.sqrt(len(own))


def test_acceptance_is_reported(toy, signs_fit):
    found = signs_fit.acceptance
    assert found.tried == 4000
    assert 0 < found.accepted <= found.tried
    assert 0 < found.weighted_ess <= found.accepted
    assert found.plausibility == 1
    assert min(found.ess.values()) > 1000
    assert max(found.rhat.values()) < 1.02
    assert set(found.sole) == {f"{c.channel}.{c.variable} {c.claim}" for c in toy.table().cells}
    assert sum(found.sole.values()) > 0


def test_the_order_in_which_shocks_are_named_does_not_matter(toy, signs_fit, signs_values):
    other = fit_of(
        toy.spec(identification=toy.table(names=("hedging", "derisking"))), signs_values, draws=2000
    )
    assert other.posterior.channels == ("hedging", "derisking")
    assert_same_law(
        crash(signs_fit.posterior, signs_values, toy.windows[1]),
        crash(other.posterior, signs_values, toy.windows[1])[:, [1, 0, 2]],
    )


def test_the_order_of_variables_does_not_matter(toy, signs_fit, signs_values):
    names = ("volume", "volatility", "price", "software")
    other = fit_of(toy.spec(variables=names), signs_values, draws=2000)
    assert_same_law(
        crash(signs_fit.posterior, signs_values, toy.windows[1]),
        crash(other.posterior, signs_values, toy.windows[1]),
    )


def test_series_a_thousand_times_larger_tell_the_same_story(toy, signs_fit, signs_values):
    cells = {key: bound for key, bound in toy.cells.items() if key[1] != "volatility"}
    cells[("derisking", "volatility")] = (0.0, inf)
    cells[("hedging", "volatility")] = (500.0, inf)
    other = signs_values.assign(
        volume=signs_values["volume"] / 1000, volatility=signs_values["volatility"] * 1000
    )
    scaled = fit_of(toy.spec(identification=toy.table(cells)), other, draws=2000)
    assert_allclose(scaled.reduced_form.dof, signs_fit.reduced_form.dof)
    assert_same_law(
        crash(signs_fit.posterior, signs_values, toy.windows[1]),
        crash(scaled.posterior, other, toy.windows[1]),
    )


def test_one_seed_gives_the_same_bits(toy, signs_values):
    one, same, other = (fit_of(toy.spec(), signs_values, seed=s, windows=None) for s in (5, 5, 6))
    for name in ("impact", "lag_coefficients", "intercept"):
        assert np.array_equal(getattr(one.posterior, name), getattr(same.posterior, name))
    assert np.array_equal(one.robust.lower, same.robust.lower)
    assert not np.array_equal(one.posterior.impact, other.posterior.impact)
