"""A panel on (time, entity) in; coefficients by linearmodels, with errors where they mean some."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from attribution.errors import DataError
from attribution.finding import Finding
from attribution.model.study import StudySpec
from attribution.panel import Evidence
from attribution.runs.study import ANSWER, ANSWERS, Effort, Study, of_error, of_interval
from attribution.studies.panel.design import Laid, lay
from attribution.studies.panel.placebo import (
    TINY,
    Design,
    PlaceboDates,
    basis,
    placebo_dates,
    within,
)
from attribution.studies.panel.question import Dating, PanelQuestion, PlaceboEvent


@dataclass(frozen=True)
class PanelFit:
    """Coefficients of a panel regression.

    Attributes
    ----------
    coefficients : (regressor,) of everything that enters, events among them.
    errors : (covariate,) standard errors clustered by entity and by time.  Events have none: one
        day and a dozen entities leave no large sample behind them.
    freedom : entities less one, the degrees of freedom that the fewer clusters leave.
    observations, r2_within : rows, and the share of variance within entities that is explained.
    """

    coefficients: pd.Series
    errors: pd.Series
    freedom: int
    observations: int
    r2_within: float


def panel_ols(
    design: Design,
    names: list[str],
    events: Mapping[str, np.ndarray],
    *,
    days: pd.DatetimeIndex,
    entities: list[str],
) -> PanelFit:
    """Regress the outcome on covariates and event dummies, with entity and time effects.

    Parameters
    ----------
    names : of the covariates of ``design``.
    events : name -> (time, entity), exposure on the days of the event and zero elsewhere.

    Raises
    ------
    DataError
        If a regressor is spanned by effects and the other regressors, or an error is no number.

    References
    ----------
    cameron2011
    """
    from linearmodels.panel import PanelOLS

    every = dict(zip(names, design.covariates, strict=True)) | dict(events)
    refuse_spanned(design, every)
    size = {name: _size(x[design.mask]) for name, x in every.items()}
    unit = _size(design.outcome[design.mask])
    index = pd.MultiIndex.from_product([entities, days], names=["entity", "time"])
    kept = design.mask.T.ravel()
    table = pd.DataFrame({name: x.T.ravel() / size[name] for name, x in every.items()}, index)[kept]
    outcome = pd.Series(design.outcome.T.ravel() / unit, index=index, name="outcome")[kept]
    if not (design.entity_effects or design.time_effects):
        table.insert(0, "constant", 1.0)
    model = PanelOLS(
        outcome,
        table,
        entity_effects=design.entity_effects,
        time_effects=design.time_effects,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two-way clusters of few entities need not be definite
        fit = model.fit(cov_type="clustered", cluster_entity=True, cluster_time=True)
        errors = pd.Series(np.sqrt(np.diag(fit.cov)), index=fit.cov.index)
    if not np.isfinite(errors[names]).all():
        bad = names[int(np.argmin(np.isfinite(errors[names])))]
        raise DataError(
            f"covariate '{bad}': errors clustered by entity and by day are no numbers with"
            f" {len(entities)} entities; give more entities or days, or remove it"
        )
    back = pd.Series([unit / size.get(name, 1.0) for name in fit.params.index], fit.params.index)
    return PanelFit(
        coefficients=fit.params * back,
        errors=(errors * back)[names],
        freedom=len(entities) - 1,
        observations=int(fit.nobs),
        r2_within=float(fit.rsquared_within),
    )


def _size(values: np.ndarray) -> float:
    """Size of a column, which units change and which is divided out; one of a column of zeros."""
    return float(np.sqrt((values**2).mean())) or 1.0


def refuse_spanned(design: Design, regressors: Mapping[str, np.ndarray]) -> None:
    """Refuse a regressor that effects and the regressors named before it already span.

    Raises
    ------
    DataError
        With the regressor.
    """
    bare = Design(design.outcome, design.covariates[:0], design.mask, *_fixed_effects(design))
    before: list[np.ndarray] = []
    for name, values in regressors.items():
        span = basis(bare, np.array(before).reshape(-1, *design.mask.shape))
        own = within(values, design)
        left = own - np.einsum("tip,p->ti", span, np.einsum("tip,ti->p", span, own))
        moved = values[design.mask] - values[design.mask].mean()
        if np.linalg.norm(left) <= np.sqrt(TINY) * np.linalg.norm(moved):
            raise DataError(
                f"regressor '{name}' is the same for all entities on every day, or a sum of others,"
                " so effects absorb it; let it act on some entities alone, or remove it"
            )
        before.append(values)


def _fixed_effects(design: Design) -> tuple[bool, bool]:
    return design.entity_effects, design.time_effects


# What each dating of a panel finds in; a finding for each event and one sentence out.

SIZE = 0.05
"""Size of the test of an event."""


@dataclass(frozen=True)
class Reading:
    """What one dating finds."""

    dating: Dating
    laid: Laid
    fit: PanelFit
    events: dict[str, PlaceboDates]


def event_finding(reading: Reading, event: PlaceboEvent, unit: str) -> Finding:
    """Ask whether the event is beyond what like days show."""
    found = reading.events[event.name]
    sure, floor = found.p <= SIZE, 1 / (1 + found.placebos)
    evidence = (
        f"coefficient {found.coefficient:+.2f} {unit} ({found.low:+.2f} to {found.high:+.2f} not"
        f" rejected at 10 %); p = {found.p:.3f} among {found.placebos} like days (all visited;"
        f" no p below {floor:.3f} is possible), {found.p_all_days:.3f} among all days;"
        " a test that does not reject is no evidence of no effect"
    )
    days = ", ".join(map(str, event.days))
    return Finding(
        name=f"{event.name} ({reading.dating.name})",
        question=f"Does {exposed(event)} differ from the others on {days} by more than chance?",
        evidence=evidence,
        verdict="holds" if sure else "undecided",
    )


def panel_headline(readings: list[Reading], question: PanelQuestion, unit: str) -> str:
    """Say every event under every dating, or the first covariate where there is no event."""
    if not question.events:
        reading = readings[0]
        name = reading.laid.names[0]
        return (
            f"{name}: {reading.fit.coefficients[name]:+.3f} {unit} (standard error"
            f" {reading.fit.errors[name]:.3f}, clustered by entity and day)."
        )
    parts = [
        f"{row_label(e.name, r, question)} {round(r.events[e.name].coefficient, 1) + 0:+.1f}"
        f" (p = {r.events[e.name].p:.2f})"
        for e in question.events
        for r in readings
    ]
    names = " and ".join(dict.fromkeys(exposed(event) for event in question.events))
    return f"{names} against the others, {unit}, p by randomisation: {'; '.join(parts)}."


def row_label(name: str, reading: Reading, question: PanelQuestion) -> str:
    """Name a row, with its dating where there are several."""
    return f"{name} ({reading.dating.name})" if len(question.datings) > 1 else name


def exposed(event: PlaceboEvent) -> str:
    """Name who was exposed."""
    return " and ".join(event.entities) or f"exposure {event.exposure}"


# A panel of entities in; covariates with clustered errors, events with randomisation, out.

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
