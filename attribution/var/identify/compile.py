"""An identification table and a system in; its claims, in words and as numbers, out."""

from __future__ import annotations

import math
from collections.abc import Collection
from datetime import date
from typing import Protocol

import numpy as np
import pandas as pd

from attribution.core.rotations import functionals as fn
from attribution.core.rotations.holds import (
    BETWEEN,
    LARGEST,
    MOST_COLUMNS,
    NEGLIGIBLE,
    OVERWHELMING,
    SMALLEST,
    Carried,
    Line,
    Order,
    Share,
)
from attribution.errors import IdentificationError, SpecError, nearest
from attribution.model.restriction import (
    OUTCOME,
    SHOCK,
    Cell,
    Identification,
    Narrative,
    Ranking,
    Response,
    VarianceShare,
)
from attribution.var.identify.claims import Claim, Claims, Zero

# Claims in words, as refusals and counts print them.


def cell_words(cell: Cell) -> str:
    """Return ``risk.vix + at horizons 0 to 5``."""
    per = "" if cell.per in (OUTCOME, SHOCK) else f" per {cell.per}"
    where = _horizons(cell.first, cell.last, cell.long_run)
    return f"{cell.channel}.{cell.variable} {cell.claim}{per}{where}"


def ranking_words(ranking: Ranking) -> str:
    """Return ``demand.price larger than supply.price in absolute value``."""
    factor = "" if ranking.factor == 1 else f"{ranking.factor:g} times "
    size = " in absolute value" if ranking.absolute else ""
    return f"{_response(ranking.larger)} at least {factor}{_response(ranking.smaller)}{size}"


def share_words(share: VarianceShare) -> str:
    """Return ``risk's share in the variance of vix [0.2, 1] at horizon 4``."""
    return (
        f"{share.channel}'s share in the variance of {share.variable}"
        f" [{share.low:g}, {share.high:g}] at horizon {share.horizon}"
    )


def narrative_words(narrative: Narrative) -> str:
    """Return ``risk largest for vix on 2008-09-15``."""
    to = "" if narrative.to is None else f" for {narrative.to}"
    days = f"on {narrative.start}"
    if narrative.end != narrative.start:
        days = f"from {narrative.start} to {narrative.end}"
    bounds = f" {narrative.low:g} and {narrative.high:g}" if narrative.claim == "between" else ""
    return f"{narrative.channel} {narrative.claim}{bounds}{to} {days}"


def _response(response: Response) -> str:
    where = _horizons(response.first, response.last, response.long_run)
    return f"{response.channel}.{response.variable}{where}"


def _horizons(first: int, last: int, long_run: bool) -> str:
    if long_run:
        return " in the long run"
    if first == last:
        return "" if first == 0 else f" at horizon {first}"
    return f" at horizons {first} to {last}"


# Narratives and observed series in; claims on dated shocks, and the data of their dates, out.

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


class Program:
    """The functionals that claims have asked for so far, each once; impact responses first."""

    def __init__(self, table: str, variables: tuple[str, ...]) -> None:
        self.table, self.variables = table, variables
        self._known = {(fn.RESPONSE, 0, v): v for v in range(len(variables))}

    def at(self, kind: int, first: int, second: int = 0) -> int:
        """Index of a functional."""
        return self._known.setdefault((kind, first, second), len(self._known))

    def variable(self, name: str, claim: str) -> int:
        """Index of a variable; refuses one that the system lacks."""
        if name not in self.variables:
            raise SpecError(
                f"table '{self.table}': {claim} speaks of '{name}', which is not a variable of the"
                f" system{nearest(name, self.variables)}; add it to the system or drop the claim"
            )
        return self.variables.index(name)

    def response(self, of: Response | Cell, claim: str) -> list[tuple[int, int]]:
        """Functional and horizon of every horizon of a window; −1 stands for the long run."""
        variable = self.variable(of.variable, claim)
        if of.long_run:
            return [(self.at(fn.LONG_RUN, 0, variable), -1)]
        window = range(of.first, of.last + 1)
        return [(self.at(fn.RESPONSE, h, variable), h) for h in window]

    def array(self) -> np.ndarray:
        """Return the functionals (functional, 3), in order."""
        return np.array(list(self._known), dtype=np.int64)


def compiled(
    table: Identification,
    variables: tuple[str, ...],
    values: pd.DataFrame,
    *,
    lags: int,
    constant: bool,
    levels: Collection[str] = (),
) -> Claims:
    r"""Turn a table into functionals of a column of a rotation and claims about them.

    A cell on a series that is not among the variables does not count.  A cell per unit of the
    outcome bounds :math:`\Theta_{vh} / (d\,\Theta_{o0})`, d the outcome's direction; one per unit
    of a variable w bounds :math:`\Theta_{vh} / \Theta_{w0}`, whose sign some cell must fix.

    Parameters
    ----------
    variables : in the order of every variable axis.
    values : (date, variable); complete on the dates of narratives and the lags before them.
    levels : variables measured in levels: their change over a window is that of its last date.
        Those of all others, changes themselves, are summed over the window.

    Raises
    ------
    SpecError
        If a claim speaks of a variable or of a date that the data lack.
    IdentificationError
        If channels outnumber variables, zeros leave a channel no column, an elasticity has a
        denominator of unknown sign, or two narratives contradict each other.

    References
    ----------
    antolindiaz2018; arias2018
    """
    n = len(variables)
    if len(table.names) > n or n > MOST_COLUMNS:
        raise IdentificationError(
            f"table '{table.name}': {len(table.names)} channels for {n} variables; there are as"
            f" many shocks as variables, at most {MOST_COLUMNS}: drop channels or add variables"
        )
    program = Program(table.name, variables)
    dated = Dated(table, program, values, levels)
    claims = (
        *_directions(table, program),
        *(_cell(table, cell, program) for cell in table.cells if cell.variable in variables),
        *(_ranking(table, ranking, program) for ranking in table.rankings),
        *(_share(table, share, program) for share in table.shares),
        *(dated.claim(narrative) for narrative in table.narratives),
    )
    observed, regressors = dated.data(lags, constant)
    found = Claims(
        channels=table.names,
        variables=variables,
        claims=claims,
        program=program.array(),
        dates=dated.index,
        observed=observed,
        regressors=regressors,
        conditional=bool(table.narratives) and table.reading == "conditional",
    )
    _refuse_many_zeros(table, found)
    return found


def _directions(table: Identification, program: Program) -> list[Claim]:
    if not table.direction:
        return []
    sign = "+" if table.direction > 0 else "-"
    outcome = program.variable(table.outcome, "its direction")
    return [
        Claim(f"{name}.{table.outcome} {sign}", (_line(k, outcome, float(table.direction)),))
        for k, name in enumerate(table.names)
    ]


def _line(
    channel: int, at: int, gain: float, offset: float = 0.0, base: tuple[int, float] | None = None
) -> Line:
    other, weight = (at, 0.0) if base is None else base
    return Line(channel, at, gain, other, weight, offset)


def _cell(table: Identification, cell: Cell, program: Program) -> Claim:
    words, channel = cell_words(cell), table.names.index(cell.channel)
    window = program.response(cell, words)
    if cell.zero:
        variable = program.variables.index(cell.variable)
        return Claim(words, zeros=tuple(Zero(channel, at, variable, h) for at, h in window))
    sign, base = 1.0, None
    pure = all(end == 0 or math.isinf(end) for end in (cell.low, cell.high))
    if cell.per != SHOCK and not (pure and cell.per == OUTCOME):
        name = table.outcome if cell.per == OUTCOME else cell.per
        base = program.variable(name, words)
        sign = _sign_of(table, cell.channel, name, words)
    ratio = sign if cell.per == OUTCOME else 1.0
    gain = 1.0 if cell.per == OUTCOME else sign
    lines = []
    for at, _ in window:
        for end, side in ((cell.low, 1.0), (cell.high, -1.0)):
            if math.isfinite(end) and base is None:
                lines.append(_line(channel, at, side, side * end))
            elif math.isfinite(end) and base is not None:
                lines.append(
                    _line(channel, at, side * gain, base=(base, -side * gain * ratio * end))
                )
    return Claim(words, tuple(lines))


def _sign_of(table: Identification, channel: str, variable: str, words: str) -> float:
    """Return the sign of an elasticity's denominator, the impact on ``variable``."""
    if variable == table.outcome and table.direction:
        return float(table.direction)
    for cell in table.cells_of(channel):
        known = cell.per in (SHOCK, OUTCOME) and not cell.long_run
        if cell.variable == variable and cell.first == 0 and known:
            if cell.low >= 0 and not cell.zero:
                return 1.0
            if cell.high <= 0 and not cell.zero:
                return -1.0
    raise IdentificationError(
        f"table '{table.name}': {words} is per unit of '{variable}', whose response on impact has"
        f" no sign; fix it by a cell {channel}.{variable}"
    )


def _ranking(table: Identification, ranking: Ranking, program: Program) -> Claim:
    words = ranking_words(ranking)
    sides = [
        [(at, table.names.index(side.channel)) for at, _ in program.response(side, words)]
        for side in (ranking.larger, ranking.smaller)
    ]
    orders = [
        Order(larger, smaller, ranking.factor, ranking.absolute)
        for larger, smaller in zip(*sides, strict=True)
    ]
    return Claim(words, orders=tuple(orders))


def _share(table: Identification, share: VarianceShare, program: Program) -> Claim:
    words, channel = share_words(share), table.names.index(share.channel)
    window = Response(share.channel, share.variable, 0, share.horizon)
    at = tuple(at for at, _ in program.response(window, words))
    return Claim(words, (Share(channel, at, share.low, share.high),))


def _refuse_many_zeros(table: Identification, claims: Claims) -> None:
    n = len(claims.variables)
    count = np.bincount([zero.channel for zero in claims.zeros], minlength=n)
    for column, channel in enumerate(claims.zero_channels):
        if count[channel] > n - 1 - column:
            raise IdentificationError(
                f"table '{table.name}', channel '{claims.channels[channel]}': {count[channel]}"
                f" zeros where {n - 1 - column} leave it a shock (one for each variable, less one,"
                f" less the {column} channels with as many zeros or more); drop some"
            )
