"""Days of a structural model: known on the eve, in model units, or refused in one sentence."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from attribution.errors import DataError, EventError
from attribution.studies.event.notes import surface_of
from attribution.studies.event.priors import Reported
from attribution.studies.event.question import Drivers
from attribution.studies.event.rows import event_rows

PLACE = "made-up"


def test_what_scales_a_day_is_what_was_known_on_its_eve(question, frame, evidence, rows):
    """Whatever happens on the last day moves none of what scales it."""
    changed = frame.copy()
    held = [question.price, question.impact.volume, question.volatility.column]
    changed.loc[changed.index[-1], held] *= 3.0
    after = event_rows(question, evidence(changed), PLACE)
    for name in ("sigma", "volume", "capitalisation", "price", "open_interest"):
        assert getattr(after, name)[-1] == getattr(rows, name)[-1]
    assert after.volatility[-1] != rows.volatility[-1]


def test_units_are_those_of_the_model(question, frame, rows):
    day, at = rows.event, frame.index[100]
    eve = frame.index[99]
    assert rows.days[day] == np.datetime64(at, "D")
    assert rows.move[day] == pytest.approx(-0.13)
    assert rows.sigma[day] == pytest.approx(
        frame.loc[eve, question.volatility.column] / 100.0 / np.sqrt(365.0)
    )
    traded = frame[question.impact.volume] * frame[question.price] / 1e6
    expected = traded.iloc[80:100].mean() * question.impact.volume_multiple
    assert rows.volume[day] == pytest.approx(expected)
    assert rows.capitalisation[day] == pytest.approx(
        frame.loc[eve, question.price] * question.impact.supply
    )
    assert rows.drivers.mean(axis=0) == pytest.approx(0.0, abs=1e-12)
    assert rows.drivers.std(axis=0) == pytest.approx(1.0)


def test_open_interest_is_carried_in_coins(question, frame, rows):
    """At the event its dollars are the last coins at the last price."""
    held = frame[question.liquidations.open_interest] / frame[question.price]
    coins, eve = held.dropna().iloc[-1], frame[question.price].iloc[99]
    assert rows.open_interest[rows.event] == pytest.approx(coins * eve)
    assert rows.carried[rows.event]
    assert not rows.carried[0]


def test_open_interest_that_is_not_carried_refuses_the_event(question, frame, evidence):
    idle = replace(question, liquidations=replace(question.liquidations, carry=0))
    with pytest.raises(EventError, match="is named and lacks 'open_interest'; fill it in"):
        event_rows(idle, evidence(frame), PLACE)


def test_what_is_reported_stands_where_the_series_has_none(question, frame, evidence):
    told = (Reported(question.day, 1160.0, 221.5, "a newspaper"),)
    asked = replace(question, liquidations=replace(question.liquidations, reported=told))
    rows = event_rows(asked, evidence(frame), PLACE)
    assert (rows.longs[rows.event], rows.shorts[rows.event]) == (1160.0, 221.5)
    assert list(rows.latent) == [2]
    known = (Reported(question.placebo[0], 1160.0, 221.5, "a newspaper"),)
    asked = replace(question, liquidations=replace(question.liquidations, reported=known))
    rows = event_rows(asked, evidence(frame), PLACE)
    assert rows.longs[rows.named[0]] == frame[question.liquidations.longs].iloc[40]


def test_bounds_that_contradict_each_other_are_counted_and_left_out(question, frame, evidence):
    rows = event_rows(question, evidence(frame), PLACE)
    assert (list(rows.bounded), rows.contradicted) == ([rows.named[0]], 0)
    frame.loc[frame.index[40], question.liquidations.longs] = 1e6
    rows = event_rows(question, evidence(frame), PLACE)
    assert (list(rows.bounded), rows.contradicted) == ([], 1)


def test_a_cell_of_one_equation_costs_that_equation_its_day_and_no_other(question, rows):
    assert np.isnan(rows.basis).sum() == 1
    assert not np.isnan(rows.creations).any()
    assert rows.left_out == 0


def test_a_day_that_lacks_a_driver_is_left_out_and_counted(question, frame, evidence, rows):
    frame.loc[frame.index[70], question.drivers[0].columns[0]] = np.nan
    found = event_rows(question, evidence(frame), PLACE)
    assert (len(found.days), found.left_out) == (len(rows.days) - 1, 1)


@pytest.mark.parametrize(
    ("spoil", "error", "sentence"),
    [
        (lambda q, f: f.drop(f.index[100]), EventError, "is named and has no row"),
        (lambda q, f: f.iloc[:101].iloc[60:], DataError, "days are complete and 60 are needed"),
        (
            lambda q, f: f.assign(**{q.drivers[0].columns[1]: 1.0}),
            DataError,
            "does not vary over its days",
        ),
        (lambda q, f: f.assign(**{q.scale: "high"}), DataError, "holds texts"),
        (
            lambda q, f: f.set_axis(range(len(f)), axis=0),
            DataError,
            "are not one a day; hand over one row a day",
        ),
    ],
)
def test_days_that_cannot_be_used_are_refused(question, frame, evidence, spoil, error, sentence):
    with pytest.raises(error, match=sentence) as refusal:
        event_rows(question, evidence(spoil(question, frame)), PLACE)
    assert "\n" not in str(refusal.value)
    assert ";" in str(refusal.value)


def test_a_named_day_without_its_outcome_is_refused(question, frame, evidence):
    frame.loc[frame.index[100], question.outcome] = np.nan
    with pytest.raises(EventError, match="is named and lacks 'move'; fill it in"):
        event_rows(question, evidence(frame), PLACE)


def test_groups_of_drivers_point_at_their_columns(question, frame, evidence):
    first, *others = question.drivers[0].columns
    asked = replace(question, drivers=(Drivers("a", tuple(others)), Drivers("b", (first,))))
    rows = event_rows(asked, evidence(frame), PLACE)
    assert rows.names == (*others, first)
    assert {key: list(value) for key, value in rows.groups.items()} == {
        "a": [0, 1, 2],
        "b": [3],
    }


def test_notes_without_records_are_refused(question, frame, evidence, rows):
    with pytest.raises(DataError, match="is not among the data; hand over a folder"):
        surface_of(question, evidence(frame), rows, np.random.default_rng(0))


def test_notes_are_priced_from_their_records(question, frame, evidence, rows):
    """One record that states everything: nothing before it is fixed, something after."""
    columns = (
        "issuer", "product", "doc_date", "pricing_date", "maturity", "notional_usd",
        "ibit_initial", "ibit_initial_basis", "barrier_pct_of_initial", "barrier_kind",
        "barrier_level", "barrier_level_basis", "autocall_or_cap",
    )  # fmt: skip
    fixed = frame.index[50]
    record = dict.fromkeys(columns, np.nan) | {
        "product": "Barrier Notes", "pricing_date": f"{fixed:%Y-%m-%d}",
        "maturity": "2027-08-11", "notional_usd": 1e8, "barrier_pct_of_initial": "70",
        "ibit_initial": float(frame[question.notes.closes].loc[fixed]),
        "ibit_initial_basis": "stated", "doc_date": f"{fixed:%Y-%m-%d}",
    }  # fmt: skip
    records = pd.DataFrame([record], index=pd.Index(["N1"], name="id"))
    found = surface_of(
        question, evidence(frame, {"notes": records}), rows, np.random.default_rng(0), scenarios=2
    )
    assert found.book.shape[:2] == (2, len(rows.days))
    later = np.flatnonzero(rows.days > fixed.to_datetime64().astype("datetime64[D]"))
    assert (found.book[:, : later[0]] == 0.0).all()
    assert (np.abs(found.book[:, later[2]]) > 0.0).any()
