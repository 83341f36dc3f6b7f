"""A fitted counterfactual in; its tables and its headline out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.core.moves import log_mean_weight
from attribution.runs.study import of_draws, spread
from attribution.studies.counterfactual.placebo import Placebo
from attribution.studies.counterfactual.question import CounterfactualQuestion, Span
from attribution.studies.counterfactual.returns import Counterfactual, moved
from attribution.studies.counterfactual.rows import CounterfactualRows

LOG_POINTS = "log points"


@dataclass(frozen=True)
class Answered:
    """Everything that tables and findings are made of."""

    question: CounterfactualQuestion
    rows: CounterfactualRows
    fit: Counterfactual
    units: Mapping[str, str]
    placebo: Mapping[str, Placebo]
    level: bool = False

    @property
    def unit(self) -> str:
        """Unit of the outcome."""
        return self.units[self.question.outcome]

    def observed(self, window: str) -> np.ndarray:
        """Observed outcome on the rows of a window."""
        seen: np.ndarray = self.rows.outcome[self.rows.pre + self.rows.windows[window]]
        return seen

    def effect(self, window: str) -> np.ndarray:
        """Draws (sample, row) of observed minus counterfactual in a window."""
        predicted = self.fit.predicted[:, :, self.rows.windows[window]]
        gap: np.ndarray = self.observed(window) - predicted
        return gap.reshape(-1, predicted.shape[2])

    def centre(self, window: str) -> np.ndarray:
        """Mean effect on each row of a window, free of the noise of single draws."""
        expected = self.fit.expected[:, :, self.rows.windows[window]].mean((0, 1))
        mean: np.ndarray = self.observed(window) - expected
        return mean

    def move(self, window: str) -> float:
        """Observed move over a window: the sum of changes; of a level, from the eve to the end."""
        seen = self.observed(window)
        if not self.level:
            return float(seen.sum())
        eve = self.rows.outcome[self.rows.pre + self.rows.windows[window][0] - 1]
        return float(seen[-1] - eve)

    def unexplained(self, window: str) -> tuple[np.ndarray, float]:
        """Draws (sample,), and the mean free of the noise of single rows, of the move left over."""
        at, seen = self.rows.windows[window], self.rows.outcome[self.rows.pre :]
        draws = moved(seen - self.fit.predicted, at, level=self.level)
        mean = moved(seen - self.fit.expected.mean((0, 1)), at, level=self.level)
        return draws.ravel(), float(mean)

    def accounted(self, window: str) -> np.ndarray:
        """Draws (sample, row, control) of what the controls' moves bring in a window."""
        part = self.fit.accounted[:, :, self.rows.windows[window]]
        return part.reshape(-1, *part.shape[2:])


def said(span: Span) -> str:
    """Return the rows of a window in words."""
    return f"{span.start}" if span.start == span.end else f"{span.start} to {span.end}"


def tables_of(answered: Answered) -> dict[str, pd.DataFrame]:
    """Return every table; the answers first."""
    return {
        "answers": _answers(answered),
        "windows": _windows(answered),
        "controls": _controls(answered),
        "rows": _rows(answered),
        "placebo": _placebo(answered),
    }


def _answers(answered: Answered) -> pd.DataFrame:
    returns, found = answered.question.form == "returns", {}
    for span in answered.question.windows:
        effect, centre = answered.effect(span.name), answered.centre(span.name)
        move = "move from the eve to the end, " if answered.level else ""
        parts = {
            "unexplained": (
                f"{move}observed minus counterfactual",
                *answered.unexplained(span.name),
            ),
        }
        if returns:
            brought = answered.accounted(span.name).sum((1, 2))
            estimand = "controls' returns, less their mean before, times betas"
            parts["accounted"] = (estimand, brought, float(brought.mean()))
        else:
            on = "distance" if answered.level else "unexplained"
            parts["average"] = (f"{on} on an average row", effect.mean(1), float(centre.mean()))
        for part, (estimand, draws, mean) in parts.items():
            below = float(np.mean(draws < 0))
            found[f"{span.name}/{part}"] = of_draws(
                f"{estimand}, {said(span)}",
                draws,
                answered.unit,
                mean=mean,
                tail_probability=min(below, 1.0 - below),
            )
    return pd.DataFrame.from_dict(found, orient="index")


def _windows(answered: Answered) -> pd.DataFrame:
    """Means of the parts of each window's move, which add up to it, in per cent too."""
    found = {}
    for span in answered.question.windows:
        seen = answered.move(span.name)
        count = len(answered.rows.windows[span.name])
        parts = {"unexplained": answered.unexplained(span.name)[1]}
        if answered.question.form == "returns":
            parts["accounted"] = float(answered.accounted(span.name).sum((1, 2)).mean())
            parts["drift"] = seen - sum(parts.values())
        else:
            parts["counterfactual"] = seen - parts["unexplained"]
        for part, value in {**parts, "observed": seen}.items():
            row = {"mean": value, "a_row": value / count, "unit": answered.unit}
            if answered.unit == LOG_POINTS:
                row["per_cent"] = value * log_mean_weight(seen)
            found[f"{span.name}/{part}"] = row
    return pd.DataFrame.from_dict(found, orient="index")


def _controls(answered: Answered) -> pd.DataFrame:
    """Coefficients as they stand at the end of the pre-period, and what each control brings."""
    fit, question = answered.fit, answered.question
    window = question.windows[0].name
    brought = answered.accounted(window)
    brought = brought.sum(1) if question.form == "returns" else brought.mean(1)
    n, at = answered.rows.pre, answered.rows.windows[window]
    moved = answered.rows.controls[n:][at]
    before = answered.rows.controls[:n]
    moved = moved - (before[-1] if question.form == "level" else before.mean(0))
    found = {}
    for place, name in enumerate(question.controls):
        draws = fit.coefficients[:, :, place].ravel()
        row = spread(draws) | {"unit": f"{answered.unit} per {answered.units[name]}"}
        if "included" in fit.posterior:
            row["included"] = float((draws != 0).mean())
        part = spread(brought[:, place])
        total = moved[:, place].sum() if question.form == "returns" else moved[:, place].mean()
        row |= {f"moved_in_{window}": float(total), f"brings_in_{window}": part["mean"]}
        found[name] = row | {"brings_q05": part["q05"], "brings_q95": part["q95"]}
    return pd.DataFrame.from_dict(found, orient="index")


def _rows(answered: Answered) -> pd.DataFrame:
    """Observed, counterfactual and effect on every row of a window."""
    n = answered.rows.pre
    at = np.unique(np.concatenate(list(answered.rows.windows.values())))
    predicted = answered.fit.predicted[:, :, at].reshape(-1, len(at))
    expected = answered.fit.expected[:, :, at].mean((0, 1))
    seen = answered.rows.outcome[n:][at]
    low, high = np.quantile(predicted, [0.05, 0.95], axis=0)
    labels = answered.rows.labels[n:][at]
    said = labels.strftime("%Y-%m-%d") if isinstance(labels, pd.DatetimeIndex) else labels
    return pd.DataFrame(
        {
            "observed": seen,
            "counterfactual": expected,
            "counterfactual_q05": low,
            "counterfactual_q95": high,
            "effect": seen - expected,
            "effect_q05": seen - high,
            "effect_q95": seen - low,
        },
        index=said.astype(str),
    )


def _placebo(answered: Answered) -> pd.DataFrame:
    return pd.DataFrame.from_dict(
        {
            name: {
                "rows": found.length,
                "earlier_windows": len(found.effect),
                "size_of_10_per_cent": found.size(0.10),
                "size_of_5_per_cent": found.size(0.05),
                "event_in_sds": found.event[0],
                "rank_probability": found.rank,
            }
            for name, found in answered.placebo.items()
        },
        orient="index",
    )


def headline_of(answered: Answered) -> str:
    """Say the first window's answer."""
    question, unit = answered.question, answered.unit
    span = question.windows[0]
    effect, seen = answered.effect(span.name), answered.observed(span.name)
    if question.form == "level":
        value = spread(effect.mean(1)) | {"mean": float(answered.centre(span.name).mean())}
        return (
            f"{question.outcome} lay {value['mean']:+.2f} {unit} from its counterfactual on average"
            f" over {said(span)} (90 %: {value['q05']:.2f} to {value['q95']:.2f})"
        )
    total, brought = spread(effect.sum(1)), spread(answered.accounted(span.name).sum((1, 2)))
    total["mean"] = float(answered.centre(span.name).sum())
    return (
        f"of {question.outcome}'s {seen.sum():.1f} {unit} over {said(span)} the controls account"
        f" for {brought['mean']:.1f} (90 %: {brought['q05']:.1f} to {brought['q95']:.1f}) and leave"
        f" {total['mean']:.1f} ({total['q05']:.1f} to {total['q95']:.1f}, ordinary noise included)"
        " unexplained"
    )
