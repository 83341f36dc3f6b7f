"""Draws of a book whose filings leave things open."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from attribution.errors import DataError
from attribution.mechanics.notes import AT_MATURITY, Doubts, NoteTerms, drawn_book, drawn_fixings

TERMS = (
    NoteTerms("known", "knock_in_put", 100.0, ((60.0, 41.0),), (0.7,), (1.5, 1.5)),
    NoteTerms("open", "knock_in_put", None, ((60.0, 41.0), (50.0, 41.0)), (0.6, 0.8), (1.0, 3.0)),
    NoteTerms("rise", "buffer", None, ((66.0, 41.0),), (0.8,), (2.0, 2.0), 2.0, 1.45),
)
DOUBTS = Doubts((0.8, 0.1, 0.1), 800.0, 0.3)


def drawn(draws=20_000, seed=1, doubts=DOUBTS, terms=TERMS):
    return drawn_book(terms, doubts, draws, np.random.default_rng(seed))


def test_what_is_known_does_not_vary_and_what_is_open_does():
    book = drawn()
    assert set(book.face[:, 0]) == {100.0}
    assert set(book.level[:, 0]) == {42.0}
    assert set(np.round(book.level[:, 1], 9)) == {30.0, 36.0, 40.0, 48.0}
    assert (book.maturity[:, 0] == 1.5).all()
    assert book.maturity[:, 1].min() < 1.01
    assert book.maturity[:, 1].max() > 2.99
    assert_allclose(book.cap[:, 2], 66.0 * 1.45)
    assert_array_equal(book.participation[..., :].ravel()[-3:], [0.0, 0.0, 2.0])


def test_unknown_faces_share_what_the_known_leave_of_the_total():
    book = drawn()
    total = book.face.sum(axis=1)
    # The median of 20,000 draws of a lognormal: error 1.25 spread/sqrt(draws).
    assert_allclose(np.median(total), 800.0, rtol=4 * 1.25 * 0.3 / np.sqrt(20_000))
    share = book.face[:, 1] / (total - 100.0)
    assert_allclose(share.mean(), 0.5, atol=4 * np.sqrt(1 / 12 / 20_000))
    small = drawn(doubts=Doubts((1.0, 0.0, 0.0), 50.0, 0.0))
    assert_allclose(small.face, [[100.0, 0.0, 0.0]] * 20_000)


def test_barriers_watched_before_maturity_may_have_been_touched_already():
    book = drawn()
    seen = book.watched != AT_MATURITY
    assert_allclose(seen.mean(), 0.2, atol=4 * np.sqrt(0.16 / 60_000))
    assert_array_equal(book.touched[:, 0], seen[:, 0])  # 42 is above the lowest close, 41
    assert_array_equal(book.touched[:, 1], seen[:, 1] & (book.level[:, 1] >= 41.0))


def test_the_fixing_of_each_draw_is_told():
    book, which = drawn_fixings(TERMS, DOUBTS, 500, np.random.default_rng(1))
    assert_array_equal(book.initial[:, 1], np.array([60.0, 50.0])[which[:, 1]])
    assert set(which[:, 1]) == {0, 1} and set(which[:, 0]) == {0}
    assert_array_equal(book.level, drawn(500).level)


def test_a_seed_repeats_a_book():
    assert_array_equal(drawn(50, 3).level, drawn(50, 3).level)
    assert (drawn(50, 3).face != drawn(50, 4).face).any()


def test_doubts_that_are_none_are_refused():
    for watched in ((0.8, 0.1, 0.2), (1.1, 0.1, -0.2), (0.5, 0.5)):
        with pytest.raises(DataError, match="three shares that sum to one"):
            drawn(doubts=Doubts(watched, 800.0, 0.3))
    with pytest.raises(DataError, match="there are no notes"):
        drawn(terms=())
