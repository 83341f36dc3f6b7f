"""What is known of a note and what is not: terms with doubts in, draws of a book out.

Everything that a filing leaves open becomes an array of draws, so that a hedge flow carries the
doubt about the notes themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from attribution.errors import DataError
from attribution.mechanics.notes import AT_CLOSE, AT_MATURITY, CONTINUOUS, Notes, notes


@dataclass(frozen=True)
class NoteTerms:
    """Terms of one note; where several are possible, each is as likely as the other.

    Attributes
    ----------
    name : of the note.
    kind : one of :data:`~attribution.mechanics.notes.KINDS`.
    face : USD million, or None where the filing leaves it blank.
    fixings : possible initial values, each with the lowest close from then to the eve, USD.
    fractions : possible barriers, as fractions of the initial value.
    maturity : earliest and latest, years from the first step of a path.
    participation, cap : share of a rise, and its end as a fraction of the initial value (inf).
    fixed : day of each possible initial value; none where no path begins before the fixing.
    """

    name: str
    kind: str
    face: float | None
    fixings: tuple[tuple[float, float], ...]
    fractions: tuple[float, ...]
    maturity: tuple[float, float]
    participation: float = 0.0
    cap: float = np.inf
    fixed: tuple[date, ...] = ()


@dataclass(frozen=True)
class Doubts:
    """Beliefs about what no filing that was read says.

    Attributes
    ----------
    watched : probabilities that a barrier is compared at maturity, at closes, continuously.
    total : median of the face of all notes outstanding, USD million, known ones included; what
        they leave is shared at random among the notes of unknown face, which so stand for the
        rest of the population.
    spread : standard deviation of its logarithm.
    """

    watched: tuple[float, float, float]
    total: float
    spread: float


def drawn_book(
    terms: tuple[NoteTerms, ...], doubts: Doubts, draws: int, rng: np.random.Generator
) -> Notes:
    """Draw a book, fields of shape (draw, note); refuses as :func:`drawn_fixings` does."""
    return drawn_fixings(terms, doubts, draws, rng)[0]


def drawn_fixings(
    terms: tuple[NoteTerms, ...], doubts: Doubts, draws: int, rng: np.random.Generator
) -> tuple[Notes, np.ndarray]:
    """Draw a book and which of the possible fixings each of its notes has, (draw, note).

    Raises
    ------
    DataError
        No terms; probabilities that are no probabilities.
    """
    chance = np.asarray(doubts.watched, dtype=float)
    if chance.shape != (3,) or (chance < 0.0).any() or abs(chance.sum() - 1.0) > 1e-9:
        raise DataError(
            f"doubts about notes: watched is {doubts.watched}; give three shares that sum to one"
        )
    if not terms:
        raise DataError("doubts about notes: there are no notes; give at least one")
    columns = [_drawn(one, draws, rng) for one in terms]
    which, initial, lowest, level, maturity = (
        np.stack(part, axis=-1) for part in zip(*columns, strict=True)
    )
    shape = initial.shape
    watched = rng.choice([AT_MATURITY, AT_CLOSE, CONTINUOUS], p=chance, size=shape)
    book = notes(
        tuple(one.name for one in terms),
        tuple(one.kind for one in terms),
        face=_faces(terms, doubts, draws, rng),
        initial=initial,
        level=level,
        maturity=maturity,
        watched=watched,
        touched=(lowest <= level) & (watched != AT_MATURITY),
        participation=np.array([one.participation for one in terms]),
        cap=np.array([one.cap for one in terms]) * initial,
    )
    return book, which


def _drawn(one: NoteTerms, draws: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Draw the fixing, its initial value and lowest close since, level and maturity of a note."""
    which = rng.integers(len(one.fixings), size=draws)
    fixing = np.asarray(one.fixings)[which]
    fraction = rng.choice(np.asarray(one.fractions), size=draws)
    initial, lowest = fixing.T
    return which, initial, lowest, fraction * initial, rng.uniform(*one.maturity, size=draws)


def _faces(
    terms: tuple[NoteTerms, ...], doubts: Doubts, draws: int, rng: np.random.Generator
) -> np.ndarray:
    """Faces in USD million; those unknown share what the known leave of the total."""
    known = np.array([np.nan if one.face is None else one.face for one in terms])
    missing = np.isnan(known)
    faces = np.broadcast_to(known, (draws, len(terms))).copy()
    if missing.any():
        total = doubts.total * np.exp(doubts.spread * rng.standard_normal(draws))
        rest = np.maximum(total - known[~missing].sum(), 0.0)
        shares = rng.dirichlet(np.ones(int(missing.sum())), size=draws)
        faces[:, missing] = rest[:, None] * shares
    return faces
