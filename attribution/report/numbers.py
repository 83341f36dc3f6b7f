"""Numbers, names and tables to text, by one set of rules; nothing else here writes a number."""

from __future__ import annotations

from math import floor, isfinite, log10
from textwrap import wrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

MINUS = "\N{MINUS SIGN}"
THIN = "\N{NARROW NO-BREAK SPACE}"


def label(name: str) -> str:
    """Return a name of the code as words."""
    return name.replace("_", " ")


def wrapped(name: str, width: int) -> str:
    """Return a name as words on lines of at most ``width`` letters, where its words allow it."""
    return "\n".join(wrap(label(name), width, break_long_words=False))


def number(value: float, decimals: int) -> str:
    """Return a number with a true minus sign; what does not exist is blank, zero has no sign."""
    if not isfinite(value):
        return ""
    text = f"{value:,.{decimals}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def significant(value: float, digits: int) -> str:
    """Return a number of any size to so many significant digits, without an exponent."""
    if not isfinite(value):
        return ""
    if value == 0:
        return "0"
    return number(value, max(digits - 1 - floor(log10(abs(value))), 0))


def decimals_for(largest: float) -> int:
    """Return how many decimals show three significant digits of the largest of some numbers."""
    return max(2 - floor(log10(largest)), 0) if largest > 0 else 0


def probability(value: float) -> str:
    """Return a probability to hundredths; draws never show that one is exactly zero or one."""
    if not isfinite(value):
        return ""
    if value < 0.005:
        return f"<{THIN}0.01"
    return f">{THIN}0.99" if value > 0.995 else f"{value:.2f}"


def span(low: float, high: float, decimals: int) -> str:
    """Return an interval in words: with minus signs about, a dash would be misread."""
    if not (isfinite(low) and isfinite(high)):
        return ""
    return f"{number(low, decimals)} to {number(high, decimals)}"


def per_cent(value: float, decimals: int) -> str:
    """Return a number already in per cent."""
    text = number(value, decimals)
    return f"{text}{THIN}%" if text else ""


# A table in; CSV in which no spreadsheet finds a formula out.

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What begins a formula in a spreadsheet."""


def harmless(cell: Any) -> Any:
    """Put an apostrophe before a text that a spreadsheet would calculate; numbers stay numbers."""
    if not isinstance(cell, str) or not cell.startswith(FORMULA):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell


def csv_text(table: pd.DataFrame, **settings: Any) -> str:
    """Return a table as CSV, texts that begin like formulas made texts by an apostrophe.

    Parameters
    ----------
    settings : ``index`` and ``index_label`` of `pandas.DataFrame.to_csv`.
    """
    told = table.copy()
    for place, kind in enumerate(table.dtypes):
        if kind.kind == "O":
            told.isetitem(place, table.iloc[:, place].map(harmless).to_numpy())
    told.columns = table.columns.map(harmless)
    if table.index.dtype.kind == "O":
        told.index = table.index.map(harmless)
    text: str = told.to_csv(lineterminator="\n", **settings)
    return text
