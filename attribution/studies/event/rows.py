"""A structural question about one day and its evidence in; arrays by day, all in model units, out.

Moves are log units (0.01 is one log point), flows USD million, volatility fractions.  What scales
a day (volatility, volume, price, open interest, funding) is that of the evening before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd

from attribution.errors import DataError, EventError
from attribution.panel import Evidence
from attribution.panel.note_terms import YEAR
from attribution.studies.event.question import EventQuestion

# Open interest and liquidations by day in; what was open before, what was closed, what vanished.


def open_interest(question: EventQuestion, frame: pd.DataFrame) -> dict[str, pd.Series]:
    """Columns of :class:`~attribution.studies.event.rows.EventRows` about forced closing.

    In dollars open interest falls with the price alone, so it is carried and compared in coins.

    Where the series has ended, coins are those of its last row, for at most ``carry`` rows.
    Totals that a model file reports stand where the series has none.
    """
    forced, price = question.liquidations, frame[question.price]
    coins = frame[forced.open_interest] / price
    filled = coins.ffill(limit=forced.carry) if forced.carry else coins
    closed = {"longs": frame[forced.longs], "shorts": frame[forced.shorts]}
    for one in forced.reported:
        here = frame.index == pd.Timestamp(one.day)
        for side, value in (("longs", one.longs), ("shorts", one.shorts)):
            closed[side] = closed[side].mask(here & closed[side].isna(), value)
    fallen = (coins.shift(1) - coins) * price
    return {
        **{side: value.where(value > 0.0) for side, value in closed.items()},
        "open_interest": filled.shift(1) * price.shift(1),
        "vanished": fallen.where(fallen > 0.0),
        "carried": coins.shift(1).isna().astype(float),
    }


# Columns of the data in; the same in model units, each as it was known, by day, out.

DAYS_OF_YEAR = 365.0
MILLION = 1e6


def made_columns(question: EventQuestion, frame: pd.DataFrame) -> pd.DataFrame:
    """Bring every column into model units; lags are over rows of the sample."""
    impact, forced = question.impact, question.liquidations
    price, level = frame[question.price], frame[question.volatility.column] / 100.0
    last = price.shift(1)
    traded = frame[impact.volume] * price / MILLION
    held = open_interest(question, frame)
    found = {
        "move": frame[question.outcome] / 100.0,
        "before": frame[question.outcome].shift(1) / 100.0,
        "noise": frame[question.scale],
        "sigma": level.shift(1) / np.sqrt(DAYS_OF_YEAR),
        "volume": traded.rolling(impact.window).mean().shift(1) * impact.volume_multiple,
        "capitalisation": last * impact.supply,
        "price": last,
        "funding": frame[forced.funding],
        "volatility": level.diff(),
        "basis": frame[question.basis.basis],
        "creations": frame[list(question.basis.creations)].sum(axis=1, skipna=False),
        **held,
    }
    for group in question.drivers:
        for name in group.columns:
            found[f"driver {name}"] = frame[name]
    return pd.DataFrame(found)


LEAST = 60
"""Days that a fit needs, at least."""


@dataclass(frozen=True)
class Units:
    """Sample standard deviations that set the scale of nuisance priors; kept when days are drawn.

    Attributes
    ----------
    move : log units.
    volatility : of the day's change, fraction.
    basis : basis points.
    creations : USD million.
    """

    move: float
    volatility: float
    basis: float
    creations: float


@dataclass(frozen=True)
class EventRows:
    """Days of a structural model; every array is (day,) unless said otherwise.

    Attributes
    ----------
    days : datetime64.
    move : log units; ``before`` that of the row before, NaN on the first.
    drivers : (day, driver), standardised; ``names`` of the columns, ``groups`` trigger -> columns.
    noise : centred log scale.
    sigma : daily volatility, fraction.
    volume : USD million a day, all venues.
    capitalisation : USD million.
    price : last close, USD.
    longs, shorts : liquidated, USD million; NaN where not published.
    open_interest : USD million at the last close.
    vanished : open interest that vanished on the day, USD million; NaN where unknown or it rose.
    funding : standardised.
    volatility : change of implied volatility on the day, fraction (0.01 is a point).
    basis : change, basis points; ``creations`` USD million; NaN where missing.
    named : positions of the event's day and the placebo days, in order of time.
    event : position of the event's day.
    carried : whether open interest is carried forward.
    left_out : days of the sample that lack a number every day needs.
    """

    days: np.ndarray
    move: np.ndarray
    before: np.ndarray
    drivers: np.ndarray
    names: tuple[str, ...]
    groups: Mapping[str, np.ndarray]
    noise: np.ndarray
    sigma: np.ndarray
    volume: np.ndarray
    capitalisation: np.ndarray
    price: np.ndarray
    longs: np.ndarray
    shorts: np.ndarray
    open_interest: np.ndarray
    vanished: np.ndarray
    funding: np.ndarray
    volatility: np.ndarray
    basis: np.ndarray
    creations: np.ndarray
    named: np.ndarray
    event: int
    carried: np.ndarray
    units: Units
    left_out: int = 0

    @property
    def labels(self) -> tuple[str, ...]:
        """Named days as texts."""
        return tuple(str(day)[:10] for day in self.days[self.named])

    @cached_property
    def latent(self) -> np.ndarray:
        """Positions, among the named days, whose liquidations were not published."""
        return np.flatnonzero(np.isnan(self.longs[self.named]) | np.isnan(self.shorts[self.named]))

    @cached_property
    def bounded(self) -> np.ndarray:
        """Named positions with two bounds of what was closed that do not contradict each other."""
        within = np.nan_to_num(self._print / self.vanished[self.named], nan=1.0) < 1.0
        return np.asarray(self.named[within])

    def closed(self, side: str) -> np.ndarray:
        """Return what was liquidated of the ``long`` or the ``short`` side."""
        return self.longs if side == "long" else self.shorts

    @property
    def contradicted(self) -> int:
        """Named days on which more was liquidated than open interest vanished."""
        return int((np.nan_to_num(self._print / self.vanished[self.named], nan=0.0) >= 1.0).sum())

    @property
    def _print(self) -> np.ndarray:
        return np.asarray(self.longs[self.named] + self.shorts[self.named])


def event_rows(question: EventQuestion, evidence: Evidence, place: str) -> EventRows:
    """Lay out the days.

    Raises
    ------
    DataError
        If a column holds texts or does not vary, or too few days are complete.
    EventError
        If a named day is not in the rows, or lacks a number that every day needs.
    """
    if evidence.entity or not evidence.dated:
        raise DataError(f"{place}: its rows are not one a day; hand over one row a day")
    frame = evidence.rows[list(question.columns)]
    for name in frame:
        if not pd.api.types.is_numeric_dtype(frame[name].dtype):
            raise DataError(f"{place}: column '{name}' holds texts; name a column of numbers")
    made = made_columns(question, frame)
    used = made[[c for c in made if c not in OPTIONAL]].notna().all(axis=1)
    _refuse(question, made, used, place)
    kept = made[used.to_numpy()]
    drivers = [name for group in question.drivers for name in group.columns]
    outside = kept[[f"driver {name}" for name in drivers]].to_numpy()
    days = kept.index.to_numpy().astype("datetime64[D]")
    named = np.searchsorted(days, np.array(question.named, dtype="datetime64[D]"))
    columns = {name: kept[name].to_numpy() for name in kept}
    spread = {name: float(np.nanstd(columns[name])) for name in ("move", *VARIED)}
    for name, value in {**spread, **dict(zip(drivers, outside.std(axis=0), strict=True))}.items():
        if not value > 0.0:
            raise DataError(f"{place}: '{name}' does not vary over its days; correct the model")
    return EventRows(
        days=days,
        drivers=(outside - outside.mean(axis=0)) / outside.std(axis=0),
        names=tuple(drivers),
        groups={g.name: np.array([drivers.index(c) for c in g.columns]) for g in question.drivers},
        noise=columns["noise"] - columns["noise"].mean(),
        funding=(columns["funding"] - columns["funding"].mean()) / spread["funding"],
        named=named,
        event=int(np.searchsorted(days, np.datetime64(question.day, "D"))),
        carried=columns["carried"] > 0.0,
        units=Units(spread["move"], spread["volatility"], spread["basis"], spread["creations"]),
        left_out=int((~used.to_numpy())[int(used.to_numpy().argmax()) :].sum()),
        **{name: columns[name] for name in PLAIN},
    )


PLAIN = (
    "move", "before", "sigma", "volume", "capitalisation", "price", "longs", "shorts",
    "open_interest", "vanished", "volatility", "basis", "creations",
)  # fmt: skip
OPTIONAL = ("before", "longs", "shorts", "vanished", "basis", "creations")
"""Columns of which a day may lack some: its equation loses that day."""
VARIED = ("volatility", "basis", "creations", "funding")


def _refuse(question: EventQuestion, made: pd.DataFrame, used: pd.Series, place: str) -> None:
    if int(used.sum()) < LEAST:
        raise DataError(
            f"{place}: {int(used.sum())} days are complete and {LEAST} are needed; lengthen the"
            " sample or name fewer columns"
        )
    for day in question.named:
        stamp = pd.Timestamp(day)
        if stamp not in made.index:
            raise EventError(
                f"{place}: {day} is named and has no row in the sample; move it or lengthen the"
                " sample"
            )
        if not used[stamp]:
            needed = made.loc[[stamp]].drop(columns=list(OPTIONAL))
            name = str(needed.columns[needed.isna().to_numpy()[0]][0])
            raise EventError(
                f"{place}: {day} is named and lacks '{name.removeprefix('driver ')}'; fill it in"
                " the data, or name another day"
            )


# Closes and days in; what a hedger knows on the evening before each day out.


@dataclass(frozen=True)
class Evenings:
    """What is known on the evening before each day; all (day,).

    Attributes
    ----------
    spot : close of the underlying, USD.
    vol, listed : annual volatility of long and of short tenors, 0.5 is 50 %.
    place : row of that close among all closes.
    age : years from that close to the evening before the day of reference, negative after it.
    span : years from that close to the close of the day.
    """

    spot: np.ndarray
    vol: np.ndarray
    listed: np.ndarray
    place: np.ndarray
    age: np.ndarray
    span: np.ndarray


def evenings(
    past: pd.Series, days: pd.DatetimeIndex, vols: np.ndarray, listed: np.ndarray, reference: date
) -> Evenings:
    """Look up the last close before each day, and the times between.

    Raises
    ------
    DataError
        No close before the first day or the day of reference; volatilities that are missing or
        not above zero.
    """
    index = pd.DatetimeIndex(past.index)
    place = index.searchsorted(days) - 1
    eve = index.searchsorted(pd.Timestamp(reference)) - 1
    if (place < 0).any() or eve < 0:
        raise DataError(
            "notes: there is no close before the first day or the day of reference; extend the "
            "closes"
        )
    for name, each in (("long", vols), ("short", listed)):
        if each.shape != (len(days),) or not (np.isfinite(each) & (each > 0.0)).all():
            raise DataError(
                f"notes: volatilities of {name} tenors are not one positive number a day; fill "
                "what is missing (0.5 is 50 %)"
            )
    last = pd.Timestamp(index.to_numpy()[eve])
    years = [(when - index[place]).days.to_numpy() / YEAR for when in (last, days)]
    return Evenings(past.to_numpy(dtype=float)[place], vols, listed, place, *years)
