"""What every kind of study is told, and what it hands over: draws, tables, findings, a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import xarray as xr

from attribution.finding import Finding
from attribution.record import ANSWER, ANSWERS

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
