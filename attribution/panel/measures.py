"""What a card says of a model's variables, a change or a level, in; the model that heeds it out.

A change adds up over a window; a level moves by its last value over that of the eve.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

import pandas as pd

from attribution.errors import DataError, SpecError
from attribution.model.spec import ModelSpec
from attribution.panel.card import CHANGE, LEVEL
from attribution.panel.read import Panel

LOG_POINTS = "log points"
NO_CHANGE = 100.0
"""Log points that the typical change of a row stays below: a factor of 2.7."""


def with_levels(spec: ModelSpec, panel: Panel) -> ModelSpec:
    """Take for levels the variables that the card calls so.

    Raises
    ------
    SpecError
        If the model calls a level what the card calls a change.
    DataError
        If neither says what the outcome is, and it can be no change.
    """
    measures = {name: column.measure for name, column in panel.card.columns.items()}
    found = levels_of(spec.system.variables, spec.system.levels, measures, f"{spec.name}: [system]")
    outcome = spec.event.outcome
    if spec.event.asked and outcome not in found:
        unit, measure = panel.units[outcome], measures.get(outcome)
        refuse_no_change(outcome, panel.values[outcome], unit, measure, spec.name)
    return replace(spec, system=replace(spec.system, levels=found))


def levels_of(
    variables: Collection[str], named: Collection[str], measures: Mapping[str, str], place: str
) -> tuple[str, ...]:
    """Variables in levels: those that the model names, and those of the card.

    Raises
    ------
    SpecError
        If the model calls a level what the card calls a change.
    """
    for name in named:
        if measures.get(name) == CHANGE:
            raise SpecError(
                f"{place}: levels names '{name}', which is a change by its card; remove it, or name"
                " the column of its level"
            )
    return tuple(name for name in variables if name in named or measures.get(name) == LEVEL)


def refuse_levels(names: Iterable[str], measures: Mapping[str, str], place: str) -> None:
    """Refuse levels where returns, or other changes, are asked for.

    Raises
    ------
    SpecError
        Naming the column.
    """
    for name in names:
        if measures.get(name) == LEVEL:
            raise SpecError(
                f"{place}: '{name}' is a level by its card, and its change is asked for; name the"
                " column of its change"
            )


def refuse_no_change(
    name: str, values: pd.Series, unit: str, measure: str | None, place: str
) -> None:
    """Refuse logs of prices that would be added up as if they were changes.

    Raises
    ------
    DataError
        If a series in log points, of which nobody says what it is, is typically above a hundred.
    """
    if unit != LOG_POINTS or measure or not pd.api.types.is_numeric_dtype(values.dtype):
        return
    middle = float(values.abs().median())
    if not middle > NO_CHANGE:
        return
    raise DataError(
        f"{place}: '{name}' is typically {middle:.4g} {unit}, which is no change from row"
        " to row; give its card transform = 'log_level' (or 'log_change', of the price), or name it"
        " under levels"
    )
