"""A book of structured notes and a path of their underlying.

The holder of a note sold its put to the issuer, so whoever hedges the note is **long** that put:
position +1. What enters: terms as numbers, arrays by note or draws of them; what leaves: a book
whose fields broadcast to (draw, note).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date

import numpy as np

from attribution.errors import DataError
from attribution.mechanics.inputs import one_of

KINDS = ("knock_in_put", "dual_directional", "buffer")
"""What the holder sold: a put struck at the initial value that knocks in; the same while he owns
the put that knocks out (he gains from a fall that stays above the barrier); a put struck lower."""
AT_MATURITY, AT_CLOSE, CONTINUOUS = 0, 1, 2
"""When the barrier is compared with the price."""


@dataclass(frozen=True)
class Notes:
    """Terms of notes; every array broadcasts to (draw, note).

    Attributes
    ----------
    names : of the notes.
    kinds : one of ``KINDS`` a note.
    face : USD million.
    initial : initial value of the underlying, USD.
    level : barrier or buffer level, USD.
    maturity : years from the first step of the path.
    watched : ``AT_MATURITY``, ``AT_CLOSE`` or ``CONTINUOUS``; without meaning for a buffer.
    touched : whether a barrier watched before maturity was touched before the path.
    leverage : loss per unit of fall below a buffer.
    participation, cap : the holder's share of a rise, and the price where it ends (USD, or inf).
    position : 1 where the dealer is long the holder's put, as issuers' desks are; -1 if short.
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    face: np.ndarray
    initial: np.ndarray
    level: np.ndarray
    maturity: np.ndarray
    watched: np.ndarray
    touched: np.ndarray
    leverage: np.ndarray
    participation: np.ndarray
    cap: np.ndarray
    position: np.ndarray

    def __post_init__(self) -> None:
        for kind in self.kinds:
            one_of("notes", "kind", kind, KINDS)
        if not self.names:
            raise DataError("notes: the book is empty; give at least one note")
        if len(self.kinds) != len(self.names):
            raise DataError(
                f"notes: {len(self.names)} names but {len(self.kinds)} kinds; give one kind a note"
            )
        if not np.isin(self.watched, (AT_MATURITY, AT_CLOSE, CONTINUOUS)).all():
            raise DataError("notes: watched holds an unknown code; use 0, 1 or 2")
        if not (np.isfinite(self.face).all() and (np.asarray(self.face) >= 0.0).all()):
            raise DataError("notes: a face is negative or not finite; give USD million")

    @property
    def units(self) -> np.ndarray:
        """Million units of the underlying that the note stands for, face over initial value."""
        return np.asarray(self.face / self.initial)

    def note(self, i: int) -> Notes:
        """Return one note of the book, arrays of shape (draw, 1) or (1,)."""
        cut = {
            field.name: np.asarray(getattr(self, field.name))[..., i : i + 1]
            for field in fields(self)
            if field.name not in ("names", "kinds")
        }
        return replace(self, names=self.names[i : i + 1], kinds=self.kinds[i : i + 1], **cut)


def notes(
    names: tuple[str, ...],
    kinds: tuple[str, ...],
    *,
    face: object,
    initial: object,
    level: object,
    maturity: object,
    watched: object = AT_MATURITY,
    touched: object = False,
    leverage: object = 1.0,
    participation: object = 0.0,
    cap: object = np.inf,
    position: object = 1.0,
) -> Notes:
    """Make a book; numbers stand for every note, arrays are (note,) or (draw, note).

    Raises
    ------
    DataError
        Shapes that do not fit the names, unknown kinds or codes, negative or missing faces.
    """
    given = {
        "face": face, "initial": initial, "level": level, "maturity": maturity,
        "watched": watched, "touched": touched, "leverage": leverage,
        "participation": participation, "cap": cap, "position": position,
    }  # fmt: skip
    shaped: dict[str, np.ndarray] = {}
    for key, raw in given.items():
        try:
            value = np.asarray(raw, dtype=bool if key == "touched" else float)
            shaped[key] = np.broadcast_to(value, (*value.shape[:-1], len(names)))
        except (TypeError, ValueError):
            raise DataError(
                f"notes: {key} does not fit {len(names)} names; give (note,) or (draw, note)"
            ) from None
    try:
        np.broadcast_shapes(*(value.shape for value in shaped.values()))
    except ValueError:
        raise DataError("notes: fields differ in their number of draws; align them") from None
    return Notes(names, kinds, **shaped)


@dataclass(frozen=True)
class PricePath:
    """Steps through a day or many.

    Attributes
    ----------
    spot : price of the underlying, USD; (step,) or (draw, step).
    vol : annual volatility at which the notes are priced; (step,), or (draw, note, step) where
        either axis may have length one.
    time : years since the first step, (step,).
    close : whether a step is a close, at which barriers watched at closes look; (step,).
    rate, carry : per year.
    """

    spot: np.ndarray
    vol: np.ndarray
    time: np.ndarray
    close: np.ndarray
    rate: float
    carry: float

    @property
    def cube(self) -> np.ndarray:
        """Spot with an axis for the notes."""
        return np.asarray(self.spot)[..., None, :]

    def note(self, i: int) -> PricePath:
        """Return the path as note i sees it, at its own volatility."""
        vol = np.asarray(self.vol)
        if vol.ndim < 2 or vol.shape[-2] == 1:
            return self
        return replace(self, vol=vol[..., i : i + 1, :])


# What is known of a note and what is not: terms with doubts in, draws of a book out.


@dataclass(frozen=True)
class NoteTerms:
    """Terms of one note; where several are possible, each is as likely as the other.

    Everything that a filing leaves open becomes an array of draws, so that a hedge flow carries the
    doubt about the notes themselves.

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
