"""A panel of entities in; covariates with clustered errors, events with randomisation, out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from attribution.errors import DataError
from attribution.estimate.panel_ols import panel_ols
from attribution.estimate.placebo_dates import placebo_dates
from attribution.model.panel_study import Dating, PanelQuestion
from attribution.model.study import StudySpec
from attribution.panel import Evidence
from attribution.study.answer import of_error, of_interval
from attribution.study.panel_design import lay
from attribution.study.panel_findings import (
    Reading,
    event_finding,
    exposed,
    panel_headline,
    row_label,
)
from attribution.study.shape import ANSWER, ANSWERS, Effort, Study

TYPICAL = "typical days"
ABOUT = (
    "Coefficients of a panel regression {effects}. Covariates have standard errors clustered by"
    " {entity} and by day. An event's coefficient has none, and no t ratio: one day and so few of"
    " them leave no large sample, and such errors reject far too often. It is ranked instead among"
    " the coefficients that all like days would have had; p is the share at least as far from zero"
    " (every day is visited, so p has no Monte Carlo error, and none below one over their number),"
    " and the range holds the effects that this test does not reject at 10 %."
)


def panel_study(spec: StudySpec, evidence: Evidence, effort: Effort) -> Study:
    """Estimate a panel under each dating, and rank each event among its placebo dates.

    Nothing is drawn, so the settings of a run change nothing: every placebo date is visited.

    Raises
    ------
    DataError, EventError
        If the rows are no panel, something is spanned, or an event cannot be seen.
    """
    question = spec.question
    assert isinstance(question, PanelQuestion)
    readings = []
    for dating in question.datings:
        effort.say(f"placebo dates, dating {dating.name}")
        readings.append(_read(question, evidence, dating))
    unit = TYPICAL if question.scale == "typical_day" else evidence.units[question.outcome]
    raw = evidence.units[question.outcome]
    covariates = pd.concat([_covariate_rows(r, question, unit) for r in readings])
    tables = {ANSWERS: covariates}
    if question.events:
        tables = {
            ANSWERS: pd.concat([_event_rows(r, question, unit) for r in readings]),
            "placebos": pd.concat([_placebo_rows(r, question, raw) for r in readings]),
            "covariates": covariates,
        }
    tables |= _samples(readings)
    groups = {"/placebo": _placebo_group(readings, question, unit)} if question.events else {}
    findings = tuple(event_finding(r, event, unit) for r in readings for event in question.events)
    return Study(
        groups=groups,
        tables=tables,
        findings=findings,
        headline=panel_headline(readings, question, unit),
        about=ABOUT.format(entity=evidence.entity, effects=_effects(question, evidence.entity)),
        notes={"datings": {d.name: d.reason for d in question.datings}},
    )


def _effects(question: PanelQuestion, entity: str) -> str:
    """Say what is held constant."""
    kept = [entity] * question.entity_effects + ["day"] * question.time_effects
    said = f"with effects of every {' and every '.join(kept)}" if kept else "with one constant"
    only = ", so that only what differs between them on a day is learned"
    return said + only * question.time_effects


def _read(question: PanelQuestion, evidence: Evidence, dating: Dating) -> Reading:
    laid = lay(question, evidence, dating)
    dummies = {event.name: laid.event(event.name) for event in question.events}
    fit = panel_ols(laid.design, laid.names, dummies, days=laid.days, entities=laid.entities)
    barred = np.zeros(len(laid.days), bool)
    for rows in laid.rows.values():
        barred[rows] = True
    found = {}
    for event in question.events:
        others = [values for name, values in dummies.items() if name != event.name]
        found[event.name] = placebo_dates(
            laid.design,
            laid.exposures[event.name],
            laid.rows[event.name],
            others=np.array(others).reshape(-1, *laid.design.mask.shape),
            barred=barred,
            size=laid.size,
            groups=question.placebo.groups if question.placebo else 1,
        )
        if not found[event.name].placebos:
            raise DataError(
                f"event '{event.name}': no day is like it; lengthen the sample or ask for fewer"
                " groups under [placebo]"
            )
    return Reading(dating, laid, fit, found)


def _event_rows(reading: Reading, question: PanelQuestion, unit: str) -> pd.DataFrame:
    """One row an event; the spread of placebos is no standard error, so sd is empty."""
    rows = {}
    for event in question.events:
        found = reading.events[event.name]
        bounded = np.isfinite([found.low, found.high]).all()
        rows[row_label(event.name, reading, question)] = of_interval(
            f"{exposed(event)} against the others that day",
            found.coefficient,
            np.nan,
            (found.low, found.high) if bounded else (np.nan, np.nan),
            unit,
            p=found.p,
        )
    return pd.DataFrame.from_dict(rows, orient="index")


def _placebo_rows(reading: Reading, question: PanelQuestion, raw: str) -> pd.DataFrame:
    """Say what each p-value rests on, and the coefficient in the unit of the data."""
    rows = {}
    for event in question.events:
        found = reading.events[event.name]
        own = reading.laid.scale[event.entities[0]] if len(event.entities) == 1 else np.nan
        rows[row_label(event.name, reading, question)] = {
            "like_days": float(found.placebos),
            "smallest_p": 1 / (1 + found.placebos),
            "p": found.p,
            "p_all_days": found.p_all_days,
            f"in {raw}": found.coefficient * own,
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _covariate_rows(reading: Reading, question: PanelQuestion, unit: str) -> pd.DataFrame:
    fit, rows = reading.fit, {}
    for name in reading.laid.names:
        mean, error = float(fit.coefficients[name]), float(fit.errors[name])
        rows[row_label(name, reading, question)] = of_error(
            "per unit of the covariate, other things equal",
            mean,
            error,
            f"{unit} per unit",
            freedom=fit.freedom,
        )
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(ANSWER))


def _samples(readings: list[Reading]) -> dict[str, pd.DataFrame]:
    """Tabulate what each dating is estimated from, and the size of one unit for each entity."""
    rows = {
        r.dating.name: {
            "rows": float(r.fit.observations),
            "days": float(r.laid.design.mask.any(1).sum()),
            "entities": float(r.laid.design.mask.any(0).sum()),
            "r2_within": r.fit.r2_within,
        }
        for r in readings
    }
    one = pd.DataFrame({r.dating.name: r.laid.scale for r in readings})
    return {"samples": pd.DataFrame.from_dict(rows, orient="index"), "one_unit": one}


def _placebo_group(readings: list[Reading], question: PanelQuestion, unit: str) -> xr.Dataset:
    """Coefficients by day on (dating, event, time), for the figure."""
    names = [event.name for event in question.events]
    dims = ("dating", "event")

    def stack(pick: str) -> np.ndarray:
        return np.array([[getattr(r.events[name], pick) for name in names] for r in readings])

    return xr.Dataset(
        {
            "coefficient": (dims, stack("coefficient")),
            "placebo": ((*dims, "time"), stack("placebo")),
            "like": ((*dims, "time"), stack("like").astype(np.int8)),
            "p": (dims, stack("p")),
        },
        {
            "dating": [r.dating.name for r in readings],
            "event": names,
            "time": readings[0].laid.days,
        },
        {"unit": unit},
    )
