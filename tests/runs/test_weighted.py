"""A draw of weight two is that draw twice, in every number that is printed, drawn or saved."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from attribution import runs as record
from attribution.compare import compare
from attribution.decompose import decompose, historical_decomposition
from attribution.errors import DataError
from attribution.model import read_model
from attribution.model.spec import Event, Window
from attribution.posterior import StructuralPosterior
from attribution.report import deliver
from attribution.report.draws import band, contribution, weights
from attribution.report.results import results
from attribution.report.run_tables import tables
from attribution.runs.run import KEYS, Run, load_run, save_run
from attribution.sampling import engine
from attribution.sampling.diagnostics import hdi, weight_size

DAYS = pd.date_range("2025-01-06", periods=30, freq="B", name="time")
UNITS = {"coin": "log points", "fear": "index points"}
WINDOWS = (
    Window("fall", date(2025, 2, 3), date(2025, 2, 3)),
    Window("fall and after", date(2025, 2, 3), date(2025, 2, 6)),
)
MONTE_CARLO = ("mcse_mean", "mcse_median", "mcse_p_negative", "r_hat", "ess_bulk", "ess_tail")
"""What says how well the draws are known: that weighs draws, and does not count them."""


@pytest.fixture(scope="module")
def values():
    rng = np.random.default_rng(2)
    return pd.DataFrame(rng.normal(size=(30, 2)) * [3.0, 1.0], DAYS, list(UNITS))


@pytest.fixture(scope="module")
def counts():
    found = np.random.default_rng(9).integers(0, 4, (4, 150))
    found[0, 0] += 1 - found.sum() % 2
    assert found.sum() % 2 and found.sum() % 25  # no quantile falls between two draws
    return found


@pytest.fixture(scope="module")
def pair(counts):
    """A posterior in which some draws weigh more, and one in which they come as often."""
    rng = np.random.default_rng(3)
    lead = counts.shape
    once = StructuralPosterior(
        variables=("coin", "fear"),
        shocks=("native", "other"),
        channels=("native", "other"),
        impact=np.array([[-1.5, 0.9], [0.3, 2.0]]) + 0.3 * rng.normal(size=(*lead, 2, 2)),
        lag_coefficients=0.2 * rng.normal(size=(*lead, 1, 2, 2)),
        intercept=0.1 * rng.normal(size=(*lead, 2)),
        weight=counts / counts.mean(),
    )

    def repeated(array):
        flat = array.reshape(-1, *array.shape[2:])
        return np.repeat(flat, counts.ravel(), axis=0)[None]

    often = replace(
        once,
        impact=repeated(once.impact),
        lag_coefficients=repeated(once.lag_coefficients),
        intercept=repeated(once.intercept),
        weight=np.ones((1, counts.sum())),
    )
    return once, often


def run_of(structural, values):
    event = Event("a fall", "coin", WINDOWS, (WINDOWS[1].start, WINDOWS[1].end))
    spec = replace(read_model("var"), event=event)
    splits = [decompose(structural, values, window, "coin") for window in WINDOWS]
    groups = record.contributions(splits, "coin") | record.coherent(splits, "coin")
    groups |= record.structure(structural, UNITS, 6) | record.observed(values, UNITS)
    manifest = dict.fromkeys(KEYS, "") | {"findings": [], "diagnostics": {}}
    manifest |= {"digests": {"model": "", "data": ""}, "versions": {"attribution": ""}}
    return Run(record.tree_of(groups, spec, "log points"), manifest)


@pytest.fixture(scope="module")
def runs(pair, values):
    return tuple(run_of(structural, values) for structural in pair)


def test_every_number_of_every_table_is_the_same(runs):
    once, often = (tables(run) for run in runs)
    assert once.keys() == often.keys()
    assert {"fall", "fall and after", "transitory part", "variance shares"} <= once.keys()
    for name, table in once.items():
        said = [column for column in table if column not in MONTE_CARLO]
        for column in said:
            one, other = table[column], often[name][column]
            if column == "grade":
                assert (one == other).all()
            else:
                assert_allclose(one, other, rtol=1e-9, atol=1e-11, err_msg=f"{name}, {column}")


def test_the_headline_and_the_quoted_numbers_are_the_same(runs):
    once, often = (results(run, tables(run)) for run in runs)
    assert once["headline"] == often["headline"]
    for window in ("fall", "fall and after"):
        for name, row in once["windows"][window]["rows"].items():
            other = often["windows"][window]["rows"][name]
            for key, value in row.items():
                if key not in MONTE_CARLO and not isinstance(value, str):
                    assert value == pytest.approx(other[key], rel=1e-9, abs=1e-11), (name, key)


def test_what_figures_draw_is_the_same(runs):
    drawn = [
        (
            band(contribution(run.tree, "fall"), weights(run.tree)),
            band(run.tree["responses/response"].to_numpy().reshape(weights(run.tree).size, -1),
                 weights(run.tree)),
        )
        for run in runs
    ]  # fmt: skip
    for one, other in zip(*drawn, strict=True):
        for a, b in zip(one, other, strict=True):
            assert_allclose(a, b, rtol=1e-9, atol=1e-11)


def test_the_table_of_parameters_is_the_same(runs):
    once, often = (engine.summary(run.tree) for run in runs)
    for column in ("mean", "sd", "hdi_low", "hdi_high"):
        # an sd of draws has one degree of freedom less, which weights do not have
        assert_allclose(once[column], often[column], rtol=2e-3, atol=1e-9, err_msg=column)


def test_a_comparison_and_a_history_are_the_same(runs, pair, values):
    once, often = runs
    found = compare({"once": once, "often": often})
    for column in ("mean", "q05", "q25", "q75", "q95", "p_negative", "p_largest"):
        assert_allclose(found.tables["once"][column], found.tables["often"][column], atol=1e-11)
    histories = [historical_decomposition(p, values, probabilities=(0.05, 0.9)) for p in pair]
    for name in ("mean", "sd", "quantiles"):
        assert_allclose(*(getattr(h, name) for h in histories), rtol=1e-9, atol=1e-10)


def test_draws_of_equal_weight_survive_saving_and_others_are_refused(runs, tmp_path):
    once, often = runs
    save_run(once, tmp_path / "once")
    with pytest.raises(DataError, match="unequal weights in /weights"):
        load_run(tmp_path / "once")
    save_run(often, tmp_path / "often")
    again = load_run(tmp_path / "often")
    for name, table in tables(often).items():
        assert table.equals(tables(again)[name]), name
    assert deliver.as_json(again, tables(again)) == deliver.as_json(often, tables(often))


def test_a_draw_of_weight_zero_is_never_the_coherent_one(runs, counts):
    one = runs[0].tree["coherent"].to_dataset()
    assert counts[int(one["of_chain"]), int(one["of_draw"])] > 0
    table = tables(runs[0])["fall and after"]["coherent"]
    assert_allclose(table.drop("observed").sum(), table["observed"], rtol=1e-12)
    assert table["observed"] == tables(runs[0])["fall and after"].loc["observed", "mean"]


def test_the_worth_of_weights_is_kish_s_and_shows_in_the_table(runs, counts):
    table = tables(runs[0])["fall"]
    size = counts.sum() ** 2 / (counts**2).sum()
    assert weight_size(counts) == pytest.approx(size)
    assert (table["ess_bulk"].drop("observed") <= size * (1 + 1e-12)).all()
    assert table["ess_bulk"].drop("observed").min() > 0.6 * size


def test_the_shortest_interval_counts_weight_and_not_draws():
    rng = np.random.default_rng(4)
    x, weight = rng.gamma(2.0, size=(2, 500, 3)), rng.integers(0, 4, (2, 500))
    repeated = np.repeat(x.reshape(-1, 3), weight.ravel(), axis=0)[None]
    # the two take the same number of draws up to one
    assert_allclose(hdi(x, weight=weight), hdi(repeated), atol=0.1)
    inside = (x >= hdi(x, weight=weight)[:, 0]) & (x <= hdi(x, weight=weight)[:, 1])
    held = (inside * weight[..., None]).sum((0, 1)) / weight.sum()
    assert ((held >= 0.94 - 1e-9) & (held < 0.945)).all()
