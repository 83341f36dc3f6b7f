"""A folder with bars and a model that names them in; a run with its report out.

Draws of the prior stand in for the sampler's; all else is what a user's run goes through.
"""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import attribution as at
from attribution.content import content
from attribution.errors import DataError
from attribution.report.deliver import write_run
from attribution.report.run_tables import tables
from attribution.runs.run import load_run
from attribution.studies.event import answer

CARD = """
schema = 1
index = "closes"
layout = "records"

[series.close]
unit = "USDT"
[series.low]
unit = "USDT"
[series.high]
unit = "USDT"
"""
BARS = '[event.bars]\nrecords = "hours"\nclose = "close"\nlow = "low"\nhigh = "high"\n\n[[drivers]]'


@pytest.fixture(scope="module")
def folder(tmp_path_factory, hours):
    """The shipped data, with bars beside them."""
    found = tmp_path_factory.mktemp("data")
    for file in content("data").iterdir():
        (found / file.name).write_bytes(file.read_bytes())
    hours(240).to_csv(found / "hours.csv", index_label="closes")
    (found / "hours.toml").write_text(CARD, encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def spec():
    text = (content("models") / "event.toml").read_text(encoding="utf-8")
    return at.model_from(text.replace("[[drivers]]", BARS, 1), name="event")


@pytest.fixture
def unsampled(monkeypatch, case):
    """Nothing is priced or sampled, and independent draws need no judge."""
    monkeypatch.setattr(answer, "surface_of", lambda *_: case.surface)
    monkeypatch.setattr(answer, "fit_event", lambda *_, **__: case.fit)
    judged = SimpleNamespace(findings=(), diagnostics={})
    monkeypatch.setattr(answer, "judged_draws", lambda *_: judged)
    monkeypatch.setattr(answer, "PRIOR", 200)


def test_a_run_by_bars_is_written_with_its_figure_and_says_so(folder, spec, unsampled, tmp_path):
    run = at.fit(spec, data=folder)
    out = tmp_path / "event"
    write_run(run, tables(run), out, report=True)
    again = load_run(out)
    steps = again.tree["steps"].sizes["step"]
    assert 6 < steps <= 18 and run.manifest["notes"]["steps"] == steps
    assert f"is solved in {steps} steps between the closes of 6 bars" in again.manifest["about"]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "The day by steps" in page and "by steps" in page
    assert (out / "figures" / "event_steps.svg").is_file()
    found = {one["name"]: one for one in json.loads(json.dumps(again.manifest["findings"]))}
    assert "steps against at once" in found["within the day"]["evidence"]
    values = again.tree["coalitions"]["value"].to_numpy()
    assert values[..., -1] == pytest.approx(100.0 * np.log(63775.67 / 73516.3), abs=1e-8)


def test_the_same_run_without_bars_is_solved_at_once(folder, spec, unsampled):
    run = at.fit(replace(spec, question=replace(spec.question, bars=None)), data=folder)
    assert "steps" not in run.tree.children and run.manifest["notes"]["steps"] == 1
    assert "solved at once, as one fixed point: the model names no bars" in run.manifest["about"]


def test_another_clock_of_the_rows_is_refused_before_anything_is_priced(folder, spec, tmp_path):
    for file in folder.iterdir():
        text = file.read_bytes()
        if file.name == "daily.toml":
            text = text.replace(b"16:00 America/New_York", b"16:00 Europe/London")
        (tmp_path / file.name).write_bytes(text)
    with pytest.raises(DataError, match=r"\[event.bars\] 'hours'.*2026-02-04 16:00 UTC, when the"):
        at.fit(spec, data=tmp_path)


def test_bars_that_are_not_beside_the_data_are_refused(spec):
    with pytest.raises(DataError, match=r"hours.*has no card hours\.toml"):
        at.fit(spec)
