"""A model in; its columns on one clock out, with units and a fingerprint, or one refusal."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from attribution.errors import DataError, nearest
from attribution.model.spec import ModelSpec
from attribution.panel.card import Card, Column
from attribution.panel.catalogue import digest_of, find_data
from attribution.panel.coverage import (
    refuse_absent,
    refuse_gaps,
    refuse_uncovered_event,
    refuse_unseen_dates,
    sample_days,
)
from attribution.panel.gate import refuse_degenerate, refuse_short
from attribution.panel.quotes import refuse_magnitudes, refuse_stale
from attribution.panel.rows import read_rows

# Raw series in; the columns that a model names out, transformed as the card says.


def derive(column: Column, rows: pd.DataFrame) -> pd.Series:
    r"""Make one column from the raw series.

    .. math:: q_t = \frac{\text{of}_t \cdot \text{times}_t}{\text{over}_t}, \qquad
        \text{log change: } s\,(\log q_t - \log q_{t-1}), \qquad
        \text{log excess: } s\,\big(\log q_t - \log \mathrm{med}(q_{t-w}, \dots, q_{t-1})\big)

    with scale s and window w; ``lag`` moves a value to a later row, ``lead`` to an earlier one.
    With ``expiry``, a day under ``min_days`` is empty, and so is the day of a roll (days to expiry
    that rise), whose price may still be the old contract's; a change that touches either is empty.

    Parameters
    ----------
    rows : (time, series), raw values in the units of the card; the calendar has no holes.

    Returns
    -------
    (time,), in the unit of the column; missing where an input is.

    Raises
    ------
    DataError
        If a logarithm meets a value that is not positive.
    """
    if column.transform == "since":
        begun = (rows.index >= pd.Timestamp(str(column.start))).astype(float)
        return pd.Series(begun, index=rows.index, name=column.name)
    if column.transform == "at_most":
        quantity = rows[column.of]
        values = (quantity <= column.threshold).astype(float).where(quantity.notna())
    else:
        values = _transform(column, _quantity(column, rows)) * column.scale
        if column.expiry:
            values = _by_expiry(column, values, rows[column.expiry])
    return values.shift(column.lag - column.lead).rename(column.name)


def refuse_undefined(column: Column, rows: pd.DataFrame, place: str) -> None:
    """Refuse prices at or below zero where a logarithm is taken, and a division by zero."""
    if not column.logged:
        zero = rows.index[rows[column.over] == 0] if column.over else rows.index[:0]
        if len(zero):
            raise DataError(
                f"{place}: '{column.over}' is 0 on {zero[0]:%Y-%m-%d}, and '{column.name}' divides"
                " by it; correct the value or empty the cell"
            )
        return
    for name in column.quoted:
        wrong = rows.index[rows[name] <= 0]
        if len(wrong):
            raise DataError(
                f"{place}: '{name}' is {rows.loc[wrong[0], name]:g} on {wrong[0]:%Y-%m-%d}, and"
                f" '{column.name}' takes its logarithm; correct the value or empty the cell"
            )


def refuse_leaps(column: Column, values: pd.Series, card: Card, place: str) -> None:
    """Refuse moves above 50 % that the card does not confirm: a split, or a misprint."""
    if column.transform != "log_change":
        return
    moves = np.expm1(values / column.scale)
    confirmed = values.index.isin(pd.DatetimeIndex(column.confirmed))
    leaps = values.index[(moves.abs() > 0.5).to_numpy() & ~confirmed]
    if len(leaps):
        raise DataError(
            f"{place}: '{column.name}' moves by {100 * moves[leaps[0]]:+.0f} % on"
            f" {leaps[0]:%Y-%m-%d}; correct a split or a misprint, or list the date under confirmed"
            f" in {card.path.name}"
        )


def _quantity(column: Column, rows: pd.DataFrame) -> pd.Series:
    quantity = rows[column.of]
    if column.times:
        quantity = quantity * rows[column.times]
    return quantity / rows[column.over] if column.over else quantity


def _transform(column: Column, quantity: pd.Series) -> pd.Series:
    """Apply the transform, without scale or shift."""
    if column.transform == "level":
        return quantity
    if column.transform == "change":
        return quantity.diff()
    logs = pd.Series(np.log(quantity), index=quantity.index)
    if column.transform == "log_level":
        return logs
    if column.transform == "log_change":
        return logs.diff()
    past = quantity.shift(1).rolling(column.window, min_periods=column.window).median()
    return logs.sub(np.log(past))


def _by_expiry(column: Column, values: pd.Series, days: pd.Series) -> pd.Series:
    """Empty the days near expiry and at a roll; annualise if the card asks for it."""
    rolled = days > days.shift(1)
    empty = (days < column.min_days) | days.isna() | rolled
    if column.annualised:
        values = values * 365.0 / days.where(days > 0)
    if column.transform in ("change", "log_change"):
        empty = empty | empty.shift(1, fill_value=True)
    return values.mask(empty)


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
