"""A model in; its columns on one clock out, with units and a fingerprint, or one refusal."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from attribution.errors import DataError, nearest
from attribution.model.spec import ModelSpec
from attribution.panel.card import Card, Column
from attribution.panel.coverage import (
    refuse_absent,
    refuse_gaps,
    refuse_short,
    refuse_uncovered_event,
    refuse_unseen_dates,
    sample_days,
)
from attribution.panel.degenerate import refuse_degenerate
from attribution.panel.derive import derive, refuse_leaps, refuse_undefined
from attribution.panel.find import digest_of, find_data
from attribution.panel.quotes import refuse_magnitudes, refuse_stale
from attribution.panel.rows import read_rows


@dataclass(frozen=True)
class Panel:
    """The evidence of one model: every column it names, on one clock.

    Attributes
    ----------
    name : data set, such as ``daily``.
    values : (time, column); unit of the column; days of the sample, increasing.  Variables and
        pre-determined columns are complete; auxiliary series and tests may have gaps.
    units : column -> unit.
    clock : instant at which a row is read, such as ``16:00 America/New_York``.
    digest : SHA-256 over the data file and its card.
    card : what is known about the file.
    repairs : one line each; empty if the file was used as it stands.
    """

    name: str
    values: pd.DataFrame
    units: dict[str, str]
    clock: str
    digest: str
    card: Card
    repairs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        index = self.values.index
        ordered = index.is_monotonic_increasing and index.is_unique
        if not isinstance(index, pd.DatetimeIndex) or index.tz is not None or not ordered:
            raise DataError(f"panel '{self.name}': its days do not increase; sort them")
        if tuple(self.values.columns) != tuple(self.units):
            raise DataError(f"panel '{self.name}': columns and units differ; give each its unit")

    @property
    def close(self) -> tuple[str, str]:
        """Time of day and IANA zone of the clock."""
        return self.card.close


def read_panel(spec: ModelSpec, data: Path | str | None = None, *, left_out: bool = True) -> Panel:
    """Read the columns that a model names, over its sample.

    Parameters
    ----------
    spec : names the data set, the columns, the sample and the event.
    data : a folder that holds the data set's card and file, or a data file with its card beside
        it; the shipped data if it is left out.
    left_out : whether the event's days are left out of the estimation.

    Returns
    -------
    The panel; its columns stand in the order of ``spec.columns``.

    Raises
    ------
    DataError
        If the file or its card cannot be used, a column is unknown or known too late, or the sample
        is short, incomplete or collinear.
    EventError
        If the data or one variable does not cover the event.
    """
    data = Path(data) if isinstance(data, str) else data
    if not spec.sample.panel and (data is None or data.is_dir()):
        raise DataError(
            f"{spec.name}: [sample] names no panel; add panel = the stem of a card, or hand over a"
            " data file or a data frame"
        )
    card, path = find_data(spec.sample.panel, data)
    _check_columns(spec, card, path)
    rows = read_rows(card, path)
    raw, place = rows.frame, path.name
    columns = tuple(card.columns[name] for name in spec.columns)
    used = tuple(dict.fromkeys(name for column in columns for name in column.inputs))
    days = sample_days(spec, pd.DatetimeIndex(raw.index), card.calendar, place)
    repairs = (*rows.repairs, *refuse_absent(spec, rows.line, days, place))
    refuse_magnitudes(card, raw, used, place)
    values = _derived(columns, card, raw, days, place)
    refuse_uncovered_event(spec, days, place)
    refuse_unseen_dates(spec, days, place)
    refuse_gaps(spec, values, place)
    event = (pd.Timestamp(spec.event.start), pd.Timestamp(spec.event.end))
    if card.clock != "none":  # without an instant of reading there are no quotes to stand still
        refuse_stale(card, raw.loc[days], used, event, place)
    refuse_short(spec, days, place, left_out=left_out)
    refuse_degenerate(spec, values, left_out=left_out)
    return Panel(
        name=card.name,
        values=values,
        units={column.name: column.unit for column in columns},
        clock=card.clock,
        digest=digest_of(card, path),
        card=card,
        repairs=repairs,
    )


def _derived(
    columns: tuple[Column, ...], card: Card, raw: pd.DataFrame, days: pd.DatetimeIndex, place: str
) -> pd.DataFrame:
    """Transform the raw series; return the days of the sample, whose moves are checked."""
    for column in columns:
        refuse_undefined(column, raw, place)
    values = pd.DataFrame({c.name: derive(c, raw).loc[days] for c in columns}, index=days)
    for column in columns:
        refuse_leaps(column, values[column.name], card, place)
    return values


def _check_columns(spec: ModelSpec, card: Card, path: Path) -> None:
    """Refuse columns that the card does not define, and pre-determined ones known too late."""
    if card.layout != "series":
        raise DataError(
            f"{card.path.name}: layout '{card.layout}' has no columns for a model; name a data set"
            ' with layout = "series"'
        )
    for name in spec.columns:
        if name not in card.columns:
            raise DataError(
                f"{spec.name}: column '{name}' is not defined in {card.path.name}"
                f"{nearest(name, card.columns)}; define it there or correct the model"
            )
    for name in spec.predetermined:
        if not card.known_before(card.columns[name]):
            raise DataError(
                f"{spec.name}: column '{name}' of {path.name} is not known before its day, so using"
                " it as pre-determined looks ahead; give it lag = 1 in the card or name another"
            )
