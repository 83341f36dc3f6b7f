"""Records of structured notes as filings state them in; terms with their doubts out.

A record is read by rule, never guessed: what its words leave open becomes several possible values.
"""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import pandas as pd

from attribution.errors import DataError, nearest
from attribution.mechanics.notes import NoteTerms

FRACTIONS = (0.5, 0.6, 0.7, 0.75, 0.8)
"""Barriers of the notes that state one; they stand in where none is stated."""
TERM = (2.0, 5.0)
"""Shortest and longest term in years where none is stated."""
FIXED_WITHIN = 14
"""Days after the date of a document within which its note is fixed."""
YEAR = 365.25
NUMBERS = ("notional_usd", "ibit_initial")
TEXTS = (
    "product", "doc_date", "pricing_date", "maturity", "barrier_pct_of_initial", "barrier_kind",
    "autocall_or_cap",
)  # fmt: skip
"""Columns that a record of a note must have."""
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}


def note_terms(records: pd.DataFrame, closes: pd.Series, day: date) -> tuple[NoteTerms, ...]:
    """Read terms from records of notes.

    Parameters
    ----------
    records : columns of ``data/notes.csv``, indexed by the name of the note.
    closes : closes of the underlying by day, USD, which cover the days of fixing.
    day : the first day of the path; maturities count from its eve, lows end there.

    Returns
    -------
    Terms in the order of the records, faces in USD million.

    Raises
    ------
    DataError
        Records that lack a column; a maturity or a barrier in words that no rule reads; no close
        on a day of fixing.
    """
    _refuse_lacking(records)
    past = closes[closes.index < pd.Timestamp(day)].dropna()
    return tuple(_terms(str(name), row, past) for name, row in records.iterrows())


def _refuse_lacking(records: pd.DataFrame) -> None:
    """Refuse records without a column that a rule reads, or with words where a number must be."""
    for column in (*NUMBERS, *TEXTS):
        if column not in records:
            raise DataError(
                f"records of notes have no column '{column}'"
                f"{nearest(column, map(str, records.columns))}; add it to their file and card"
            )
    for column in NUMBERS:
        if not pd.api.types.is_numeric_dtype(records[column].dtype):
            raise DataError(f"records of notes: '{column}' holds no numbers; correct its card")


def _terms(name: str, row: pd.Series, past: pd.Series) -> NoteTerms:
    days = _fixing_days(name, row, past)
    share, cap = _rise(_text(row, "autocall_or_cap"))
    face = row["notional_usd"]
    return NoteTerms(
        name=name,
        kind=_kind(row),
        face=None if pd.isna(face) else float(face) / 1e6,
        fixings=_fixings(row, days, past),
        fractions=_fractions(name, _text(row, "barrier_pct_of_initial")),
        maturity=_maturity(name, _text(row, "maturity"), days, past.index[-1]),
        participation=share,
        cap=cap,
        fixed=tuple(when.date() for when in days),
    )


def _text(row: pd.Series, column: str) -> str:
    return "" if pd.isna(row[column]) else str(row[column]).strip()


def _kind(row: pd.Series) -> str:
    """Read what the holder sold; a contingent buffer fails as a whole, which is a knock-in."""
    words = f"{_text(row, 'product')} {_text(row, 'barrier_kind')}".lower()
    if "dual directional" in words:
        return "dual_directional"
    return "buffer" if "buffer" in words.replace("contingent buffer", "") else "knock_in_put"


def _fixing_days(name: str, row: pd.Series, past: pd.Series) -> pd.DatetimeIndex:
    """Return the days on which the initial value may have been fixed."""
    index = pd.DatetimeIndex(past.index)
    for column in ("pricing_date", "doc_date"):
        text = _text(row, column)
        found = pd.DatetimeIndex(sorted(set(DAY.findall(text))))
        if len(found) > 1 or (len(found) and not pd.isna(row["ibit_initial"])):
            days = found
        elif len(found):
            days = index[
                (index >= found[0]) & (index <= found[0] + pd.Timedelta(days=FIXED_WITHIN))
            ]
        elif re.fullmatch(r"\d{4}-\d{2}", text):
            days = index[index.strftime("%Y-%m") == text]
        else:
            continue
        if not len(days) or not days.isin(index).all():
            raise DataError(
                f"note '{name}': there is no close on its days of fixing ('{text}'); "
                "extend the prices or correct the date"
            )
        return days
    return index[index >= pd.Timestamp("2025-07-15")]


def _fixings(
    row: pd.Series, days: pd.DatetimeIndex, past: pd.Series
) -> tuple[tuple[float, float], ...]:
    """Return possible initial values, each with the lowest close after it."""
    lows = past[::-1].cummin()[::-1]
    stated = row["ibit_initial"]
    if len(days) == 1 and not pd.isna(stated):
        return ((float(stated), float(lows[days[0]])),)
    return tuple((float(past[when]), float(lows[when])) for when in days)


def _fractions(name: str, text: str) -> tuple[float, ...]:
    found = [float(number) / 100 for number in re.findall(r"\d+(?:\.\d+)?", text.split("(")[0])]
    if not found:
        if text:
            raise DataError(
                f"note '{name}': barrier '{text}' has no number; give per cent of the initial value"
            )
        return FRACTIONS
    return tuple(found)


def _maturity(
    name: str, text: str, days: pd.DatetimeIndex, eve: pd.Timestamp
) -> tuple[float, float]:
    """Return the earliest and the latest maturity in years from the eve."""
    if DAY.fullmatch(text):
        ends = (pd.Timestamp(text),) * 2
    elif re.fullmatch(r"\d{4}", text):
        ends = pd.Timestamp(f"{text}-01-01"), pd.Timestamp(f"{text}-12-31")
    else:
        term = WORDS.get(text.removesuffix("-year"))
        if text and term is None:
            raise DataError(
                f"note '{name}': maturity '{text}' is no day, no year and no term like 'two-year'; "
                "write one of them, or leave it blank"
            )
        low, high = TERM if term is None else (term, term)
        ends = (
            days[0] + pd.Timedelta(days=low * YEAR), days[-1] + pd.Timedelta(days=high * YEAR)
        )  # fmt: skip
    first, last = ((end - eve).days / YEAR for end in ends)
    return first, last


def _rise(text: str) -> tuple[float, float]:
    """Return participation and cap where both are stated as per cent and as a greatest payment."""
    share = re.search(r"(\d+)% upside participation", text)
    most = re.search(r"maximum \$([\d,]+) per \$1,000", text)
    if share is None or most is None:
        return 0.0, np.inf
    part = float(share.group(1)) / 100
    return part, 1.0 + (float(most.group(1).replace(",", "")) / 1000 - 1.0) / part


# Closes of the underlying and notes in; where each was fixed, and how low it has been, out.


def fixing_rows(
    terms: tuple[NoteTerms, ...], which: np.ndarray, index: pd.DatetimeIndex
) -> np.ndarray:
    """Row of the close at which each note was fixed, (draw, note).

    Parameters
    ----------
    which : drawn fixing, by its number among those that are possible, (draw, note).
    index : days of the closes.

    Raises
    ------
    DataError
        A note without days of fixing, or with one that has no close.
    """
    found = np.empty(which.shape, dtype=np.int64)
    for i, one in enumerate(terms):
        when = pd.DatetimeIndex(one.fixed)
        if len(when) != len(one.fixings) or not when.isin(index).all():
            raise DataError(
                f"notes: '{one.name}' has no day of fixing, or one without a close; read its terms "
                "for these closes"
            )
        found[:, i] = index.searchsorted(when)[which[:, i]]
    return found


def lows(closes: np.ndarray) -> np.ndarray:
    """Lowest close from each row to each later one, (from, to)."""
    row = np.arange(len(closes))
    return np.minimum.accumulate(np.where(row >= row[:, None], closes, np.inf), axis=1)
