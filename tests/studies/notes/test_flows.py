"""What hedges trade: prices, the vanilla formula, face, position and touches as oracles."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from attribution.mechanics.note_prices import holders_put
from attribution.mechanics.notes import AT_MATURITY, PricePath
from attribution.mechanics.vanilla import vanilla
from attribution.studies.notes.book import assumed, book_on, day_of, repeated, thinned
from attribution.studies.notes.flows import MOVES, RISES, break_even, day_flows, profile

from .conftest import FUND, INDEX, always, record

DRAWS = ("total", "without_overlay", "overlay", "flow", "block", "total_by_day")


@pytest.fixture
def priced(model, evidence):
    """Draw a book and read its day."""

    def made(records, size=50, seed=1, fund=None, index=INDEX, **sections):
        spec, given = model(**sections), evidence(records, fund, index)
        question = spec.question
        found = assumed(question, given, size, np.random.default_rng(seed))
        return question, found, day_of(question, given, question.day, "a book")

    return made


def drawn(study):
    return {name: study.groups["/posterior"][name].to_numpy() for name in DRAWS}


def test_a_flow_is_the_change_of_finite_differences_of_values(priced):
    """Face over initial value times minus the slope of what the holder sold, at each close."""
    records = {"a": record(), "b": record(percent="80", kind="20% buffer")}
    question, found, day = priced(records)
    flows = day_flows(question, found, day, day)
    book, listed, held = book_on(found, day), day.listed, []
    for spot, vol, time in zip(
        day.spot, found.long_dated(listed, listed[0]).T, (0.0, day.years), strict=True
    ):
        step = 1e-4 * spot
        path = PricePath(
            np.array([spot - step, spot + step]), vol[:, None, None], np.full(2, time),
            np.full(2, False), question.rate, question.carry,
        )  # fmt: skip
        held.append(-book.units * np.diff(holders_put(book, path).value)[..., 0] / (2.0 * step))
    at_maturity = (found.book.watched == AT_MATURITY).all(axis=-1)
    expected = (held[1] - held[0]) * day.spot[1]
    assert at_maturity.sum() > 25
    assert_allclose(flows.notes[at_maturity], expected[at_maturity], rtol=2e-5, atol=1e-8)


def test_a_barrier_at_the_initial_value_is_the_vanilla_put(priced):
    question, found, day = priced({"a": record(percent="100")}, notes=always("maturity"))
    vol = found.long_dated(day.listed, day.listed[0])
    left = found.book.maturity[0, 0] + np.array([1.0, 0.0]) / 365.25
    put = vanilla("put", day.spot, 52.0, left, vol, 0.04, 0.04)
    expected = -np.diff(put.delta, axis=-1)[:, 0] * 5.0 / 52.0 * day.spot[1]
    assert_allclose(day_flows(question, found, day, day).alone, expected, rtol=1e-12)


def test_no_face_trades_exactly_nothing(study):
    found = study({"a": record(face=0.0), "b": record(face=0.0)})
    for name, values in drawn(found).items():
        assert_array_equal(values, 0.0, err_msg=name)
    assert found.tables["answers"].loc["known terms/without overlay", "mean"] == 0.0
    assert [one.verdict for one in found.findings] == ["fails", "fails", "fails"]


def test_the_other_side_trades_the_opposite(study):
    records = {"a": record(), "b": record(percent="60")}
    one, other = study(records), study(records, notes={"position": -1})
    for name in DRAWS:
        assert_array_equal(drawn(one)[name], -drawn(other)[name], err_msg=name)


def test_twice_the_face_trades_twice_as_much(study):
    one, two = study({"a": record()}), study({"a": record(face=1e7)})
    for name in DRAWS:
        assert_allclose(drawn(two)[name], 2.0 * drawn(one)[name], rtol=1e-14, err_msg=name)
    rows = (found.tables["answers"].loc["known terms/without overlay"] for found in (one, two))
    assert_allclose(*(row["mean"] for row in rows), rtol=1e-12)


def test_names_do_not_matter_and_a_note_keeps_its_own(study):
    a, b = record(), record(percent="60", kind="40% buffer")
    sold = {"notes": always("maturity")}
    first, second = study({"a": a, "b": b}, **sold), study({"b": b, "a": a}, **sold)
    third = study({"x": a, "y": b}, **sold)
    assert_array_equal(drawn(first)["flow"], drawn(third)["flow"])
    assert_array_equal(drawn(first)["flow"], drawn(second)["flow"][..., ::-1])
    assert list(third.tables["notes"].index) == ["x", "y"]


def test_a_barrier_touched_on_the_day_sells_the_block(study, priced):
    """Barrier 36.4 lies between the two closes; the same note watched late has no block."""
    soon = {"a": record(maturity="2026-05-18")}
    touched, late = study(soon, notes=always("continuous")), study(soon, notes=always("maturity"))
    assert (drawn(touched)["block"] < 0.0).all()
    assert_array_equal(drawn(late)["block"], 0.0)
    question, found, day = priced(soon, notes=always("continuous"))
    vol = found.long_dated(day.listed, day.listed[0])[:, 1]
    after = vanilla("put", day.spot[1], 52.0, found.book.maturity[0, 0], vol, 0.04, 0.04)
    flows = day_flows(question, found, day, day)
    before = holders_put(
        book_on(found, day),
        PricePath(day.spot[:1], found.level[:, None, None], np.zeros(1), np.full(1, True),
                  0.04, 0.04),
    ).delta[:, 0, 0]  # fmt: skip
    expected = -(after.delta - before) * 5.0 / 52.0 * day.spot[1]
    assert_allclose(flows.alone, expected, rtol=1e-10)


def test_what_a_barrier_has_seen_ends_on_the_eve(priced):
    fund = dict(FUND) | {"2026-02-06": 39.68}
    given = {"fund": fund, "index": (*INDEX, 55.39)}
    records = {"a": record()}
    _, found, day = priced(records, **given, notes=always("continuous"))
    assert not book_on(found, day).touched.any()
    later = {"day": date(2026, 2, 6)}
    _, found, day = priced(records, **given, notes=always("continuous"), event=later)
    assert book_on(found, day).touched.all()


def test_before_its_fixing_a_note_has_no_hedge_and_later_the_same_terms(priced):
    records = {"a": record(), "b": record(fixed="2026-02-04")}
    _, found, day = priced(records)
    assert (book_on(found, day).face == [5.0, 5.0]).all()
    sooner = replace(day, eve=date(2026, 2, 3), day=date(2026, 2, 4))
    book = book_on(found, sooner)
    assert (book.face == [5.0, 0.0]).all()
    assert_allclose(book.maturity, book_on(found, day).maturity + 1 / 365.25)
    assert_array_equal(book.level, book_on(found, day).level)


def test_the_profile_runs_through_the_day_that_was(priced):
    """Moves on the grid, so the day is put on it: closes 14 log points apart."""
    fund = dict(FUND) | {"2026-02-05": 41.57 * np.exp(-0.14)}
    question, found, day = priced({"a": record(), "b": record(percent="60")}, fund=fund)
    flows, alone = day_flows(question, found, day, day), np.flatnonzero(MOVES == -14.0)[0]
    bare, sold = profile(question, found, day)
    assert_allclose(bare[:, alone], flows.alone, rtol=1e-9)
    assert_allclose(sold[:, alone], flows.total, rtol=1e-9)
    still, _ = profile(question, found, day, calm=True)
    assert_allclose(
        still[:, alone], day_flows(question, found, day, day, calm=True).alone, rtol=1e-9
    )


def test_at_the_break_even_nothing_is_traded(priced):
    """Volatility raised by as much as is said, and as much vega sold, leave no trade."""
    question, found, day = priced({"a": record(percent="60", maturity="2028-11-18")})
    even = break_even(question, found, day)
    assert ((even.alone > 0.0) & (even.alone < RISES[-1])).all()
    scale = np.abs(day_flows(question, found, day, day, calm=True).alone)
    jump = np.diff(day.listed)[0]
    moved = replace(found, pass_through=even.alone / 100.0 / jump)
    assert (np.abs(day_flows(question, moved, day, day).alone) < 0.01 * scale).all()
    turned = (even.ratio > 0.0) & (even.ratio < 10.0)
    sold = day_flows(question, replace(found, ratio=even.ratio), day, day)
    assert turned.any()
    assert_allclose(sold.total[turned], 0.0, atol=1e-12)


def test_an_overlay_of_nothing_adds_nothing(study):
    none = {"overlay": {"ratio": {"low": -1e-300, "high": 1e-300, "source": "a test"}}}
    found = drawn(study({"a": record()}, **none))
    assert_allclose(found["total"], found["without_overlay"], rtol=1e-14)


def test_thinning_and_repeating_keep_a_draw_together(priced):
    _, found, _ = priced({"a": record(face=np.nan), "b": record(percent="60 or 70")}, size=10)
    few = thinned(found, 4)
    assert_array_equal(few.level, found.level[::3])
    assert_array_equal(few.book.face, found.book.face[::3])
    many = repeated(few, 2)
    assert_array_equal(many.level, np.repeat(few.level, 2))
    assert_array_equal(many.book.level[::2], few.book.level)


def test_a_put_of_thirty_days_follows_the_index_and_one_of_two_years_the_notes(priced):
    _, found, day = priced({"a": record()})
    short = replace(found, tenor=np.full(50, 30.0 / 365.0)).of_puts(day.listed, day.listed[0])
    assert_allclose(short, np.broadcast_to(day.listed, short.shape), rtol=1e-12)
    long = replace(found, tenor=np.full(50, 2.0)).of_puts(day.listed, day.listed[0])
    assert_allclose(long, found.long_dated(day.listed, day.listed[0]), rtol=1e-12)


def test_by_root_time_less_is_sold_of_the_longer_maturity(priced):
    given = {"overlay": {"root_time": {"probability": 1, "source": "a test"}}}
    question, found, day = priced({"a": record(maturity="2027-02-04")}, **given)
    rooted = day_flows(question, found, day, day)
    raw = day_flows(question, replace(found, rooted=np.zeros(50, bool)), day, day)
    share = np.sqrt(found.tenor[:, None] / rooted.book.maturity)
    assert (share < 1.0).all()
    assert_allclose(rooted.whole, share * raw.whole, rtol=1e-12)
    assert_array_equal(rooted.notes, raw.notes)
