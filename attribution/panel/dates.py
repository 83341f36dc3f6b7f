"""The index of a file in, as text or as timestamps; plain days on the card's clock out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from attribution.errors import DataError
from attribution.model.names import period_of
from attribution.panel.card import Card

_DAY = r"\d{4}-\d\d-\d\d"
_STAMP = _DAY + r"[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?"
_OFFSET = r"(?:Z|[+-]\d\d:?\d\d)"


def days_of(index: pd.Series, card: Card, place: str) -> pd.DatetimeIndex:
    """Turn the index column into days, each the day of one reading at the card's clock.

    Plain days are taken as they are, and a month, a quarter or a year by its first day.  Instants
    must name their offset from UTC; they are converted to the zone of the card's clock by its own
    rules for summer time, and must fall on the hour that the clock gives.

    Raises
    ------
    DataError
        If an entry is missing, is no date, lacks its offset, mixes with another kind, or stands
        at another hour than the clock's.
    """
    if isinstance(index.dtype, pd.DatetimeTZDtype):
        return _on_clock(pd.DatetimeIndex(index), card, place)
    if index.isna().any():
        raise DataError(
            f"{place}: '{card.index}' is empty on row {_first(index.isna())}; give every row a date"
        )
    if np.issubdtype(index.to_numpy().dtype, np.datetime64):
        stamps = pd.DatetimeIndex(index)
        naive = stamps != stamps.normalize()
        if naive.any():
            raise _naive(str(stamps[naive][0]), _first(naive), card, place)
        return _plain(stamps)
    return _from_text(index.astype(str), card, place)


def _from_text(index: pd.Series, card: Card, place: str) -> pd.DatetimeIndex:
    plain, naive, instant = (
        index.str.fullmatch(form).to_numpy(dtype=bool) for form in (_DAY, _STAMP, _STAMP + _OFFSET)
    )
    if naive.any():
        row = _first(naive)
        raise _naive(index.iloc[row - 1], row, card, place)
    if period_of(index.iloc[0]) is not None:
        return _from_labels(index, card, place)
    if not (plain | instant).all():
        row = _first(~(plain | instant))
        raise _no_date(index.iloc[row - 1], row, card, place)
    if plain.any() and not plain.all():
        raise DataError(
            f"{place}: '{card.index}' mixes days ({index[plain].iloc[0]}) with instants"
            f" ({index[~plain].iloc[0]}); write every row the same way"
        )
    try:
        if plain.all():
            return _plain(pd.DatetimeIndex(pd.to_datetime(index, format="%Y-%m-%d")))
        instants = pd.DatetimeIndex(pd.to_datetime(index, format="ISO8601", utc=True))
    except ValueError:
        read = pd.to_datetime(index.str[:10], format="%Y-%m-%d", errors="coerce")
        row = _first(read.isna()) if read.isna().any() else 1
        raise _no_date(index.iloc[row - 1], row, card, place) from None
    return _on_clock(instants, card, place)


def _from_labels(index: pd.Series, card: Card, place: str) -> pd.DatetimeIndex:
    """First days of periods that are all of one length."""
    found = [period_of(text) for text in index]
    kinds = [None if period is None else period[1] for period in found]
    for row, kind in enumerate(kinds, start=1):
        if kind != kinds[0]:
            raise DataError(
                f"{place}: '{card.index}' holds '{index.iloc[row - 1]}' on row {row}, which is no"
                f" {kinds[0]} label such as '{index.iloc[0]}'; write every row the same way"
            )
    return _plain(pd.DatetimeIndex([period[0] for period in found if period is not None]))


def _on_clock(instants: pd.DatetimeIndex, card: Card, place: str) -> pd.DatetimeIndex:
    """Convert instants to the clock's zone and check the hour."""
    if instants.isna().any():
        row = _first(instants.isna())
        raise DataError(f"{place}: '{card.index}' is empty on row {row}; give every row a date")
    hour, zone = card.close
    if not zone:
        raise DataError(
            f"{place}: '{card.index}' holds instants, but {card.path.name} gives the clock"
            f" '{card.clock}'; name the clock, such as '16:00 America/New_York'"
        )
    local = instants.tz_convert(zone)
    if hour:
        off = local.strftime("%H:%M:%S") != f"{hour}:00"
        if off.any():
            raise DataError(
                f"{place}: row {_first(off)} stands at {local[off][0]:%H:%M} {zone} on"
                f" {local[off][0]:%Y-%m-%d}, not at the clock's {hour}; read every row at that"
                " instant or correct the clock"
            )
    return _plain(local.tz_localize(None).normalize())


def _plain(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    return days.as_unit("us").rename("time")


def _first(mask: pd.Series | pd.Index | np.ndarray) -> int:
    """Count rows from one up to the first that is marked."""
    return int(np.flatnonzero(np.asarray(mask))[0]) + 1


def _no_date(text: str, row: int, card: Card, place: str) -> DataError:
    found = f"'{text}' on row {row}" if text else f"nothing on row {row}"
    return DataError(
        f"{place}: '{card.index}' holds {found}, which is not a date such as 2026-02-05; correct it"
    )


def _naive(text: str, row: int, card: Card, place: str) -> DataError:
    return DataError(
        f"{place}: '{card.index}' holds the instant '{text}' without a time zone on row {row};"
        " add its offset from UTC, or write days alone"
    )
