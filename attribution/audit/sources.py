"""Names of data sets in; what the tests of an audit read: columns, figures, runs."""

from __future__ import annotations

import re
from collections import UserDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from attribution.audit.tested import Untestable
from attribution.errors import DataError, nearest
from attribution.model.read import model_names
from attribution.panel.catalogue import digest_of, find_data
from attribution.panel.read import derive, refuse_undefined
from attribution.panel.rows import read_rows
from attribution.runs.run import Run

# A row of published figures in; its number, bound or range out.

NUMBER = r"[-+]?\d+(?:\.\d+)?"


@dataclass(frozen=True)
class Figure:
    """A published figure.

    Attributes
    ----------
    key : its row.
    low, high : equal for a number; an end of a bound is infinite.
    text, unit, quantity, source : as published.
    """

    key: str
    low: float
    high: float
    text: str
    unit: str
    quantity: str
    source: str

    @property
    def value(self) -> float:
        """The number, the finite end of a bound, or the middle of a range."""
        if self.low == -inf:
            return self.high
        return self.low if self.high == inf else 0.5 * (self.low + self.high)

    def quoted(self) -> str:
        """Return the figure as a reader is told of it."""
        return f"{self.key}: {self.text} {self.unit}, {self.quantity}".replace(" ,", ",")


def figure_of(key: str, row: Mapping[str, Any]) -> Figure:
    """Read a published value: a number, a bound such as ``>10``, or a range ``38 to 39``.

    Raises
    ------
    Untestable
        If it is published in words.
    """
    text = str(row["value"]).strip()
    rest = (text, str(row["unit"]), str(row["quantity"]), str(row["source_title"]))
    if match := re.fullmatch(rf"([<>]?)\s*({NUMBER})", text):
        number = float(match[2])
        low = -inf if match[1] == "<" else number
        return Figure(key, low, inf if match[1] == ">" else number, *rest)
    if match := re.fullmatch(rf"({NUMBER}) to ({NUMBER})", text):
        ends = sorted((float(match[1]), float(match[2])))
        return Figure(key, ends[0], ends[1], *rest)
    raise Untestable(f"figure {key} is published in words: '{text}' ({rest[2]})")


FACTS = "facts"
FIGURE = ("value", "unit", "quantity", "source_title")
"""What a row of published figures must say."""


@dataclass(frozen=True)
class Sources:
    """What claims are held against.

    Attributes
    ----------
    frames : data set -> its rows by day or by key, every series and every derived column; units
        by column stand in ``attrs["units"]``.
    runs : name of a model -> its saved run.
    left_out : name of a model -> why its run is no evidence, and what to do.
    seed : of every simulation; each test draws from its own copy, so variants share their draws.
    """

    frames: Mapping[str, pd.DataFrame]
    runs: Mapping[str, Run] = field(default_factory=dict)
    seed: int = 1
    left_out: Mapping[str, str] = field(default_factory=dict)

    def rng(self) -> np.random.Generator:
        """Return the generator of one test."""
        return np.random.default_rng(self.seed)

    def frame(self, data: str) -> pd.DataFrame:
        """Return the rows of a data set."""
        return self.frames[data]

    def column(self, data: str, name: str) -> pd.Series:
        """Return one column, NaN where nothing was observed.

        Raises
        ------
        DataError
            If the data set lacks it.
        """
        frame = self.frame(data)
        if name not in frame:
            raise DataError(
                f"data set '{data}' has no column '{name}'{nearest(name, map(str, frame))}; add it"
                " to its card or correct the claim"
            )
        return frame[name]

    def unit(self, data: str, name: str) -> str:
        """Return the unit of a column."""
        return str(self.frame(data).attrs.get("units", {}).get(name, ""))

    def on(self, series: pd.Series, day: date) -> float:
        """Return a value on a day.

        Raises
        ------
        Untestable
            If it was not observed.
        """
        stamp = pd.Timestamp(day)
        value = float(series.get(stamp, np.nan))
        if not np.isfinite(value):
            seen = series.dropna().index
            ends = f"{seen[0]:%Y-%m-%d} to {seen[-1]:%Y-%m-%d}" if len(seen) else "never"
            raise Untestable(f"'{series.name}' was not observed on {day} (it was {ends})")
        return value

    def before(self, series: pd.Series, day: date) -> float:
        """Return the last value before a day.

        Raises
        ------
        Untestable
            If there is none.
        """
        past = series[series.index < pd.Timestamp(day)].dropna()
        if past.empty:
            raise Untestable(f"'{series.name}' was not observed before {day}")
        return float(past.iloc[-1])

    def records(self, data: str, names: tuple[str, ...]) -> pd.DataFrame:
        """Return the named columns of a data set of records.

        Raises
        ------
        DataError
            If it lacks one.
        """
        return pd.DataFrame({name: self.column(data, name) for name in names})

    def figure(self, key: str) -> Figure:
        """Return a published figure by its key.

        Raises
        ------
        DataError
            If there is none.
        """
        rows = self.records(FACTS, FIGURE)
        if key not in rows.index:
            raise DataError(
                f"data set '{FACTS}' has no row '{key}'{nearest(key, map(str, rows.index))}; add it"
                " or correct the claim"
            )
        return figure_of(key, {str(name): value for name, value in rows.loc[key].items()})

    def quote(self, key: str) -> str:
        """Return a published figure as a reader is told of it, words included."""
        try:
            return self.figure(key).quoted()
        except Untestable:
            row = self.frame(FACTS).loc[key]
            return f"{key}: '{row['value']}', {row['quantity']}"

    def run(self, name: str) -> Run:
        """Return a saved run.

        Raises
        ------
        Untestable
            If none was given, or it was left out; it says how to make one.
        """
        if name in self.left_out:
            raise Untestable(self.left_out[name], missing=name)
        if name not in self.runs:
            how = command_for(name)
            raise Untestable(
                f"no run of '{name}' was given: {how}"
                if how
                else f"it needs a run of '{name}', and no such model is shipped yet",
                missing=name,
            )
        return self.runs[name]


def command_for(name: str) -> str:
    """Return the command that makes a run, empty if no such model is shipped."""
    model, _, rival = name.partition("+")
    if model not in model_names():
        return ""
    return f"attribution fit --model {model}" + (
        f" --rival {rival} --out runs/{name}" * bool(rival)
    )


class Library(UserDict[str, pd.DataFrame]):
    """Data sets of a folder, or the shipped ones, each read when it is first asked for."""

    def __init__(self, folder: Path | None = None) -> None:
        super().__init__()
        self.folder = folder

    def __missing__(self, name: str) -> pd.DataFrame:
        """Read a data set with every column that its card derives.

        Raises
        ------
        DataError
            If it is missing or disagrees with its card.
        """
        card, path = find_data(name, self.folder)
        rows = read_rows(card, path).frame
        made = {}
        for column in card.columns.values() if card.layout == "series" else ():
            refuse_undefined(column, rows, path.name)
            made[column.name] = derive(column, rows)
        frame = rows.assign(**made)
        units = {name: series.unit for name, series in card.series.items()}
        units |= {name: column.unit for name, column in card.columns.items()}
        frame.attrs = {"units": units, "digest": digest_of(card, path)}
        self.data[name] = frame
        return frame

    @property
    def digests(self) -> dict[str, str]:
        """Fingerprint of every data set that was read."""
        return {name: str(frame.attrs["digest"]) for name, frame in self.data.items()}
