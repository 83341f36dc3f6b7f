"""Placebo dates: the coefficient is PanelOLS's on every day, and its rank has the size it says."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from linearmodels.panel import PanelOLS

from attribution.errors import DataError
from attribution.studies.panel.answer import panel_ols
from attribution.studies.panel.placebo import Design, alike, placebo_dates, rank_of

OPTIONS = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 0.0])
"""Eleven funds, some with listed options."""


def simulated(rng, days=300):
    """Runs in creations, common shocks, shocks common to funds with options; heavy tails."""
    spread = np.exp(rng.normal(-0.4, 0.5, 11))
    common, listed = rng.standard_t(4, (2, days)) * [[0.5], [0.35]]
    own = spread * rng.standard_t(4, (days, 11)) * 0.7
    flows = np.zeros((days, 11))
    for t in range(1, days):
        flows[t] = 0.25 * flows[t - 1] + common[t] + listed[t] * OPTIONS + own[t]
    return flows


def plain(outcome, covariates=None):
    held = np.zeros((0, *outcome.shape)) if covariates is None else covariates
    return Design(outcome, held, np.ones(outcome.shape, bool))


def asked(design, day, *, exposure=OPTIONS, groups=1, size=None, others=None, barred=None):
    shape = design.mask.shape
    days = np.atleast_1d(day)
    bar = np.zeros(shape[0], bool)
    bar[days] = True
    return placebo_dates(
        design,
        np.broadcast_to(exposure, shape),
        days,
        others=np.zeros((0, *shape)) if others is None else others,
        barred=bar if barred is None else barred | bar,
        size=np.zeros(shape[0]) if size is None else size,
        groups=groups,
    )


def by_panel_ols(design, columns):
    """The model with entity and time effects, the event in the last column."""
    days, entities = design.mask.shape
    index = pd.MultiIndex.from_product([range(entities), pd.RangeIndex(days)])
    kept = design.mask.T.ravel()
    x = pd.DataFrame({f"x{i}": c.T.ravel() for i, c in enumerate(columns)}, index=index)[kept]
    y = pd.Series(design.outcome.T.ravel(), index=index)[kept]
    return PanelOLS(y, x, entity_effects=True, time_effects=True)


@pytest.fixture
def ragged():
    """Two covariates, and a tenth of the cells missing."""
    rng = np.random.default_rng(3)
    outcome = simulated(rng, 120)
    covariates = rng.standard_normal((2, *outcome.shape))
    mask = rng.random(outcome.shape) > 0.1
    design = plain(outcome + covariates.sum(0), covariates)
    return replace(
        design,
        mask=mask,
        outcome=np.where(mask, design.outcome, 0.0),
        covariates=np.where(mask, covariates, 0.0),
    )


@pytest.mark.parametrize("days", [[57], [57, 58], [40, 57, 61]])
def test_every_placebo_is_the_coefficient_of_its_own_panel_regression(ragged, days):
    days = np.array(days)
    other = np.zeros(ragged.mask.shape)
    other[80] = OPTIONS
    found = asked(ragged, days, others=other[None])
    for shift in (0, 5, -7):
        event = np.zeros(ragged.mask.shape)
        event[days + shift] = OPTIONS
        expected = by_panel_ols(ragged, [*ragged.covariates, other, event]).fit().params.iloc[-1]
        own = found.placebo[days[0] + shift] if shift else found.coefficient
        assert own == pytest.approx(expected, rel=1e-8)


def test_the_regression_that_is_reported_has_the_same_coefficient(ragged):
    event = np.zeros(ragged.mask.shape)
    event[57] = OPTIONS
    days = pd.date_range("2024-01-01", periods=120, freq="D")
    entities = [f"f{i}" for i in range(11)]
    fit = panel_ols(ragged, ["a", "b"], {"event": event}, days=days, entities=entities)
    assert fit.coefficients["event"] == pytest.approx(asked(ragged, 57).coefficient, rel=1e-8)
    assert list(fit.errors.index) == ["a", "b"], "an event has no standard error"
    assert fit.coefficients["a"] == pytest.approx(1.0, abs=4 * fit.errors["a"])


def test_without_covariates_it_is_the_difference_of_two_means_of_the_day():
    flows = simulated(np.random.default_rng(1))
    found = asked(plain(flows), 295)
    level = flows - np.delete(flows, 295, axis=0).mean(0)
    gap = level[295, OPTIONS == 1].mean() - level[295, OPTIONS == 0].mean()
    assert found.coefficient == pytest.approx(gap, rel=1e-10)


def sizes(replications):
    """Shares of true nulls rejected at 5 %: clustered by fund, and Driscoll and Kraay."""
    rng, rejected = np.random.default_rng(8), np.zeros(2)
    for _ in range(replications):
        design = plain(simulated(rng))
        event = np.zeros(design.mask.shape)
        event[295] = OPTIONS
        model = by_panel_ols(design, [event])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            clustered = model.fit(cov_type="clustered", cluster_entity=True)
            kernel = model.fit(cov_type="kernel")
        rejected += [abs(clustered.tstats.iloc[0]) > 1.96, abs(kernel.tstats.iloc[0]) > 1.96]
    return rejected / replications


def test_errors_clustered_by_fund_or_robust_to_common_shocks_reject_a_true_null_far_too_often():
    clustered, kernel = sizes(20)
    assert clustered > 0.10
    assert kernel > 0.60


@pytest.mark.slow
@pytest.mark.stored
def test_the_sizes_of_errors_that_look_robust_are_those_stated():
    """23 % and 88 %, for a nominal 5 %, each within three Monte Carlo errors."""
    clustered, kernel = sizes(300)
    assert abs(clustered - 0.23) < 3 * np.sqrt(0.23 * 0.77 / 300)
    assert abs(kernel - 0.88) < 3 * np.sqrt(0.88 * 0.12 / 300)


@pytest.mark.parametrize("groups", [1, 3])
def test_randomisation_rejects_a_true_null_as_often_as_it_says(groups):
    rng = np.random.default_rng(9)
    replications, rejected = 500, 0
    for _ in range(replications):
        flows = simulated(rng, 150)
        size = np.abs(rng.standard_normal(150))
        found = asked(plain(flows), 120, groups=groups, size=size)
        rejected += found.p <= 0.1
    share, noise = rejected / replications, np.sqrt(0.1 * 0.9 / replications)
    assert abs(share - 0.1) < 3 * noise


def test_an_effect_of_three_spreads_is_found():
    rng = np.random.default_rng(10)
    flows = simulated(rng)
    flows[295] += 3 * OPTIONS
    found = asked(plain(flows), 295)
    assert found.p <= 0.05
    assert found.low > 0


def test_the_range_holds_exactly_the_effects_that_are_not_rejected(ragged):
    found = asked(ragged, 57)
    event = np.zeros(ragged.mask.shape)
    event[57] = np.where(ragged.mask[57], OPTIONS, 0.0)

    def p(effect):
        return asked(replace(ragged, outcome=ragged.outcome - effect * event), 57).p

    step = 1e-6 * (found.high - found.low)
    for end, inside in ((found.low, step), (found.high, -step)):
        assert p(end + inside) > 0.1
        assert p(end - inside) <= 0.1
    assert p(found.coefficient) == 1.0


def test_order_scale_and_effects_of_funds_and_days_change_nothing(ragged):
    rng = np.random.default_rng(4)
    base, order = asked(ragged, 57), rng.permutation(11)
    moved = Design(ragged.outcome[:, order], ragged.covariates[:, :, order], ragged.mask[:, order])
    effects = rng.standard_normal(11) * 5 + rng.standard_normal((120, 1)) * 5
    level = np.where(ragged.mask, 3 * ragged.outcome + effects, 0.0)
    for other, scale in (
        (asked(moved, 57, exposure=OPTIONS[order]), 1),
        (asked(replace(ragged, outcome=level), 57), 3),
    ):
        assert other.coefficient == pytest.approx(scale * base.coefficient, rel=1e-8)
        assert (other.p, other.placebos) == (base.p, base.placebos)
        assert other.low == pytest.approx(scale * base.low, rel=1e-8)


def test_like_days_are_those_of_the_events_own_group_and_never_an_event():
    size = np.arange(100.0)
    kept = np.ones(100, bool)
    kept[[95, 97]] = False
    like = alike(size, kept, 95, 10) & kept
    assert set(np.flatnonzero(like)) <= set(range(88, 100)) - {95, 97}
    assert like.sum() in (8, 9)  # of 99 runs in ten groups, the event's own aside
    assert (alike(size, kept, 95, 1) & kept).sum() == 98


def test_no_p_value_is_below_what_the_number_of_placebos_allows():
    assert rank_of(100.0, np.zeros(19)) == 1 / 20
    assert rank_of(0.0, np.ones(19)) == 1.0
    assert rank_of(2.0, np.array([])) == 1.0


def test_an_event_that_hits_all_alike_is_refused():
    design = plain(simulated(np.random.default_rng(5), 50))
    with pytest.raises(ValueError, match="spanned"):
        asked(design, 20, exposure=np.ones(11))
    event = np.zeros(design.mask.shape)
    event[20] = 1.0
    with pytest.raises(DataError, match="regressor 'e' is the same for all entities on every day"):
        panel_ols(design, [], {"e": event}, days=None, entities=None)
