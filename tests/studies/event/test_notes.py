"""The surface of note flows: against direct repricing, between nodes, and what must vanish."""

import time
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from attribution.errors import DataError
from attribution.mechanics.notes import (
    AT_MATURITY,
    CONTINUOUS,
    KINDS,
    Doubts,
    NoteTerms,
    PricePath,
    drawn_fixings,
    notes,
)
from attribution.mechanics.vanilla import vanilla
from attribution.panel.catalogue import read_frame
from attribution.panel.note_terms import YEAR, note_terms
from attribution.studies.event.note_deltas import LOWEST, book_table
from attribution.studies.event.notes import CARRY, RATE, ListedPuts, NoteSurface, note_surface
from attribution.studies.notes.flows import Overlay, hedge_flows

REFERENCE = date(2026, 2, 5)
INDEX = pd.bdate_range("2025-07-01", "2026-02-10")
DAY = 4
"""The day of reference among the last eight."""
FALL = -0.142


def _closes():
    """Up to sixty-five and down to about forty on the eve of the event."""
    at = np.linspace(0.0, 1.0, len(INDEX))
    wave = 1.5 * np.sin(40.0 * at)
    return pd.Series(62.0 + 8.0 * at - 34.0 * np.maximum(at - 0.35, 0.0) + wave, INDEX)


def _terms(closes):
    def fixings(*days):
        past = closes[closes.index < pd.Timestamp(REFERENCE)]
        return {
            "fixings": tuple((past[day], past[day:].min()) for day in days),
            "fixed": tuple(date.fromisoformat(day) for day in days),
        }

    return (
        NoteTerms("in", "knock_in_put", 100.0, fractions=(0.7,), maturity=(1.5, 1.5),
                  **fixings("2025-08-27")),
        NoteTerms("dual", "dual_directional", None, fractions=(0.75, 0.8), maturity=(1.7, 1.9),
                  **fixings("2025-11-03", "2025-11-20")),
        NoteTerms("rise", "buffer", None, fractions=(0.8,), maturity=(2.5, 2.5),
                  participation=2.0, cap=1.45, **fixings("2025-07-15")),
    )  # fmt: skip


@pytest.fixture(scope="module")
def closes():
    return _closes()


@pytest.fixture(scope="module")
def terms(closes):
    return _terms(closes)


@pytest.fixture(scope="module")
def doubts():
    return Doubts((0.5, 0.25, 0.25), 800.0, 0.3)


@pytest.fixture(scope="module")
def puts():
    return ListedPuts(strike=(0.85, 1.0), tenor=(30 / 365, 90 / 365), root_time=0.5)


@pytest.fixture(scope="module")
def make(closes, terms, doubts, puts):
    """Price a surface over the last days; anything can be given another value."""

    def surface(days=INDEX[-8:], *, vol=0.55, listed=0.5, scenarios=12, seed=3, **changes):
        given = {"terms": terms, "doubts": doubts, "puts": puts, "closes": closes} | {
            key: changes.pop(key) for key in ("terms", "doubts", "puts", "closes")
            if key in changes
        }  # fmt: skip
        return note_surface(
            *given.values(), pd.DatetimeIndex(days), vols=np.full(len(days), vol),
            listed_vols=np.full(len(days), listed), reference=REFERENCE, scenarios=scenarios,
            rng=np.random.default_rng(seed), **changes,
        )  # fmt: skip

    return surface


@pytest.fixture(scope="module")
def surface(make):
    return make()


def direct(terms, doubts, closes, day, move, rise, *, seed=3, scenarios=12, vol=0.55, puts=None,
           listed=(0.5, 0.5)):  # fmt: skip
    """Flows of the same draws by full repricing, (scenario,): notes, and all vega in one put."""
    book, which = drawn_fixings(terms, doubts, scenarios, np.random.default_rng(seed))
    past = closes[closes.index < day]
    eve, reference = past.index[-1], closes[closes.index < pd.Timestamp(REFERENCE)].index[-1]
    span = (day - eve).days / YEAR
    lows = np.stack([
        [past[pd.Timestamp(one.fixed[k]):].min() for k in which[:, i]]
        for i, one in enumerate(terms)
    ], axis=-1)  # fmt: skip
    alive = lows < np.inf
    book = replace(
        book, face=np.where(alive, book.face, 0.0) / book.face.sum(1, keepdims=True),
        maturity=book.maturity + (reference - eve).days / YEAR,
        touched=(lows <= book.level) & (book.watched != AT_MATURITY),
    )  # fmt: skip
    path = PricePath(
        past.iloc[-1] * np.array([1.0, np.exp(move)]), np.array([vol, vol + rise]),
        np.array([0.0, span]), np.ones(2, dtype=bool), RATE, CARRY,
    )  # fmt: skip
    if puts is None:
        return hedge_flows(book, path).flow.sum(axis=(1, 2))
    overlay = Overlay(
        1.0,
        puts.strike[0],
        puts.tenor[0],
        np.array(listed),
        ("raw", "root_time")[int(puts.root_time)],
    )
    return hedge_flows(book, path, overlay).overlay.sum(axis=(1, 2))


@pytest.fixture(scope="module")
def points():
    """Random points between nodes of a grid made of them."""
    rng = np.random.default_rng(5)
    return {
        "moves": np.sort(np.r_[0.0, rng.uniform(-0.4, 0.3, 9)]),
        "rises": np.sort(rng.uniform(-0.15, 0.25, 5)),
        "listed_rises": np.sort(rng.uniform(-0.2, 0.5, 4)),
    }


@pytest.mark.parametrize("place", [0, DAY, 7])
def test_the_table_is_direct_repricing(make, terms, doubts, closes, points, place):
    found = make(**points)
    day = pd.bdate_range("2025-07-01", "2026-02-10")[-8:][place]
    assert day == pd.Timestamp(REFERENCE) or place != DAY
    for i, move in enumerate(points["moves"]):
        for j, rise in enumerate(points["rises"]):
            expected = direct(terms, doubts, closes, day, move, rise)
            assert_allclose(found.book[:, place, i, j], expected, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("root", [0.0, 1.0])
def test_the_overlay_is_direct_repricing_of_the_whole_vega(
    make, terms, doubts, closes, points, root
):
    puts = ListedPuts((0.9, 0.9), (0.15, 0.15), root)
    found = make(**points, puts=puts)
    day = pd.Timestamp(REFERENCE)
    for i, move in enumerate(points["moves"]):
        for j, rise in enumerate(points["listed_rises"]):
            expected = direct(terms, doubts, closes, day, move, 0.0, puts=puts,
                              listed=(0.5, 0.5 + rise))  # fmt: skip
            assert_allclose(found.overlay[:, DAY, i, j], expected, rtol=1e-9, atol=1e-13)


@pytest.fixture(scope="module")
def shipped():
    """The shipped records on the eve, the day and the morrow of the event, as a run takes them."""
    closes = read_frame("daily")["ibit"]
    days = pd.DatetimeIndex(["2026-02-04", "2026-02-05", "2026-02-06"])

    def make(watched=(0.9, 0.05, 0.05), **grid):
        return note_surface(
            note_terms(read_frame("notes"), closes, REFERENCE),
            Doubts(watched, 800.0, 0.35),
            ListedPuts((0.85, 1.0), (30 / 365, 90 / 365), 0.5), closes, days,
            vols=np.full(3, 0.5), listed_vols=np.full(3, 0.55), reference=REFERENCE,
            scenarios=100, rng=np.random.default_rng(1), **grid,
        )  # fmt: skip

    return make


def test_interpolation_misses_less_than_a_percent_of_the_flow_of_the_event(shipped):
    """At random points; means, which the likelihood takes, and most single scenarios."""
    rng = np.random.default_rng(11)
    moves = np.sort(np.r_[0.0, rng.uniform(-0.25, 0.25, 30)])
    rises = np.sort(rng.uniform(-0.15, 0.25, 12))
    listed = np.sort(rng.uniform(-0.15, 0.5, 12))
    table, exact = shipped(), shipped(moves=moves, rises=rises, listed_rises=listed)
    event = abs(table.book_at(1, FALL, 0.0)), abs(table.overlay_at(1, FALL, 0.35))
    miss = table.book_at(1, moves[:, None], rises) - exact.mean_book[1]
    assert np.abs(miss).max() < 0.01 * event[0]
    miss = table.overlay_at(1, moves[:, None], listed) - exact.mean_overlay[1]
    assert np.abs(miss).max() < 0.01 * event[1]
    scenario = np.arange(100)[:, None, None]
    miss = np.abs(table.book_at(1, moves[:, None], rises, scenario) - exact.book[:, 1])
    # A scenario with a watched barrier jumps between two nodes; there are few.
    own = np.abs(table.book_at(1, FALL, 0.0, np.arange(100)))
    assert np.mean(miss.max(axis=(1, 2)) < 0.02 * own) > 0.7


def test_the_likelihood_s_values_are_those_of_finer_repricing(shipped):
    moves = np.array([-0.0371, FALL, 0.0967])
    exact, local = shipped(moves=np.sort(np.r_[moves, 0.0])), shipped().local(moves)
    for t, i in enumerate((1, 0, 3)):
        for name in ("book", "overlay"):
            mean = getattr(exact, f"mean_{name}")[t, i]
            assert_allclose(getattr(local, name)[t], mean, atol=3e-3 * np.abs(mean).max())


def test_the_likelihood_s_slopes_are_those_of_finer_repricing(shipped):
    """Without barriers that are watched: those make a step, whose slope nobody can difference."""
    european, moves, step = {"watched": (1.0, 0.0, 0.0)}, np.array([-0.0371, FALL, 0.0967]), 1e-4
    around = np.unique(np.r_[0.0, moves, moves - step, moves + step])
    exact, local = shipped(**european, moves=around), shipped(**european).local(moves)
    for t, move in enumerate(moves):
        i = int(np.searchsorted(around, move))
        for name in ("book", "overlay"):
            mean = getattr(exact, f"mean_{name}")[t]
            slope = (mean[i + 1] - mean[i - 1]) / (2 * step)
            found = getattr(local, f"{name}_slope")[t]
            assert_allclose(found, slope, atol=5e-3 * np.abs(slope).max())


def test_at_nodes_nothing_is_interpolated_and_beyond_them_the_end_holds(surface):
    day, scenario = np.arange(8), np.arange(12)[:, None]
    for i, j in ((0, 0), (9, 3), (len(surface.move) - 1, len(surface.vol) - 1)):
        found = surface.book_at(day, surface.move[i], surface.vol[j], scenario)
        assert_allclose(found, surface.book[:, :, i, j], rtol=1e-13, atol=1e-17)
    far = surface.book_at(day, -3.0, 9.0), surface.overlay_at(day, 3.0, -9.0)
    assert_allclose(far[0], surface.mean_book[:, 0, -1], rtol=1e-13)
    assert_allclose(far[1], surface.mean_overlay[:, -1, 0], rtol=1e-13)
    beyond = surface.local(np.full(8, -0.9))
    assert (beyond.book_slope == 0.0).all()
    assert_allclose(beyond.book, surface.mean_book[:, 0], rtol=1e-13)


def test_the_mean_read_off_is_the_mean_of_scenarios_read_off(surface):
    rng = np.random.default_rng(0)
    day, move = rng.integers(8, size=50), rng.uniform(-0.6, 0.6, 50)
    rise, scenario = rng.uniform(-0.5, 0.7, 50), np.arange(12)[:, None]
    for read in (surface.book_at, surface.overlay_at):
        assert_allclose(read(day, move, rise), read(day, move, rise, scenario).mean(0), rtol=1e-12)


def test_the_formula_for_tensors_is_the_reading_at_a_node_of_move(surface):
    """The clipped sum that the likelihood uses between nodes of volatility."""
    moves = np.full(8, surface.move[10])
    local, x = surface.local(moves), np.linspace(-0.4, 0.5, 41)
    step = np.clip((x[:, None] - surface.vol[:-1]) / np.diff(surface.vol), 0.0, 1.0)
    found = local.book[:, :1] + np.diff(local.book, axis=1) @ step.T
    assert_allclose(found, surface.book_at(np.arange(8)[:, None], moves[0], x), atol=1e-14)


def european(closes, terms, **changes):
    """One note watched at maturity only, its terms without doubt."""
    return (replace(terms[0], **changes),)


def test_a_buffer_at_the_money_is_a_vanilla_put(make, closes, terms):
    """European notes against the plain formula: a fall of price, a rise of volatility, a day."""
    note = european(closes, terms, kind="buffer", fractions=(1.0,), face=5.0)
    found = make(terms=note, doubts=Doubts((1.0, 0.0, 0.0), 5.0, 0.0), scenarios=2)
    day = pd.Timestamp(REFERENCE)
    past = closes[closes.index < day]
    spot, strike, span = past.iloc[-1], note[0].fixings[0][0], (day - past.index[-1]).days / YEAR
    price, vol = spot * np.exp(surface_moves(found)), 0.55 + found.vol
    start = vanilla("put", spot, strike, 1.5, 0.55, RATE, CARRY).delta
    end = vanilla("put", price, strike, 1.5 - span, vol, RATE, CARRY).delta
    expected = -(end - start) / strike * price
    assert_allclose(found.book[0, DAY], expected, rtol=1e-10, atol=1e-14)
    assert_array_equal(found.book[0], found.book[1])


def surface_moves(found):
    return found.move[:, None]


def test_a_knock_in_far_above_its_barrier_trades_like_the_gap_put_it_is(make, closes, terms):
    """Watched at maturity, the note is B of the closed form: never a block at the barrier."""
    note = european(closes, terms, face=5.0)
    fine = np.r_[-0.3, np.linspace(-0.2, -0.02, 401), 0.0]
    found = make(terms=note, doubts=Doubts((1.0, 0.0, 0.0), 5.0, 0.0), scenarios=1, moves=fine)
    steps = np.diff(found.book[0, DAY, 1:-1, 6])
    assert np.abs(np.diff(steps)).max() < 1e-6
    watched = make(terms=note, doubts=Doubts((0.0, 0.0, 1.0), 5.0, 0.0), scenarios=1, moves=fine)
    jump = np.diff(watched.book[0, DAY, 1:-1, 6])
    assert np.abs(jump).max() > 20 * np.median(np.abs(jump))


def test_the_other_side_of_the_notes_trades_the_opposite_to_the_bit():
    rng = np.random.default_rng(4)
    shape = (6, 2, 3)
    initial = rng.uniform(40, 60, (6, 3))
    terms = np.stack([
        np.tile([0.0, 1.0, 2.0], (6, 1)), rng.integers(0, 3, (6, 3)), initial,
        initial * rng.uniform(0.6, 0.8, (6, 3)), np.ones((6, 3)), rng.uniform(0, 2, (6, 3)),
        1.4 * initial,
    ], axis=-1)  # fmt: skip
    weight, left = rng.uniform(0, 1, shape), rng.uniform(0.5, 3.0, shape)
    state = (np.zeros(shape, dtype=bool), left, np.full(2, 42.0), np.full(2, 0.6),
             np.full(2, 1 / YEAR), np.linspace(-0.3, 0.3, 7), np.linspace(-0.2, 0.2, 3),
             (RATE, CARRY))  # fmt: skip
    long = book_table(terms, weight, *state)
    assert (long != 0.0).all()
    assert_array_equal(book_table(terms, -weight, *state), -long)
    assert_array_equal(book_table(terms, np.zeros(shape), *state), np.zeros(long.shape))
    # Notes may be listed in any order, and a book of two halves is the book.
    order = [2, 0, 1]
    mixed = book_table(terms[:, order], weight[..., order], state[0], left[..., order], *state[2:])
    assert_allclose(mixed, long, rtol=1e-11, atol=1e-14)
    assert_allclose(book_table(terms, weight / 2, *state) * 2, long, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_the_compiled_delta_is_the_library_s_where_volatility_stays_above_its_floor(kind):
    """Every kind, every way of watching, touched or not, deep and shallow barriers."""
    rng = np.random.default_rng(KINDS.index(kind))
    n = 200
    initial, share = rng.uniform(40, 60, n), rng.uniform(0, 2, n)
    level, left = initial * rng.uniform(0.55, 0.85, n), rng.uniform(0.1, 4.0, n)
    vol, watched = rng.uniform(0.2, 1.2, n), rng.integers(0, 3, n).astype(float)
    spot = np.maximum(rng.uniform(25, 70, n), np.where(watched > 0, 1.001 * level, 0.0))
    cap = np.where(rng.uniform(size=n) < 0.5, np.inf, 1.4 * initial)
    moves, rises = np.array([-0.25, 0.0, 0.1]), np.array([-0.1, 0.2])
    for one in range(n):
        book = notes(("a",), (kind,), face=initial[one], initial=initial[one], level=level[one],
                     maturity=left[one], watched=watched[one], participation=share[one],
                     cap=cap[one])  # fmt: skip
        terms = np.array([[[KINDS.index(kind), watched[one], initial[one], level[one], 1.0,
                            share[one], cap[one]]]])  # fmt: skip
        cell = np.ones((1, 1, 1))
        found = book_table(terms, cell, cell < 0, cell * left[one], spot[[one]], vol[[one]],
                           np.array([1 / YEAR]), moves, rises, (RATE, CARRY))  # fmt: skip
        path = PricePath(
            np.array([[spot[one], spot[one] * np.exp(move)] for move in moves for _ in rises]),
            np.array([[[vol[one], vol[one] + rise]] for _ in moves for rise in rises]),
            np.array([0.0, 1 / YEAR]), np.ones(2, dtype=bool), RATE, CARRY,
        )  # fmt: skip
        expected = hedge_flows(book, path).flow[:, 0, 0].reshape(3, 2)
        assert_allclose(found[0, 0], expected, rtol=1e-8, atol=1e-10)


def test_nothing_trades_before_the_first_note_is_fixed_and_more_as_notes_are_issued(make):
    days = ["2025-07-15", "2025-07-16", "2025-08-28", "2025-11-04", "2025-11-21"]
    found = make(days, doubts=Doubts((1.0, 0.0, 0.0), 800.0, 0.3))
    assert (found.book[:, 0] == 0.0).all() and (found.overlay[:, 0] == 0.0).all()
    assert (found.book[:, 1:].any(axis=(2, 3))).all()
    # The dual note may have been fixed on either of two days: in between some scenarios have it.
    alone = make(days, doubts=Doubts((1.0, 0.0, 0.0), 800.0, 0.3), scenarios=200)
    grown = np.abs(alone.book[:, 3] - alone.book[:, 2]).max(axis=(1, 2))
    assert 0.0 < np.mean(grown > 0.02) < 1.0


def test_flows_are_a_share_of_the_face_and_the_total_does_not_matter(make, terms):
    blank = tuple(replace(one, face=None) for one in terms)
    here = make(terms=blank, doubts=Doubts((1.0, 0.0, 0.0), 800.0, 0.0))
    there = make(terms=blank, doubts=Doubts((1.0, 0.0, 0.0), 8.0, 0.0))
    assert_allclose(here.book, there.book, rtol=1e-12, atol=1e-16)
    none = make(terms=tuple(replace(one, face=0.0) for one in terms))
    assert (none.book == 0.0).all() and (none.overlay == 0.0).all()


def test_the_dealer_buys_a_fall_and_volatility_can_turn_him(surface):
    flows = surface.book_at(DAY, FALL, np.array([0.0, 0.3]))
    assert flows[0] > 0.0 > flows[1]
    assert surface.overlay_at(DAY, FALL, 0.3) < 0.0
    assert surface.overlay_at(DAY, 0.1, 0.0) > 0.0


def test_volatility_never_falls_through_its_floor(make):
    low = make(vol=0.15, rises=np.array([-5.0, LOWEST - 0.15, 0.0]))
    assert_array_equal(low.book[..., 0], low.book[..., 1])
    assert np.isfinite(low.book).all()


def test_a_seed_repeats_a_surface_and_draws_of_terms_do_not_depend_on_its_grid(make, surface):
    assert_array_equal(make().book, surface.book)
    assert_array_equal(make().overlay, surface.overlay)
    assert (make(seed=4).book != surface.book).any()
    coarse = make(moves=surface.move[[0, 18, -1]])
    assert_array_equal(coarse.book, surface.book[:, :, [0, 18, -1]])


def test_a_year_of_days_and_a_hundred_scenarios_are_priced_within_ten_seconds(make):
    days = pd.bdate_range("2025-07-10", "2026-02-10")[-150:]
    make(days[-2:])
    begun = time.process_time()
    assert make(days, scenarios=100).book.shape[:2] == (100, 150)
    assert time.process_time() - begun < 10.0


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda m, s: m(vol=0.0), "volatilities of long tenors are not one positive number a day"),
        (lambda m, s: m(listed=np.nan), "volatilities of short tenors are not one positive"),
        (lambda m, s: m(["2025-07-01"]), "no close before the first day"),
        (lambda m, s: m(puts=ListedPuts((1.0, 1.0), (0.001, 0.001), 0.0)), "ends before the day"),
        (lambda m, s: ListedPuts((1.0, 0.9), (0.1, 0.2), 0.0), "strike from 1.0 to 0.9"),
        (lambda m, s: ListedPuts((0.9, 1.0), (0.0, 0.2), 0.0), "tenor from 0.0 to 0.2"),
        (lambda m, s: ListedPuts((0.9, 1.0), (0.1, 0.2), 1.5), "root_time is 1.5"),
        (lambda m, s: s.book_at(8, 0.0, 0.0), "no whole number below 8; give one"),
        (lambda m, s: s.book_at(1, 0.0, 0.0, 12), "no whole number below 12"),
        (lambda m, s: s.book_at(0.5, 0.0, 0.0), "no whole number below 8"),
        (lambda m, s: s.overlay_at(0, np.nan, 0.0), "not a number; give numbers"),
        (lambda m, s: s.local(np.zeros(3)), "3 moves for 8 days"),
        (lambda m, s: s.local(np.full(8, np.nan)), "one is not finite"),
        (lambda m, s: replace(s, move=s.move[::-1]), "do not increase; sort them"),
        (lambda m, s: replace(s, vol=s.vol[1:]), "does not fit its nodes"),
    ],
)  # fmt: skip
def test_what_is_no_surface_is_refused_in_one_sentence(act, message, make, surface):
    with pytest.raises(DataError, match=message) as caught:
        act(make, surface)
    assert "\n" not in str(caught.value)


def test_terms_without_a_day_of_fixing_are_refused(make, terms):
    for fixed in ((), (date(2025, 8, 24),)):
        with pytest.raises(DataError, match="'in' has no day of fixing"):
            make(terms=(replace(terms[0], fixed=fixed),))


def test_the_shape_is_scenario_day_move_volatility(surface):
    assert isinstance(surface, NoteSurface)
    assert surface.book.shape == (12, 8, len(surface.move), len(surface.vol))
    assert surface.overlay.shape == (12, 8, len(surface.move), len(surface.listed))
    assert surface.scenarios == 12
    assert 0.0 in surface.move and 0.0 in surface.vol and 0.0 in surface.listed
    assert CONTINUOUS == 2
