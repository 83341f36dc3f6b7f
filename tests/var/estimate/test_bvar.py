"""The headline, fitted: exact where a closed form exists, right where the truth is known."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from attribution.decompose import decompose
from attribution.model.spec import System
from attribution.sampling import engine
from attribution.var.estimate.bvar import build, fit_bvar
from attribution.var.estimate.design import design
from attribution.var.estimate.kernel import operation
from attribution.var.estimate.loadings import event_shocks, loadings, past_shocks, prior_shocks

FIRST = pd.Timestamp("2025-09-01")


def quick(monkeypatch):
    """A compiler that starts at once and runs slowly: for short chains only."""
    monkeypatch.setitem(engine.sample.__kwdefaults__, "mode", "FAST_COMPILE")
    monkeypatch.setattr(engine.log_density, "__defaults__", ("FAST_COMPILE",))


@pytest.fixture(scope="module")
def fitted(headline, headline_data):
    """One fit of the toy, its event shocks and its decompositions."""
    spec, values = headline.spec(), headline_data.values
    fit = fit_bvar(spec, values, draws=200, tune=180, chains=2, cores=1, seed=3)
    struck = event_shocks(spec, fit, np.random.default_rng(4))
    parts = {w.name: decompose(struck.posterior, values, w) for w in spec.event.windows}
    return SimpleNamespace(spec=spec, values=values, fit=fit, struck=struck, parts=parts)


def truth(headline, headline_data, day):
    """What each channel and the rest added to the price on one day, from the simulation."""
    effect = headline.impact[0] * headline_data.shocks.loc[day].to_numpy()
    return np.append(effect[:3], effect[3:].sum())


def test_the_chains_agree(fitted):
    draws = fitted.fit.parameters.impact[:, 0, :3].reshape(*fitted.fit.lead, 3)
    assert engine.rhat(draws).max() < 1.05
    assert engine.ess_bulk(draws).min() > 100
    assert int(fitted.fit.tree["sample_stats"]["diverging"].sum()) < 5


@pytest.mark.parametrize(("window", "day"), [("eve", "2025-09-01"), ("crash", "2025-09-02")])
def test_true_contributions_are_inside_their_bands(fitted, headline, headline_data, window, day):
    drawn, _, observed = fitted.parts[window].cumulated("price")
    expected = truth(headline, headline_data, day)
    low, high = np.quantile(drawn, [0.005, 0.995], axis=(0, 1))
    assert (low < expected).all()
    assert (expected < high).all()
    assert np.corrcoef(drawn.mean((0, 1)), expected)[0, 1] > 0.3
    assert (high - low < 4 * abs(observed) + 4).all()  # bands that say something


def test_the_channel_behind_the_crash_is_named_and_labels_stay_in_place(
    fitted, headline, headline_data
):
    drawn, _, _ = fitted.parts["crash"].cumulated("price")
    assert fitted.parts["crash"].channels == (*fitted.spec.channels, "unattributed")
    hedging = fitted.spec.channels.index("hedging")
    assert (drawn.argmin(-1) == hedging).mean() > 0.7
    jumps = fitted.struck.jump
    assert jumps.loc["2025-09-02"].idxmax() == "hedging"
    assert jumps.loc["2025-09-02", "hedging"] > 0.3
    impact = fitted.fit.parameters.impact
    assert (impact[:, 0, :3] < 0).all()
    true = headline.impact[2, 1] / headline.impact[0, 1]  # volatility per unit of price, hedging
    found = fitted.struck.posterior.impact[..., 2, 1] / fitted.struck.posterior.impact[..., 0, 1]
    low, high = np.quantile(found, [0.005, 0.995])
    assert low < true < high


def test_every_draw_adds_up_on_every_day(fitted):
    posterior, values = fitted.struck.posterior, fitted.values
    for name, part in fitted.parts.items():
        day = part.time[0]
        eve = values.loc[: day - pd.Timedelta(days=1), list(part.variables)].iloc[-1].to_numpy()
        forecast = posterior.intercept + posterior.lag_coefficients[:, :, 0] @ eve
        assert_allclose(part.baseline[:, :, 0], forecast, rtol=1e-9, atol=1e-10)
        total = part.contribution[:, :, 0].sum(-1) + forecast
        observed = values.loc[day, list(part.variables)].to_numpy()
        gap = np.abs(total - observed) / np.abs(part.contribution[:, :, 0]).sum(-1)
        assert gap.max() < 1e-10, name


def test_auxiliary_series_are_reproduced_by_the_same_shocks(fitted):
    """The shocks of the event also add up to the errors of the series with missing spells."""
    fit, rows = fitted.fit, fitted.fit.design.event
    errors = fit.parameters.errors(rows)
    struck = fitted.struck.posterior.struck.reshape(-1, *fitted.struck.posterior.struck.shape[2:])
    assert np.isfinite(rows.response[:, 3]).all()
    assert_allclose(
        np.einsum("dvk,dtk->dtv", fit.parameters.impact, struck), errors, rtol=1e-8, atol=1e-9
    )


def test_the_prior_view_knows_the_event_but_not_what_the_sample_taught(fitted):
    prior = prior_shocks(fitted.spec, fitted.fit, 300, np.random.default_rng(5))
    assert prior.impact.shape[:2] == (1, 300)
    part = decompose(prior, fitted.values, fitted.spec.event.windows[1])
    before, _, _ = part.cumulated("price")
    after, _, _ = fitted.parts["crash"].cumulated("price")
    assert (before.std((0, 1))[:3] > 1.2 * after.std((0, 1))[:3]).all()


def test_a_test_series_loads_on_the_channel_that_drives_it(fitted, headline_data):
    rng = np.random.default_rng(6)
    shocks = past_shocks(fitted.fit)
    series = pd.Series(
        2.0 * headline_data.shocks[1] + rng.standard_normal(len(headline_data.shocks)),
        headline_data.values.index,
    )
    series.iloc[10:20] = np.nan
    found = loadings(fitted.fit, fitted.spec.channels, shocks, series)
    assert found.days == len(fitted.fit.design.rows.time) - 10
    slopes = found.draw(rng)
    assert slopes.mean((0, 1)).argmax() == 1
    assert (slopes[..., 1] > 0).mean() > 0.95
    event = series.copy()
    event.loc[FIRST:] = 1e6
    moved = loadings(fitted.fit, fitted.spec.channels, shocks, event)
    assert np.array_equal(moved.slope, found.slope)


def test_one_seed_gives_one_fit_and_the_event_left_out_teaches_it_nothing(
    headline, headline_data, monkeypatch
):
    quick(monkeypatch)
    spec, values = headline.spec(), headline_data.values
    shaken = values.copy()
    shaken.loc[FIRST:] = -1.5 * shaken.loc[FIRST:]
    short = {"draws": 4, "tune": 10, "chains": 1, "cores": 1}
    one, two = (fit_bvar(spec, v, seed=1, **short) for v in (values, shaken))
    for name, array in vars(one.parameters).items():
        assert np.array_equal(array, getattr(two.parameters, name)), name
    first, again, other = (
        event_shocks(spec, fit, np.random.default_rng(9)).posterior for fit in (one, one, two)
    )
    assert np.array_equal(first.struck, again.struck)
    assert np.array_equal(first.impact, other.impact)
    assert not np.isclose(first.struck, other.struck).any(-1).all()


def gaussian_posterior(kernel, impact, variance, log_scale):
    """Mean and covariance of the lag coefficients (regressor x variable, row by row)."""
    lags = kernel.coefficients
    precision = np.diag(lags.prior_sd.ravel() ** -2)
    weighted = (lags.prior_mean / lags.prior_sd**2).ravel()
    n = lags.start.shape[1]
    for t, x in enumerate(kernel.regressors):
        seen = kernel.observed[t]
        h = impact[seen] * np.exp(log_scale[t])
        inner = np.zeros((n, n))
        inner[np.ix_(seen, seen)] = np.linalg.inv((h * variance[kernel.groups.of_day[t]]) @ h.T)
        precision += np.kron(np.outer(x, x), inner)
        weighted += np.kron(x, inner @ kernel.response[t])
    covariance = np.linalg.inv(precision)
    return covariance @ weighted, covariance


def test_nuts_finds_the_closed_form_where_there_is_one(headline, headline_data):
    """Known impact, no jumps, thin tails: the lag coefficients are exactly Gaussian."""
    import pymc as pm

    spec = headline.spec(system=System(headline.core[:2], 1, auxiliary=("liquidations",)))
    data = design(spec, headline_data.values, "out")
    _, kernel = build(spec, data)
    kernel = replace(kernel, prior=replace(kernel.prior, jumpers=np.zeros(0, int)))
    rng = np.random.default_rng(7)
    fixed = [
        np.full(kernel.prior.channels + 1, 1 / (kernel.prior.channels + 1)),
        np.array(0.1),
        *(
            0.3 * rng.standard_normal(len(getattr(kernel.prior, name)))
            for name in ("signed", "banded", "own", "reach")
        ),
    ]
    slope, scale_slope, empty = np.array([0.7]), np.array([0.2]), np.zeros(0)
    shape = kernel.coefficients.start.shape
    with pm.Model() as model:
        whitened = pm.Flat("whitened", shape=shape, initval=np.zeros(shape))
        density = operation(kernel)(
            *fixed, whitened, slope, np.ones(1), empty, scale_slope, empty, np.array(1e7)
        )[0]
        pm.Potential("likelihood", density)
    tree = engine.sample(model, draws=1000, tune=300, chains=2, cores=1, seed=8)
    draws = kernel.coefficients.colour(tree["posterior"]["whitened"].to_numpy())
    draws = draws.reshape(*draws.shape[:2], -1)
    mean, covariance = gaussian_posterior(
        kernel,
        kernel.prior.assemble(*fixed),
        kernel.variance(slope, np.ones(1), empty).calm,
        kernel.log_scale(scale_slope, empty),
    )
    assert not kernel.observed.all()
    z = (draws.mean((0, 1)) - mean) / engine.mcse_mean(draws)
    assert np.abs(z).max() < 4
    square = (draws - mean) ** 2
    z = (square.mean((0, 1)) - np.diag(covariance)) / engine.mcse_mean(square)
    assert np.abs(z).max() < 4
    assert (engine.mcse_mean(square) < 0.15 * np.diag(covariance)).all()  # an error that says so
    way = np.linalg.eigh(covariance)[1]
    turned = (draws - mean) @ way
    cross = turned[..., :-1] * turned[..., 1:]
    assert np.abs(cross.mean((0, 1)) / engine.mcse_mean(cross)).max() < 4
