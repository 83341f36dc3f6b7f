"""A structural VAR that is asked about no event: responses and variance shares, and a page."""

from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from attribution.errors import DiagnosticsError, SpecError
from attribution.fit import Settings, fit
from attribution.posterior import StructuralPosterior
from attribution.report import deliver
from attribution.report.results import results
from attribution.report.run_tables import RESPONSES, VARIANCE, tables
from attribution.runs import response_table, variance_table
from attribution.runs.run import load_run, save_run
from attribution.sampling import engine
from attribution.var.kinds import Estimate

NAMES = ("output", "price", "rate")
MODEL = """
schema = 1
kind = "svar"
title = "A small macro model"
references = []

[sample]
panel = "macro"
start = 1980-01-01
end = 2009-10-01

[system]
lags = 2
variables = ["output", "price", "rate"]
horizons = 12

[identification]
scheme = "recursive"
"""


def posterior_of(weight, *, seed=1, drift=0.0):
    rng = np.random.default_rng(seed)
    lead = weight.shape
    impact = np.tril(np.array([[1.2, 0, 0], [0.3, 0.8, 0], [-0.4, 0.5, 2.0]]))
    impact = impact * (1 + 0.1 * rng.normal(size=(*lead, 3, 3)))
    impact[0] *= 1 + drift
    coefficients = 0.15 * rng.normal(size=(*lead, 2, 3, 3)) + 0.4 * np.eye(3) / [[[1]], [[2]]]
    return StructuralPosterior(
        NAMES, NAMES, NAMES, impact, coefficients, rng.normal(size=(*lead, 3)), weight
    )


@pytest.fixture
def frame():
    rng = np.random.default_rng(5)
    quarters = pd.date_range("1980-01-01", periods=120, freq="QS", name="date")
    return pd.DataFrame(rng.normal(size=(120, 3)).cumsum(0) * 0.3, quarters, list(NAMES))


@pytest.fixture
def fitted(tmp_path, frame, monkeypatch):
    """Fit the model with draws of a test's own in place of an estimator's."""
    path = tmp_path / "macro.toml"
    path.write_text(MODEL, encoding="utf-8")

    def run(weight=None, **settings):
        weight = np.ones((4, 250)) if weight is None else weight
        drawn = Estimate(posterior_of(weight / weight.mean(), **settings))
        module = import_module("attribution.fit.path")
        monkeypatch.setattr(module, "estimate", lambda *a, **k: drawn)
        return fit(str(path), data=frame, settings=Settings(draws=weight.size))

    return run


def test_a_run_without_an_event_describes_the_system_and_no_move(fitted, frame):
    run = fitted()
    assert {node.path for node in run.tree.subtree if node.data_vars} == {
        *("/weights", "/structural", "/responses", "/fevd", "/observed_data")
    }
    response, share = run.tree["responses/response"], run.tree["fevd/share"]
    assert response.sizes["horizon"] == share.sizes["horizon"] == 13
    assert_allclose(response.isel(horizon=0), run.tree["structural/impact"])
    assert_allclose(share.sum("channel"), 1.0, atol=1e-12)
    assert share["channel"].to_numpy().tolist() == [*NAMES, "unattributed"]
    for node in run.tree.subtree:
        for array in node.data_vars.values():
            assert array.attrs["units"] and array.attrs["long_name"]
    assert run.tree["observed_data/value"].sizes["time"] == len(frame)
    assert run.tree.attrs["outcome"] == "output" and run.tree.attrs["event"] == ""
    assert run.manifest["settings"]["windows"] == {}


def test_its_tables_are_the_responses_and_the_shares_of_the_first_variable(fitted):
    run = fitted()
    found = tables(run)
    assert set(found) == {RESPONSES, VARIANCE}
    assert found[RESPONSES].index[0] == "output, 0" and found[RESPONSES].index[-1] == "rate, 12"
    draws = run.tree["responses/response"].sel(variable="output", channel="price", horizon=4)
    row = found[RESPONSES].loc["price, 4"]
    for name, q in (("median", 0.5), ("q16", 0.16), ("q84", 0.84), ("q05", 0.05), ("q95", 0.95)):
        expected = np.quantile(draws.to_numpy().ravel(), q, method="inverted_cdf")
        assert_allclose(row[name], expected)
    shares = found[VARIANCE]
    at = [name for name in shares.index if name.endswith(", 12")]
    assert_allclose(shares.loc[at, "mean"].sum(), 1.0)
    said = results(run, found)
    assert "of the forecast error variance of output, 90 % interval" in said["headline"]
    assert "the most of all channels" in said["headline"]
    assert said["responses"]["price, 4"]["median"] == pytest.approx(row["median"])
    assert said["windows"] == {} and set(said["variance_shares"]) == set(shares.index)


def test_it_is_saved_read_printed_and_drawn_like_any_other(fitted, tmp_path, capsys):
    from rich.console import Console

    run = fitted()
    save_run(run, tmp_path / "saved")
    again = load_run(tmp_path / "saved")
    for node in run.tree.subtree:
        assert node.to_dataset().identical(again.tree[node.path].to_dataset()), node.path
    found = tables(again)
    Console(width=100).print(*deliver.lines(again, found, every=True), sep="\n")
    said = capsys.readouterr().out
    assert "response of output" in said and "share of the forecast error variance" in said
    deliver.write_run(again, found, tmp_path / "out", report=True)
    names = {p.name for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert {"report.html", "variance_shares.png", "impulse_responses.svg", "responses.csv"} <= names
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "asks about no event" in page and "Waterfall" not in page


def test_weights_decide_every_number_of_it(fitted):
    """A draw counts as often as it weighs: tables are those of the draws so repeated."""
    weight = np.random.default_rng(8).integers(1, 4, (4, 250)).astype(float)
    run = fitted(weight)
    before = run.tree["weighted"].to_dataset()
    assert_allclose(before["weight"] * weight.mean(), weight)
    assert np.abs(before["copies"] - weight / weight.mean()).max() < 1
    kept = before["copies"].to_numpy().ravel()
    drawn = posterior_of(weight / weight.mean())
    for table, name, group in (
        (response_table, "response", "responses"),
        (variance_table, "share", "fevd"),
    ):
        flat = run.tree[f"{group}/{name}"].sel(variable="output").to_numpy()
        flat = flat.reshape(1000, *flat.shape[2:])
        found = table(run.tree, "output")
        for column, q in (("median", 0.5), ("q05", 0.05), ("q84", 0.84)):
            expected = np.quantile(flat[:, 1, 0], q, method="inverted_cdf")
            assert_allclose(found.loc["output, 1", column], expected)
        if "mean" in found:
            assert_allclose(found.loc["output, 1", "mean"], flat[:, 1, 0].mean())
    impact = run.tree["structural/impact"].to_numpy().reshape(1000, 3, 3)
    assert_allclose(impact, np.repeat(drawn.impact.reshape(1000, 3, 3), kept, axis=0))
    assert [f["name"] for f in run.manifest["findings"]][:2] == ["sampling", "weights"]
    size = weight.sum() ** 2 / (weight**2).sum()
    assert f"worth {size:,.0f} of equal weight" in run.manifest["findings"][1]["evidence"]


def test_chains_apart_and_weights_of_a_few_are_refused(fitted):
    with pytest.raises(DiagnosticsError, match="R-hat"):
        fitted(drift=0.5)
    with pytest.raises(DiagnosticsError, match="effective draws are fewer than 400"):
        fitted(np.random.default_rng(0).exponential(size=(4, 250)) ** 4)


def test_what_needs_an_event_is_refused_in_a_sentence(fitted, tmp_path, frame):
    from attribution.compare import compare
    from attribution.errors import DataError

    run = fitted()
    with pytest.raises(DataError, match=r"run 'a': it is about no event, .* add an \[event\]"):
        compare({"a": run, "b": run})
    with pytest.raises(SpecError, match=r"has no \[event\] to leave out; add one"):
        fit(str(tmp_path / "macro.toml"), data=frame, settings=Settings(event_in="all"))


def test_its_parameters_are_those_of_the_system(fitted):
    run = fitted()
    table = engine.summary(run.tree)
    impact = run.tree["structural/impact"].to_numpy()
    assert_allclose(table.loc["impact[rate, price]", "mean"], impact[..., 2, 1].mean())
    assert any(name.startswith("lag_coefficients[") for name in table.index)
