"""A study's run: saved whole, read again, shown on screen and page, and laid beside a VAR."""

import json
from dataclasses import dataclass
from io import StringIO

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from attribution import compare as comparing
from attribution import runs
from attribution.errors import SpecError
from attribution.fit import Settings, fit
from attribution.model.study import StudySample, StudySpec
from attribution.report import deliver, figures
from attribution.report.results import opening
from attribution.report.run_tables import tables
from attribution.runs.run import Run, load_run, versions
from attribution.runs.study import Study

ANSWERS = pd.DataFrame(
    {
        "estimand": ["effect of a return", "effect of <nothing>"],
        "mean": [12.5, -0.25],
        "sd": [2.0, 0.5],
        "q05": [9.0, -1.0],
        "q95": [16.0, np.nan],
        "unit": ["USD million", "log points"],
        "p_value": [0.01, np.nan],
    },
    index=["same_day", "other"],
)


@dataclass(frozen=True)
class Asked:
    columns: tuple = ("flow",)
    outcome: str = "flow"


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setattr(figures, "study_pictures", lambda tree, found: [])
    spec = StudySpec("toy", "panel", "A toy [study]", (), StudySample(), Asked())
    posterior = xr.Dataset({"slope": (("chain", "draw"), np.ones((2, 3)))})
    counts = pd.DataFrame({"rows": [3, 4], "word": ["a", "b"]}, index=["A", "B"])
    tree = runs.study_tree(
        {"/posterior": posterior},
        {"answers": ANSWERS, "counts": counts},
        spec,
        {"flow": "USD million"},
    )
    manifest = {
        "model": "toy", "seed": 5, "headline": "It rose by 12.5.", "about": "What a slope is.",
        "digests": {"model": "a", "data": "b"}, "versions": versions(), "diagnostics": {},
        "findings": [
            {"name": "weak", "question": "Is it?", "evidence": "It is.", "verdict": "holds",
             "probability": 0.95}
        ],
    }  # fmt: skip
    return Run(tree, manifest)


def test_tables_come_back_from_disk_as_they_were_made(run, tmp_path):
    deliver.write_run(run, tables(run), tmp_path / "run", report=False)
    found = tables(load_run(tmp_path / "run"))
    assert list(found) == ["answers", "counts"]
    pd.testing.assert_frame_equal(found["answers"], ANSWERS, check_index_type=False)
    assert found["counts"]["rows"].tolist() == [3.0, 4.0]
    assert found["counts"]["word"].tolist() == ["a", "b"]


def test_the_page_shows_every_answer_and_what_is_estimated(run, tmp_path):
    deliver.write_run(run, tables(run), tmp_path / "run", report=True)
    page = (tmp_path / "run" / "report.html").read_text()
    for text in ("It rose by 12.5.", "What a slope is.", "same day", "12.5", "effect of a return"):
        assert text in page
    assert "effect of &lt;nothing&gt;" in page
    assert "rotation" not in page


def test_the_numbers_of_a_study_are_those_of_its_tables(run):
    found = json.loads(deliver.as_json(run, tables(run)))
    assert found["tables"]["answers"]["same_day"]["mean"] == 12.5
    assert "q95" not in found["tables"]["answers"]["other"]
    assert found["headline"] == opening(run, tables(run))


def test_a_terminal_shows_answers_short_tables_findings_and_the_sentence(run):
    from rich.console import Console

    console = Console(width=200, record=True, file=StringIO())
    for item in deliver.lines(run, tables(run), every=False):
        console.print(item)
    text = console.export_text()
    for said in (
        "A toy [study]",
        "same day",
        "9.0 to 16.0",
        "further tables (1)",
        "weak",
        "It rose by 12.5.",
    ):
        assert said in text


def test_beside_a_var_each_answer_keeps_its_estimand(run, tmp_path):
    var = fit("var", settings=Settings(draws=4000))
    found = comparing.answers_of({"var": var, "toy": run})
    said = found.table
    assert set(said["run"]) == {"var", "toy"}
    own = tables(var)["crash"]
    row = said[(said["run"] == "var") & (said["answer"] == "baseline")]
    assert row["mean"].item() == own.loc["baseline", "mean"]
    assert said[said["run"] == "var"]["estimand"].str.contains("shock contribution").all()
    written = comparing.write_answers(found, tmp_path / "out")
    assert {path.name for path in written} == {
        "answers.json",
        "answers.csv",
        "answers.svg",
        "answers.png",
    }


@pytest.mark.parametrize(
    ("tables_", "message"),
    [
        ({"counts": ANSWERS}, "first table is 'counts'"),
        ({"answers": ANSWERS.drop(columns="unit")}, "lacks column 'unit'"),
    ],
)
def test_a_study_without_answers_cannot_be_built(tables_, message):
    with pytest.raises(ValueError, match=message):
        Study({}, tables_, (), "")


@pytest.mark.parametrize(
    ("settings", "message"),
    [(Settings(event_in="in"), "--event-in"), (Settings(sampler="pymc"), "--sampler")],
)
def test_settings_that_a_study_does_not_know_are_refused(settings, message):
    spec = StudySpec("toy", "panel", "Toy", (), StudySample(), Asked())
    with pytest.raises(SpecError, match=message):
        fit(spec, data=pd.DataFrame({"flow": [1.0]}), settings=settings)


def test_draws_of_a_study_that_did_not_converge_are_kept_without_an_answer(
    monkeypatch, tmp_path, attribution
):
    from types import SimpleNamespace

    from attribution.errors import DiagnosticsError
    from attribution.fit import studied
    from attribution.sampling.judge import sampled

    apart = np.random.default_rng(1).normal(size=(2, 200, 3)) + np.array([0.0, 5.0])[:, None, None]
    spec = StudySpec("toy", "panel", "A toy [study]", (), StudySample(), Asked())
    evidence = SimpleNamespace(
        units={"flow": "USD million"}, rows=range(3), digest="d", repairs=(), columns=()
    )
    monkeypatch.setattr(studied, "read_evidence", lambda spec, data: evidence)
    monkeypatch.setattr(studied, "digest_of", lambda spec: "m")
    monkeypatch.setattr(
        studied,
        "loaded",
        lambda _: lambda *_: sampled({"sum of a/b": apart, "one": apart[..., 0]}, {}, "toy"),
    )
    with pytest.raises(DiagnosticsError, match="toy: the sampler did not converge") as failed:
        fit(spec)
    place = deliver.write_unconverged(failed.value.run, tmp_path / "toy")
    code, out, err = attribution("summary", place)
    assert (code, err) == (0, "")
    assert "unconverged" in out and "sum of a b[" in out and "one" in out and "r_hat" in out
    with pytest.raises(DiagnosticsError, match="it is unconverged"):
        load_run(place)
    kept = load_run(place, unconverged=True)
    assert np.array_equal(kept.tree["posterior"]["sum of a b"].to_numpy(), apart)
    assert kept.manifest["diagnostics"]["max_rhat"] > 1.5 and tables(kept) == {}
