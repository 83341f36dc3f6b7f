"""Rows of entities and one reading of their dates in; the arrays of a panel regression out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.errors import DataError, EventError, nearest
from attribution.panel import Evidence
from attribution.runs.study import refuse_texts
from attribution.studies.panel.placebo import Design
from attribution.studies.panel.question import Dating, PanelQuestion, PlaceboEvent


@dataclass(frozen=True)
class Laid:
    """A panel under one dating.

    Attributes
    ----------
    design : outcome and covariates, in units of ``scale``.
    names : of the covariates.
    scale : (entity,), what one unit of the outcome is in the unit of the data.
    days, entities : labels of the two axes.
    exposures : event -> (time, entity), exposure had the event been on that day.
    rows : event -> (m,), its rows.
    size : (time,), by which days are matched; zero where nothing is matched.
    """

    design: Design
    names: list[str]
    scale: pd.Series
    days: pd.DatetimeIndex
    entities: list[str]
    exposures: dict[str, np.ndarray]
    rows: dict[str, np.ndarray]
    size: np.ndarray

    def event(self, name: str) -> np.ndarray:
        """(time, entity), the exposure on the days of an event and zero elsewhere."""
        found = np.zeros(self.design.mask.shape)
        found[self.rows[name]] = self.exposures[name][self.rows[name]]
        return np.where(self.design.mask, found, 0.0)


def lay(question: PanelQuestion, evidence: Evidence, dating: Dating) -> Laid:
    """Put the rows of a panel on (time, entity), each on the day it is taken to describe.

    Raises
    ------
    DataError
        If the data are no panel, an entity or a number is missing throughout, or too little moves.
    EventError
        If an event's day has no complete row of those exposed and of others.
    """
    entities = _entities(question, evidence)
    refuse_texts(evidence, question.columns)
    outcome = evidence.wide(question.column)[entities]
    days = evidence.days
    aligned = realigned(outcome, dating)
    rows = {e.name: _rows(e, days) for e in question.events}
    event_rows = np.unique(np.concatenate([np.zeros(0, int), *rows.values()]))
    scale = _scale(question, aligned, event_rows)
    scaled = aligned / scale
    lost = aligned.isna() & outcome.notna()  # a changed dating leaves a day without its row ...
    bridged = scaled.where(~lost, scaled.shift(1))  # ... whose successor's last row is one earlier
    columns = {f"own outcome, {k} back": bridged.shift(k) for k in range(1, question.lags + 1)}
    for regressor in question.regressors:
        values = evidence.wide(regressor.column)[entities].shift(regressor.lag)
        if regressor.entities:  # where it does not act it is zero, known or not
            values = values.where(
                np.broadcast_to(np.isin(entities, regressor.entities), values.shape), 0.0
            )
        columns[regressor.name] = values
    shown = {
        e.name: evidence.wide(e.exposure)[entities].to_numpy()
        if e.exposure
        else np.broadcast_to(np.isin(entities, e.entities).astype(float), scaled.shape)
        for e in question.events
    }
    stacked = np.stack([scaled, *columns.values(), *shown.values()]).astype(float)
    mask: np.ndarray = np.isfinite(stacked).all(0)
    if question.time_effects:  # an entity alone on a day is absorbed by it
        mask = mask & (mask.sum(1) > 1)[:, None]
    clean = np.where(mask, stacked, 0.0)
    middle = 1 + len(columns)
    if question.entity_effects:  # which hold each entity's level: without it no digit is lost
        count = np.maximum(mask.sum(0), 1)
        level = clean[:middle].sum(1, keepdims=True) / count
        clean[:middle] -= np.where(mask, level, 0.0)
    design = Design(clean[0], clean[1:middle], mask, question.entity_effects, question.time_effects)
    exposures = dict(zip(shown, clean[middle:], strict=True))
    laid = Laid(
        design, list(columns), scale, days, entities, exposures, rows, _size(question, evidence)
    )
    for event in question.events:
        _refuse_unseen(event, laid, dating)
    return laid


def realigned(outcome: pd.DataFrame, dating: Dating) -> pd.DataFrame:
    """Move an entity's rows stamped up to a day to the row before, which they describe.

    The day whose row is then the first that describes its own day is left without one.
    """
    if not dating.entity:
        return outcome
    if dating.entity not in outcome:
        raise DataError(
            f"dating '{dating.name}': there is no entity '{dating.entity}'"
            f"{nearest(dating.entity, map(str, outcome.columns))}; correct it"
        )
    moved = outcome.copy()
    own = outcome[dating.entity].to_numpy()
    late = np.asarray(outcome.index <= pd.Timestamp(dating.until))
    following, follows = np.append(own[1:], np.nan), np.append(late[1:], False)
    moved[dating.entity] = np.where(follows, following, np.where(late, np.nan, own))
    return moved


def _entities(question: PanelQuestion, evidence: Evidence) -> list[str]:
    if not (evidence.entity and evidence.dated):
        raise DataError(
            f"{evidence.name}: its rows are no panel; give data with layout 'long', or a frame"
            " indexed by entity and day"
        )
    here = [str(name) for name in evidence.rows.index.get_level_values(0).unique()]
    named = [r.entities for r in question.regressors] + [e.entities for e in question.events]
    for name in (*question.entities, *(n for names in named for n in names)):
        if name not in here:
            raise DataError(
                f"{evidence.name}: there is no {evidence.entity} '{name}'{nearest(name, here)};"
                " correct the model"
            )
    return list(question.entities) or here


def _rows(event: PlaceboEvent, days: pd.DatetimeIndex) -> np.ndarray:
    found = days.get_indexer(pd.DatetimeIndex(event.days))
    if (found < 0).any():
        missing = event.days[int((found < 0).argmax())]
        raise EventError(
            f"event '{event.name}': {missing} is no day of the sample ({days[0]:%Y-%m-%d} to"
            f" {days[-1]:%Y-%m-%d}); correct the day or the sample"
        )
    return np.asarray(found)


def _scale(question: PanelQuestion, outcome: pd.DataFrame, events: np.ndarray) -> pd.Series:
    """Mean absolute outcome of each entity, event days left out; one where nothing is scaled."""
    if question.scale == "none":
        return pd.Series(1.0, index=outcome.columns)
    calm = outcome.drop(index=outcome.index[events])
    scale = calm.abs().mean()
    if not (scale > 0).all():
        idle = str(scale.index[~(scale > 0).to_numpy()][0])
        raise DataError(
            f"'{question.column}' of '{idle}' is never observed, or always zero, so it has no"
            " typical day; leave the entity out under [panel] entities"
        )
    return scale


def _size(question: PanelQuestion, evidence: Evidence) -> np.ndarray:
    """Absolute value of the column that days are matched on, its mean over entities."""
    if question.placebo is None:
        return np.zeros(len(evidence.days))
    return np.asarray(evidence.wide(question.placebo.column).abs().mean(axis=1).to_numpy(float))


def _refuse_unseen(event: PlaceboEvent, laid: Laid, dating: Dating) -> None:
    """Refuse an event on which nobody exposed, or nobody else, has a complete row."""
    for row in laid.rows[event.name]:
        day, mask = laid.days[row], laid.design.mask[row]
        exposed = laid.exposures[event.name][row][mask]
        if len(exposed) < 2 or np.ptp(exposed) == 0 or not np.isfinite(laid.size[row]):
            raise EventError(
                f"event '{event.name}', dating '{dating.name}': on {day:%Y-%m-%d} no exposed entity"
                " can be held against another, because a value is missing; choose another day, or"
                " drop the column that is empty there"
            )
