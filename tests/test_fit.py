"""The one path: a name in, a run that adds up, repeats to the bit, and says what made it."""

import os
import shutil
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from threadpoolctl import threadpool_info, threadpool_limits

from attribution.content import content
from attribution.errors import DiagnosticsError
from attribution.fit import Settings, fit
from attribution.model import read_model
from attribution.panel import read_panel
from attribution.report import deliver
from attribution.report.results import results
from attribution.report.run_tables import tables
from attribution.runs.run import digest_of, load_run, save_run
from attribution.sampling import engine

GROUPS = {
    *("/posterior", "/windows/event", "/structural", "/structural_shocks", "/responses"),
    *("/weights", "/observed_data", "/fevd", "/coherent"),
}
EXACT = 1e-10
EXACTLY = {"rtol": 0, "atol": EXACT}


@pytest.fixture(scope="module", params=["var", "bvar_signs"])
def saved(request, tmp_path_factory):
    """A placebo run, written and read back."""
    run = request.getfixturevalue({"var": "var_run", "bvar_signs": "signs_run"}[request.param])
    folder = tmp_path_factory.mktemp(request.param)
    save_run(run, folder)
    return load_run(folder)


@pytest.fixture(scope="module")
def nested(shipped, tmp_path_factory):
    """The windows of the shipped model, moved: 10 October; 9 and 10; 10, 13 and 14."""
    path = tmp_path_factory.mktemp("nested") / "var.toml"
    path.write_text(shipped("var"), encoding="utf-8")
    return fit(str(path), settings=Settings(2000, 5)).tree


def test_a_run_has_its_groups_and_every_variable_its_unit(saved):
    tree = saved.tree
    extra = {"bvar_signs": {"/robust", "/log_prior"}, "var": {"/point"}}[tree.attrs["model"]]
    assert {node.path for node in tree.subtree if node.data_vars} == GROUPS | extra
    for node in tree.subtree:
        for name, array in node.data_vars.items():
            assert array.attrs.get("units"), f"{node.path}/{name}"
            assert array.attrs.get("long_name"), f"{node.path}/{name}"
    assert tree["posterior/contribution"].attrs["units"] == "log points"
    assert tree["structural_shocks/shock"].attrs["units"] == "scales"
    assert tree["weights/weight"].attrs["units"] == "1"
    assert tree.attrs["outcome"] == "btc_return" and tree.attrs["outcome_unit"] == "log points"
    assert tree.attrs["estimand"].startswith("S: ")
    assert tree["posterior/contribution"].dims == ("chain", "draw", "window", "channel")
    assert str(tree["posterior/channel"].to_numpy()[-1]) == "unattributed"
    assert set(tree["responses/unit"].to_numpy()) >= {"log points", "index points"}


def test_a_fit_runs_linear_algebra_on_one_thread():
    """However many the caller has; a number of threads that moves last bits moves whole chains."""

    def threads():
        return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}

    assert threads() == {int(os.environ["OPENBLAS_NUM_THREADS"])}  # of the tests: conftest.py
    seen = []
    with threadpool_limits(2, user_api="blas"):
        assert threads() == {2}
        fit("var", settings=Settings(2000, 5), say=lambda text: seen.append(threads()))
        assert threads() == {2}
    assert seen and all(each == {1} for each in seen)


def test_arviz_lists_the_contributions_of_a_saved_run(saved):
    import arviz as az

    tree = saved.tree
    posterior = tree["posterior"].to_dataset()
    with warnings.catch_warnings():  # shocks ordered after the outcome contribute exactly nothing
        warnings.filterwarnings("ignore", "(invalid value|divide)", RuntimeWarning)
        shown = az.summary(posterior)
        if not az.__version__.startswith("0."):
            assert az.summary(tree).index.equals(shown.index)
    rows = [f"contribution[event, {c}]" for c in tree["posterior/channel"].to_numpy()]
    assert set(rows) <= set(shown.index)
    ours = engine.summary(tree)
    assert set(rows) <= set(ours.index)
    mean = tree["posterior/contribution"].mean(("chain", "draw")).to_numpy()[0]
    assert_allclose(ours.loc[rows, "mean"], mean, **EXACTLY)


def test_contributions_and_baseline_give_the_observed_path_in_every_draw(saved):
    for window in saved.tree["windows"].children.values():
        day = window.to_dataset()
        gap = day["contribution"].sum("channel") + day["baseline"] - day["observed"]
        assert float(np.abs(gap).max()) <= EXACT
        sums = saved.tree["posterior"].to_dataset().sel(window=window.name)
        total = sums["contribution"].sum("channel") + sums["baseline"]
        assert float(np.abs(total - day["observed"].sum()).max()) <= EXACT
        assert_allclose(sums["contribution"], day["contribution"].sum("time"), **EXACTLY)


def test_one_seed_is_one_run_to_the_last_bit_and_another_is_another(var_run, signs_run, refit):
    for run in (var_run, signs_run):
        model = run.tree.attrs["model"]
        again, other = refit(model), refit(model, seed=6)
        assert tables(again).keys() == tables(run).keys()
        for name, table in tables(run).items():
            assert table.equals(tables(again)[name]), name
        assert results(again, tables(again)) == results(run, tables(run))
        assert {**again.manifest, "created": ""} == {**run.manifest, "created": ""}
        for node in run.tree.subtree:
            assert node.to_dataset().identical(again.tree[node.path].to_dataset()), node.path
        assert not tables(other)["event"]["mean"].equals(tables(run)["event"]["mean"])


def test_two_runs_of_one_seed_write_the_same_bytes_but_for_the_hour(
    var_run, refit, tmp_path, snapshot
):
    for run, name in ((var_run, "one"), (refit("var"), "two")):
        run = replace(run, manifest={**run.manifest, "created": "now"})
        deliver.write_run(run, tables(run), tmp_path / name, report=True)
    one, two = snapshot(tmp_path / "one"), snapshot(tmp_path / "two")
    assert {"report.html", "results.json", "run.nc", "manifest.json"} <= one.keys()
    assert [name for name in {**one, **two} if one.get(name) != two.get(name)] == []


def test_the_draws_settle_the_answer_not_the_seed(var_run, refit):
    """Two seeds agree within six Monte Carlo errors of their difference."""
    one, two = tables(var_run)["event"], tables(refit("var", seed=6))["event"]
    error = np.hypot(one["mcse_mean"], two["mcse_mean"])
    assert ((one["mean"] - two["mean"]).abs() <= 6 * error + 1e-9).drop("observed").all()


def test_the_manifest_says_what_made_the_run(var_run):
    made = var_run.manifest
    assert made["digests"]["model"] == digest_of(read_model("var"))
    assert made["digests"]["data"] == read_panel(read_model("var")).digest
    assert made["settings"]["draws"] == 2000 and made["settings"]["event_in"] == "out"
    assert {"attribution", "python", "numpy", "pymc"} <= made["versions"].keys()
    assert all(isinstance(held, bool) for held in made["checks"].values())


def test_one_changed_byte_of_model_table_card_or_data_changes_its_digest(tmp_path):
    for kind in ("models", "data"):
        shutil.copytree(content(kind), tmp_path / kind)
    models, data = tmp_path / "models", tmp_path / "data"
    table = models / "tables" / "bitcoin.toml"
    model = models / "bvar_signs.toml"
    text = model.read_text(encoding="utf-8")
    assert 'table = "bitcoin"' in text
    model.write_text(text.replace('table = "bitcoin"', 'table = "tables/bitcoin.toml"'), "utf-8")

    def digests():
        spec = read_model(str(model))
        return digest_of(spec), read_panel(spec, data).digest

    seen = [digests()]
    for path, moved in ((model, 0), (table, 0), (data / "daily.toml", 1), (data / "daily.csv", 1)):
        path.write_bytes(_nudge(path))
        seen.append(digests())
        assert seen[-1][moved] != seen[-2][moved] and seen[-1][1 - moved] == seen[-2][1 - moved]


def _nudge(path: Path) -> bytes:
    """Change the file by one byte that changes nothing: a comment grows, a number gains a zero."""
    old = path.read_bytes()
    if path.suffix == ".toml":
        return old + b"\n"
    head, _, last = old.rstrip(b"\n").rpartition(b"\n")
    cells = last.split(b",")
    at = next(i for i, cell in enumerate(cells) if i and b"." in cell)
    cells[at] += b"0"
    return head + b"\n" + b",".join(cells) + b"\n"


def test_windows_of_one_start_share_their_days_and_all_share_the_shocks(nested):
    crash, before, after = (
        nested[f"windows/{name}"].to_dataset() for name in ("crash", "shock+crash", "round-trip")
    )
    assert set(crash["time"].values) < set(before["time"].values)
    assert set(crash["time"].values) < set(after["time"].values)
    for name in ("contribution", "baseline"):
        assert_allclose(after.isel(time=0)[name], crash.isel(time=0)[name], **EXACTLY)
    shocks = nested["structural_shocks"].to_dataset()["shock"]
    impact = nested["structural"].to_dataset()["impact"].sel(variable="btc_return")
    for window in (crash, before, after):
        first = window.isel(time=0)
        drawn = shocks.sel(day=first["time"].values).to_numpy() * impact.to_numpy()
        named = [str(name) for name in first["channel"].to_numpy()[:-1]]
        at = [list(impact["shock"].to_numpy()).index(name) for name in named]
        assert_allclose(first["contribution"].to_numpy()[..., :-1], drawn[..., at], **EXACTLY)


@pytest.mark.slow
def test_too_short_a_sampled_run_is_refused_and_keeps_its_draws_alone(
    attribution, tmp_path, monkeypatch
):
    monkeypatch.setattr("attribution.var.kinds.shape.TUNE", 20)
    words = ["fit", "--model", "bvar", "--event", "2025-10-10", "--draws", "40", "--quiet"]
    code, out, err = attribution(*words, "--out", tmp_path / "run")
    assert (code, out) == (DiagnosticsError.exit_code, "")
    assert len(err.strip().splitlines()) == 1 and "effective draws are fewer than 400" in err
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"run.nc", "manifest.json"}
    assert "effective draws" in load_run(tmp_path / "run", unconverged=True).unconverged


@pytest.mark.slow
@pytest.mark.stored
def test_the_headline_model_converges_on_a_placebo_and_its_windows_share_shocks(shipped, tmp_path):
    """A fall of the same weeks; earlier samples have a mode that chains seldom leave."""
    model = tmp_path / "bvar.toml"
    model.write_text(shipped("bvar", ("2026-01-29", "2026-01-30", "2026-02-02")), encoding="utf-8")
    run = fit(str(model), settings=Settings(seed=5))
    said = run.manifest["diagnostics"]
    assert said["max_rhat"] <= 1.01
    assert min(said["min_ess_bulk"], said["min_ess_tail"]) >= 400
    test_windows_of_one_start_share_their_days_and_all_share_the_shocks(run.tree)
    groups = {node.path for node in run.tree.subtree if node.data_vars}
    assert groups >= {"/prior", "/sample_stats", "/event_in", "/ledger"}
