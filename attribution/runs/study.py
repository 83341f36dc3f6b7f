"""What every kind of study is told, and what it hands over: draws, tables, findings, a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import inf, isinf
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import norm, t

from attribution.errors import DataError
from attribution.finding import Finding
from attribution.panel import Evidence
from attribution.runs import ANSWER, ANSWERS

__all__ = ["ANSWER", "ANSWERS", "Effort", "Study", "silent"]


def silent(text: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Effort:
    """How hard to work, from which seed, and whom to tell.

    Attributes
    ----------
    draws : kept draws over all chains; zero where the kind draws none.
    seed : reproduces the study exactly.
    progress : whether a sampler may show a bar.
    say : called with each stage, for a user who waits.
    """

    draws: int
    seed: int
    progress: bool = False
    say: Callable[[str], None] = silent


@dataclass(frozen=True)
class Study:
    """The answer of a study.

    Attributes
    ----------
    groups : path, such as ``/posterior``, -> its data; draws lie on (chain, draw, ...).
    tables : name -> table; ``answers`` is there, is the first, and has the columns of ``ANSWER``.
    findings : checks, with their verdicts.
    headline : the answer in one sentence, with its numbers and units.
    about : what is estimated, and what the answer does not say; a paragraph for the report.
    diagnostics : ``max_rhat``, ``min_ess_bulk``, ...; empty where nothing was sampled.
    notes : plain data for the manifest.
    """

    groups: Mapping[str, xr.Dataset]
    tables: Mapping[str, pd.DataFrame]
    findings: tuple[Finding, ...]
    headline: str
    about: str = ""
    diagnostics: Mapping[str, float] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if next(iter(self.tables), None) != ANSWERS:
            raise ValueError(f"the first table is '{next(iter(self.tables), '')}', not '{ANSWERS}'")
        missing = [name for name in ANSWER if name not in self.tables[ANSWERS]]
        if missing:
            raise ValueError(f"table '{ANSWERS}' lacks column '{missing[0]}'")


# Draws of an estimand, or its estimate and standard error, in; its row of a table out.

Row = dict[str, object]
"""The columns of ``ANSWER``, and further ones after them."""


def of_draws(
    estimand: str, draws: np.ndarray, unit: str, *, mean: float | None = None, **more: object
) -> Row:
    """Summarise draws by their mean, standard deviation and central 90 % interval.

    Parameters
    ----------
    draws : of any shape, in ``unit``.
    mean : of the estimand, where it is known better than from draws.
    more : further columns.
    """
    found = spread(draws)
    centre = found["mean"] if mean is None else mean
    return of_interval(estimand, centre, found["sd"], (found["q05"], found["q95"]), unit, **more)


def of_error(
    estimand: str, mean: float, sd: float, unit: str, *, freedom: float = inf, **more: object
) -> Row:
    r"""Give an estimate with standard error ``sd`` its 90 % interval.

    .. math:: \hat\theta \pm t_{0.95}(\nu)\,\mathrm{se}(\hat\theta)

    Parameters
    ----------
    freedom : degrees of freedom of the t law; the normal law if it is infinite.
    more : further columns.
    """
    reach = float(norm.ppf(0.95) if isinf(freedom) else t.ppf(0.95, freedom))
    return of_interval(estimand, mean, sd, (mean - reach * sd, mean + reach * sd), unit, **more)


def of_interval(
    estimand: str,
    mean: float,
    sd: float,
    ends: tuple[float, float],
    unit: str,
    **more: object,
) -> Row:
    """Lay out an estimate whose 90 % interval was found elsewhere."""
    low, high = ends
    return {
        "estimand": estimand,
        "mean": float(mean),
        "sd": float(sd),
        "q05": float(low),
        "q95": float(high),
        "unit": unit,
        **more,
    }


def spread(draws: np.ndarray) -> dict[str, float]:
    """Return mean, standard deviation and central 90 % interval of draws of any shape."""
    drawn = np.ravel(draws)
    low, high = np.quantile(drawn, (0.05, 0.95))
    return {
        "mean": float(drawn.mean()),
        "sd": float(drawn.std(ddof=1)),
        "q05": float(low),
        "q95": float(high),
    }


# A table and the names of a row and a column in; the number that stands there out.


def cell(table: pd.DataFrame, row: str, column: str) -> float:
    """Return one number of a table."""
    cells: Any = table.at
    return float(cells[row, column])


# Evidence and the names of its columns in; nothing out, or a refusal of texts among numbers.


def refuse_texts(evidence: Evidence, names: Iterable[str]) -> None:
    """Refuse a column of texts where a number is needed.

    Raises
    ------
    DataError
        With the column.
    """
    for name in names:
        if not pd.api.types.is_numeric_dtype(evidence.rows[name].dtype):
            raise DataError(
                f"{evidence.name}: column '{name}' holds texts where numbers are needed; correct"
                " its cells, or the model"
            )
