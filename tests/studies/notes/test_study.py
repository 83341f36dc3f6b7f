"""A study of notes through the public face: answers, tables, findings, what is refused."""

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest

import attribution as at
from attribution.errors import DataError, EventError, SpecError
from attribution.finding import verdict_of
from attribution.model import read_model
from attribution.model.uncertain import Uncertain
from attribution.panel import read_evidence
from attribution.report.figures import pictures
from attribution.runs import study_tables
from attribution.runs.study import Effort
from attribution.studies.notes.answer import CERTAIN, barrier_study
from attribution.studies.notes.book import drawn
from attribution.studies.notes.tables import rank_correlation

from .conftest import DAY, FUND, INDEX, record

BOOK = {
    "a": record(),
    "b": record(face=np.nan, percent="60 or 70", maturity="2028"),
    "c": record(percent="80", kind="20% buffer"),
}


@pytest.fixture(scope="module")
def shipped():
    """Fit the shipped model with few draws."""
    return at.fit("barrier", settings=at.Settings(draws=400, seed=5))


def test_a_seed_repeats_a_study_and_another_does_not(study):
    one, two, other = study(BOOK), study(BOOK), study(BOOK, seed=2)
    pd.testing.assert_frame_equal(one.tables["answers"], two.tables["answers"])
    assert one.headline == two.headline != other.headline


def test_answers_are_of_the_draws(study):
    found = study(BOOK)
    posterior, answers = found.groups["/posterior"], found.tables["answers"]
    parts = posterior["without_overlay"] + posterior["overlay"]
    np.testing.assert_allclose(parts, posterior["total"], atol=1e-12)
    total = posterior["total"].to_numpy()
    assert posterior["total"].dims == ("chain", "draw")
    assert answers.loc["flow/with overlay", "mean"] == pytest.approx(total.mean())
    assert answers.loc["sells/with overlay", "mean"] == pytest.approx((total < 0).mean())
    by_note = posterior["flow"].mean(("chain", "draw")).to_numpy()
    np.testing.assert_allclose(found.tables["notes"]["mean"], by_note)
    assert found.tables["notes"]["share_of_face"].sum() == pytest.approx(1.0)


def test_what_is_drawn_of_a_note_is_said(study):
    said = study(BOOK).tables["notes"]["drawn"]
    assert said.to_dict() == {"a": "nothing", "b": "face, barrier, maturity", "c": "nothing"}


def test_other_days_are_priced_beside_the_event(study):
    also = {"event": {"also": [date(2026, 2, 4)]}}
    alone, beside = study(BOOK), study(BOOK, **also)
    rows = [name for name in beside.tables["answers"].index if name.startswith("2026-02-04")]
    assert len(rows) == 2
    pd.testing.assert_series_equal(
        alone.tables["answers"].loc["flow/with overlay"],
        beside.tables["answers"].loc["flow/with overlay"],
    )
    assert beside.groups["/posterior"]["total_by_day"].sizes["day"] == 2


def test_what_was_assumed_is_listed_with_its_source_and_weight(study):
    table = study(BOOK, draws=2000).tables["assumptions"]
    assert (table["source"].str.len() > 0).all()
    assert table.loc["overlay ratio", "belief"] == "beta(1, 3)"
    assert table.loc["overlay ratio", "rank_correlation"] < -0.3
    # an overlay cannot move what is asked without one: zero within four standard errors
    assert abs(table.loc["overlay ratio", "rank_correlation_without_overlay"]) < 4 / 2000**0.5


@pytest.mark.parametrize("law", ["uniform", "lognormal", "beta"])
def test_beliefs_are_drawn_from_their_laws(law):
    values = drawn(Uncertain(law, 2.0, 3.0, ""), 40_000, np.random.default_rng(1))
    middle = {"uniform": 2.5, "lognormal": 2.0, "beta": 0.3857}[law]
    spread = {"uniform": 0.5, "lognormal": 8.0, "beta": 0.3}[law]
    assert np.median(values) == pytest.approx(middle, abs=5 * spread / 200)


@pytest.mark.parametrize(
    ("chance", "said"), [(0.96, "holds"), (0.94, "undecided"), (0.04, "fails")]
)
def test_a_verdict_needs_nineteen_of_twenty(chance, said):
    assert verdict_of(chance, sure=CERTAIN) == said


def test_rank_correlation_is_that_of_ranks():
    x = np.random.default_rng(1).standard_normal(100)
    assert rank_correlation(x, np.exp(x)) == pytest.approx(1.0)
    assert rank_correlation(x, -(x**3)) == pytest.approx(-1.0)
    assert rank_correlation(x, np.ones(100)) == 0.0


def test_without_a_volume_the_size_is_untestable(model, evidence):
    given = evidence(BOOK)
    given.rows.loc[pd.Timestamp(DAY), "ibit_volume"] = np.nan
    found = barrier_study(model(), given, Effort(400, 1))
    assert found.findings[1].verdict == "untestable"


@pytest.mark.parametrize(
    ("error", "message", "changes"),
    [
        (SpecError, "does not fill 4 equal chains", {"draws": 402}),
        (SpecError, "fewer than 400", {"draws": 40}),
        (EventError, "no 'ibit' and 'dvol' on 2026-02-07", {"event": {"day": date(2026, 2, 7)}}),
        (EventError, "no row before 2025-12-10", {"event": {"day": date(2025, 12, 10)}}),
        (DataError, "have no column 'maturity'", {"lacking": "maturity"}),
        (DataError, "matures before the path ends", {"maturity": "2026-02-04"}),
        (DataError, "no close on its days of fixing", {"fixed": "2025-12-11"}),
    ],
)
def test_what_cannot_be_answered_is_refused_in_one_sentence(study, error, message, changes):
    terms = {name: changes.pop(name) for name in ("maturity", "fixed") if name in changes}
    book = {"a": record(**terms)}
    if "lacking" in changes:
        del book["a"][changes.pop("lacking")]
    with pytest.raises(error, match=message) as refusal:
        study(book, **changes)
    assert "\n" not in str(refusal.value)


def test_a_frame_is_refused_since_it_carries_no_records():
    with pytest.raises(DataError, match="hand over a folder"):
        at.fit("barrier", data=pd.DataFrame({"ibit": list(FUND.values()), "dvol": INDEX}))


def test_the_shipped_model_answers_on_the_shipped_data(shipped):
    """Mechanics of the day, whatever was assumed: a long put is gamma, its vega is short."""
    answers = study_tables(shipped.tree)["answers"]
    assert answers.loc["flow/without overlay", "mean"] > 0.0
    assert answers.loc["volatility/without overlay", "q95"] < 0.0
    assert answers.loc["flow/overlay alone", "q95"] < 0.0
    assert set(shipped.tree["posterior"]["total"].dims) == {"chain", "draw"}
    names = [finding["name"] for finding in shipped.manifest["findings"]]
    assert names == ["sign of hedging", "hedge against the day's volume", "known notes"]
    assert "USD million" in shipped.manifest["headline"]


def test_the_rise_that_turns_the_dip_buying_is_of_the_order_worked_out_by_hand(shipped):
    """Ten to twenty-three points over strikes, barriers and maturities tried one by one."""
    row = study_tables(shipped.tree)["break-even"].loc["rise/without overlay"]
    assert 8.0 < row["q05"] < row["median"] < row["q95"] < 27.0


def test_figures_are_drawn_from_the_saved_tree_alone(shipped):
    drawn_of_run = pictures(shipped.tree, study_tables(shipped.tree))
    assert [one.name for one in drawn_of_run] == ["barrier_by_note", "barrier_profile"]
    for one in drawn_of_run:
        assert one.caption.endswith(".")
        assert all(axis.get_xlim()[0] < 0 < axis.get_xlim()[1] for axis in one.figure.axes)


def test_the_records_are_in_the_digest():
    spec = read_model("barrier")
    found = read_evidence(spec)
    assert len(found.tables["notes"]) == 13
    assert set(found.rows) == {"ibit", "ibit_volume", "dvol"}


def test_the_command_line_fits_and_reports(attribution, tmp_path):
    out = tmp_path / "run"
    code, said, _ = attribution("fit", "--model", "barrier", "--draws", "400", "--out", str(out))
    assert code == 0
    assert "sign of hedging" in said
    assert (out / "report.html").read_text(encoding="utf-8").count("<svg") >= 2
    assert "sign of hedging" in json.dumps(json.loads((out / "manifest.json").read_text()))


def test_terms_are_known_only_in_full(shipped):
    notes = study_tables(shipped.tree)["notes"]
    assert sorted(notes.index[notes["drawn"] == "nothing"]) == ["N02", "N13"]
