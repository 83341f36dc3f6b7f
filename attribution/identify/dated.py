"""Narratives and observed series in; claims on dated shocks, and the data of their dates, out."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Protocol

import numpy as np
import pandas as pd

from attribution.core import functionals as fn
from attribution.core.claim_rows import (
    BETWEEN,
    LARGEST,
    NEGLIGIBLE,
    OVERWHELMING,
    SMALLEST,
    Carried,
    Line,
)
from attribution.errors import IdentificationError, SpecError
from attribution.identify.claims import Claim
from attribution.identify.words import narrative_words
from attribution.model.restriction import Identification, Narrative

KINDS = {
    "largest": LARGEST,
    "smallest": SMALLEST,
    "overwhelming": OVERWHELMING,
    "negligible": NEGLIGIBLE,
    "between": BETWEEN,
}
SIGNS = {"positive": 1, "negative": -1}


class Functionals(Protocol):
    """A growing list of functionals."""

    variables: tuple[str, ...]

    def at(self, kind: int, first: int, second: int = 0) -> int:
        """Index of a functional."""
        ...

    def variable(self, name: str, claim: str) -> int:
        """Index of a variable."""
        ...


class Dated:
    """The dates that narratives have asked for so far, each once."""

    def __init__(
        self,
        table: Identification,
        program: Functionals,
        values: pd.DataFrame,
        levels: Collection[str],
    ) -> None:
        self.table, self.program, self.levels = table, program, levels
        self.values = values
        self._rows: dict[int, int] = {}
        self._signs: dict[tuple[int, int], tuple[int, str]] = {}

    @property
    def index(self) -> pd.DatetimeIndex:
        """The dates, in the order in which they were asked for."""
        return pd.DatetimeIndex(self.values.index[list(self._rows)])

    def claim(self, narrative: Narrative) -> Claim:
        """Turn a narrative into a claim on shocks of its own dates."""
        words, channel = narrative_words(narrative), self.table.names.index(narrative.channel)
        first, last = (self._row(day, words) for day in (narrative.start, narrative.end))
        if narrative.claim in SIGNS:
            sign, at = SIGNS[narrative.claim], self._shock(first)
            earlier = self._signs.setdefault((channel, at), (sign, words))
            if earlier[0] != sign:
                raise IdentificationError(
                    f"table '{self.table.name}': {words} contradicts {earlier[1]}; drop one"
                )
            line = Line(channel, at, float(sign), at, 0.0, 0.0)
            return Claim(words, (line,), dated=True, signs={(channel, at): sign})
        variable = self.program.variable(str(narrative.to), words)
        pairs = tuple(
            (self._carry(last - row, variable), self._shock(row)) for row in range(first, last + 1)
        )
        kind = KINDS[narrative.claim]
        part = Carried(channel, pairs, kind, narrative.low, narrative.high)
        return Claim(words, (part,), dated=True)

    def data(self, lags: int, constant: bool) -> tuple[np.ndarray, np.ndarray]:
        """Observed (date, variable) and regressors (date, regressor) of every date.

        Raises
        ------
        SpecError
            If a date, or one of the lags before it, is incomplete.
        """
        n = len(self.program.variables)
        rows = list(self._rows)
        frame = self.values.loc[:, list(self.program.variables)].to_numpy(float)
        observed = np.empty((len(rows), n))
        regressors = np.ones((len(rows), int(constant) + lags * n))
        for number, row in enumerate(rows):
            past = frame[max(0, row - lags) : row + 1]
            if len(past) <= lags or not np.isfinite(past).all():
                raise SpecError(
                    f"table '{self.table.name}': a narrative needs the shock of"
                    f" {self.values.index[row]:%Y-%m-%d}, but the data of that date and its {lags}"
                    " lags are not complete; move it or supply them"
                )
            observed[number] = past[-1]
            regressors[number, int(constant) :] = past[-2::-1].ravel()
        return observed, regressors

    def _row(self, day: date, words: str) -> int:
        index = pd.DatetimeIndex(self.values.index)
        row = int(index.searchsorted(pd.Timestamp(day)))
        if row < len(index) and index[row] == pd.Timestamp(day):
            return row
        near = index[min(row, len(index) - 1)]
        raise SpecError(
            f"table '{self.table.name}': {words}: {day} is not a date of the sample (nearest:"
            f" {near:%Y-%m-%d}); correct it"
        )

    def _shock(self, row: int) -> int:
        return self.program.at(fn.SHOCK, self._rows.setdefault(row, len(self._rows)))

    def _carry(self, steps: int, variable: int) -> int:
        level = self.program.variables[variable] in self.levels or steps == 0
        return self.program.at(fn.RESPONSE if level else fn.CUMULATED, steps, variable)
