"""Estimated local projections in; their tables, findings and headline out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from scipy.stats import norm

from attribution.core.log_points import log_mean_weight
from attribution.estimate.projection import Projections
from attribution.estimate.projection_event import ProjectionEvent
from attribution.estimate.projection_rows import ProjectionRows
from attribution.model.projection import ProjectionQuestion
from attribution.study.answer import of_draws, of_error

LOG_POINTS = "log points"
NORMAL_90 = float(norm.ppf(0.95))


@dataclass(frozen=True)
class Projected:
    """Everything that tables and findings are made of."""

    question: ProjectionQuestion
    rows: ProjectionRows
    found: Projections
    event: ProjectionEvent
    units: Mapping[str, str]

    @property
    def size(self) -> float:
        """Size of the impulse that responses are told for, unit of the impulse."""
        return self.found.scale if self.question.scale == "sd" else 1.0

    @property
    def step(self) -> str:
        """What a row is."""
        return "trading days" if isinstance(self.rows.values.index, pd.DatetimeIndex) else "rows"

    @property
    def source(self) -> str:
        """The series whose own innovations an event's window is told in."""
        instrument = self.question.instrument
        return instrument.column if instrument else self.question.impulse

    @property
    def outcome(self) -> int:
        """Place of the outcome among the variables."""
        return self.question.variables.index(self.question.outcome)

    @property
    def words(self) -> str:
        """The impulse in words."""
        question = self.question
        amount = f"{self.size:.3g} {self.units[question.impulse]}"
        sized = f"one sd ({amount})" if question.scale == "sd" else f"one {amount[2:]}"
        by = f", moved by {question.instrument.column}" if question.instrument else ""
        return f"{sized} of {question.impulse}{by}"


def tables_of(projected: Projected) -> dict[str, pd.DataFrame]:
    """Return every table; the answers first."""
    tables = {"answers": _answers(projected)}
    if projected.event.point:
        tables["windows"] = _windows(projected)
        tables["innovations"] = _innovations(projected)
    tables["responses"] = _responses(projected)
    if len(projected.found.first_stage):
        tables["first_stage"] = pd.DataFrame(
            {"rows": projected.found.rows, "robust_f": projected.found.first_stage},
            index=[f"horizon {h}" for h in range(len(projected.found.rows))],
        )
    return tables


def _answers(projected: Projected) -> pd.DataFrame:
    question, event = projected.question, projected.event
    unit = projected.units[question.outcome]
    found = {}
    for window in question.event.windows:
        same = window.start == window.end
        days = f"{window.start}" if same else f"{window.start} to {window.end}"
        found[window.name] = of_draws(
            f"innovations of {projected.source} times responses, {days}",
            event.draws[window.name],
            unit,
            mean=event.point[window.name],
        )
    for h in range(min(2, question.horizons + 1)):
        value = projected.found.response[h, projected.outcome] * projected.size
        error = projected.found.error[h, projected.outcome] * projected.size
        kind = "cumulated response" if question.cumulative else "response"
        found[f"horizon {h}"] = of_error(f"{kind} to {projected.words}", value, error, unit)
    return pd.DataFrame.from_dict(found, orient="index")


def observed(projected: Projected, window: str) -> float:
    """Observed move of the outcome over a window: of a level, its last row over the eve.

    The eve is there: lags are needed before the window.
    """
    outcome = projected.rows.values[projected.question.outcome].to_numpy(float)
    at = projected.rows.windows[window]
    if projected.question.outcome in projected.question.levels:
        return float(outcome[at[-1]] - outcome[at[0] - 1])
    return float(outcome[at].sum())


def _windows(projected: Projected) -> pd.DataFrame:
    """Set what each window owes to the impulse beside what was seen, in per cent too."""
    found, unit = {}, projected.units[projected.question.outcome]
    for name, point in projected.event.point.items():
        seen = observed(projected, name)
        weight = log_mean_weight(seen)
        for part, value in {"owed": point, "rest": seen - point, "observed": seen}.items():
            row = {"mean": value, "unit": unit}
            if unit == LOG_POINTS:
                row["per_cent"] = value * weight
            found[f"{name}/{part}"] = row
    return pd.DataFrame.from_dict(found, orient="index")


def _responses(projected: Projected) -> pd.DataFrame:
    """Every response with its 90 % interval, and the VAR's."""
    question, found, size = projected.question, projected.found, projected.size
    rows = {
        f"{name}/{h}": {
            "response": found.response[h, i] * size,
            "error": found.error[h, i] * size,
            "q05": (found.response[h, i] - NORMAL_90 * found.error[h, i]) * size,
            "q95": (found.response[h, i] + NORMAL_90 * found.error[h, i]) * size,
            "var": found.var[h, i] * size,
            "rows": int(found.rows[h]),
            "unit": projected.units[name],
        }
        for i, name in enumerate(question.variables)
        for h in range(question.horizons + 1)
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def _innovations(projected: Projected) -> pd.DataFrame:
    labels = projected.rows.values.index[projected.event.rows]
    said = pd.DatetimeIndex(labels).strftime("%Y-%m-%d")
    news = projected.event.innovation
    question, source = projected.question, projected.source
    seen = projected.rows.values[source].to_numpy(float)[projected.event.rows]
    table = {"observed": seen, "innovation": news, "unit": projected.units[source]}
    if not question.instrument:
        table["in_sds"] = news / projected.found.scale
    return pd.DataFrame(table, index=said)


def headline_of(projected: Projected) -> str:
    """Say the first window's answer, or the response on impact."""
    question = projected.question
    unit = projected.units[question.outcome]
    value = projected.found.response[0, projected.outcome] * projected.size
    error = projected.found.error[0, projected.outcome] * projected.size
    impact = (
        f"{question.outcome} answers {projected.words} by {value:+.2f} {unit} on the day (90 %:"
        f" {value - NORMAL_90 * error:.2f} to {value + NORMAL_90 * error:.2f})"
    )
    if not question.event.windows:
        return impact
    window = question.event.windows[0].name
    row = _answers(projected).loc[window]
    return (
        f"{impact}; in window '{window}' its innovations account for {row['mean']:.1f}"
        f" ({row['q05']:.1f} to {row['q95']:.1f}) of {observed(projected, window):.1f} {unit}"
    )
