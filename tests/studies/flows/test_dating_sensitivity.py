"""How far a dating is settled: versions of the model agree where data speak, and say so if not."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from attribution.studies.flows.dating_sensitivity import dating_tables, dating_variants, loudest
from attribution.studies.flows.focus_rows import fit_focus, focus_setup
from attribution.studies.flows.question import Dating, FlowsQuestion
from attribution.studies.flows.rows import FlowData

TIME, SWITCH, LATER = 240, 200, 228
QUESTION = FlowsQuestion(
    net_creation="flow", fund_return="return", focus="A",
    hold_out=(date(2026, 1, 1), date(2026, 1, 2)), asked=(), benchmark=(-1.0, 1.0),
)  # fmt: skip


def panel(slope, switch=SWITCH, seed=1, held=(220, 221)):
    """One fund whose rows answer the day before until a switch, and another that is noise."""
    rng = np.random.default_rng(seed)
    r = 2.0 * rng.standard_normal((TIME, 1)) + 0.1 * rng.standard_normal((TIME, 2))
    order = slope * r[:, 0] + rng.standard_normal(TIME)
    rows = np.where(np.arange(TIME) < switch, np.roll(order, 1), order)
    return FlowData(
        days=pd.bdate_range("2025-02-03", periods=TIME),
        funds=("A", "B"),
        focus=0,
        flow=np.column_stack([100.0 * rows, rng.standard_normal(TIME)]),
        returns=r,
        covariates={},
        held_out=np.isin(np.arange(TIME), held),
    )


@pytest.mark.parametrize(("switch", "expected"), [(SWITCH, 0.0), (LATER, 1.0)])
def test_where_rows_speak_clearly_every_version_dates_the_event_alike(switch, expected):
    data = panel(2.0, switch)
    for variant in dating_variants(QUESTION, data, draws=400, rng=np.random.default_rng(2)):
        assert np.abs(variant.previous - expected).max() < 0.05, variant.name
    tables, (finding,) = dating_tables(QUESTION, data, seed=np.random.SeedSequence(3), draws=2000)
    assert finding.verdict == "holds"
    assert len(tables["dating_sensitivity"]) == 8
    assert "with a gradual change in place of a sudden one" in finding.evidence
    assert list(tables["dating_sensitivity"]["reliable"]) == ["yes"] * 8


def test_where_rows_say_nothing_it_is_not_settled():
    _, (finding,) = dating_tables(QUESTION, panel(0.0), seed=np.random.SeedSequence(3), draws=2000)
    assert finding.verdict == "undecided"


def test_the_median_of_the_switch_is_near_the_truth():
    found = dating_variants(QUESTION, panel(2.0), draws=400, rng=np.random.default_rng(2))
    truth = panel(2.0).days[SWITCH]
    assert all(abs((variant.switch[1] - truth).days) <= 7 for variant in found)


def test_the_loudest_rows_lie_before_the_event_and_left_out_change_the_answer():
    data = panel(2.0)
    fit = fit_focus(focus_setup(QUESTION, data, ()), draws=400, rng=np.random.default_rng(2))
    rows = loudest(fit, data.held_out)
    apart = np.abs((fit.readings[1] - fit.readings[0]).mean(axis=0))[160:220]
    assert ((rows >= 160) & (rows < 220)).all()
    assert apart[rows - 160].min() >= np.sort(apart)[-2]


def test_the_values_of_the_held_out_rows_do_not_matter():
    data = panel(0.3)
    other = replace(data, flow=np.where(data.held_out[:, None], 1e4, data.flow))
    one, two = (
        dating_variants(QUESTION, d, draws=200, rng=np.random.default_rng(2)) for d in (data, other)
    )
    for first, second in zip(one, two, strict=True):
        assert np.array_equal(first.previous, second.previous), first.name


def test_the_probability_of_a_published_row_is_that_of_draws_of_it():
    """Of both versions: rows drawn by share and reading reach the published one as often."""
    data = panel(2.0, held=(199, 200))  # the sudden change falls on the second
    first, gradual = dating_variants(QUESTION, data, draws=1000, rng=np.random.default_rng(2))[:2]
    fit = fit_focus(focus_setup(QUESTION, data, ()), draws=1000, rng=np.random.default_rng(2))
    rng, rows = np.random.default_rng(5), fit.setup.rows
    reading = fit.dating().reading[:, :, data.held_out]
    _, x, z = (part[:, data.held_out] for part in rows.laid)
    for place, published in enumerate(rows.y[data.held_out]):
        pick = (rng.random((1000, 1)) > reading[:, :, place].cumsum(axis=1)).sum(axis=1)
        which = np.minimum(pick, 2)
        fitted = (x[which, place] * fit.draws.beta).sum(axis=1)
        size = np.exp((z[which, place] * fit.draws.gamma).sum(axis=1))
        drawn = np.sqrt(1.0 + (which == 2)) * (fitted + size * rng.standard_t(fit.draws.nu))
        share = (np.where(pick < 3, drawn, 0.0) >= published).mean()
        assert abs(share - first.at_least[place]) < 4.5 * np.sqrt(0.25 / 1000)
    assert ((gradual.at_least >= 0) & (gradual.at_least <= 1)).all()
    assert gradual.reliable and gradual.to_same > 0.9


def shapes(data, gradual=0.5):
    question = replace(QUESTION, dating=Dating(gradual=gradual))
    return dating_variants(question, data, draws=400, rng=np.random.default_rng(2))[:3]


@pytest.mark.parametrize("gradual", [0.0, 1.0])
def test_a_shape_with_all_the_prior_weight_is_the_average_of_the_two(gradual):
    sudden, slow, either = shapes(panel(2.0), gradual)
    whole, none = (slow, sudden) if gradual else (sudden, slow)
    assert (whole.probability, none.probability) == (1.0, 0.0)
    for name in ("previous", "at_least", "to_same", "switch"):
        assert np.array_equal(getattr(either, name), getattr(whole, name)), name


@pytest.mark.parametrize(("length", "made"), [(0, 0), (40, 1)])
def test_the_shape_that_made_the_rows_is_found(length, made):
    """Half of a day's orders stand a day late in forty rows, or in none."""
    data = panel(2.0)
    rng, at = np.random.default_rng(4), np.arange(TIME)
    order = 100.0 * (2.0 * data.returns[:, 0] + rng.standard_normal(TIME))
    share = np.where(at < 120, 0.0, np.where(at < 120 + length, 0.5, 1.0))
    rows = share * order + np.roll((1.0 - share) * order, 1)
    found = shapes(replace(data, flow=np.column_stack([rows, data.flow[:, 1]])))
    assert found[made].probability > 0.9
    sudden, slow, either = found
    assert sudden.probability + slow.probability == pytest.approx(1.0)
    mean = sudden.probability * sudden.at_least + slow.probability * slow.at_least
    assert either.at_least == pytest.approx(mean, abs=1e-12)
