"""Raw series in; the columns that a model names out, transformed as the card says."""

from __future__ import annotations

import numpy as np
import pandas as pd

from attribution.errors import DataError
from attribution.panel.card import Card, Column


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
