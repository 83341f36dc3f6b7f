"""The kinds of studies: for each, the sections of its files and what reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attribution.model import (
    barrier_book,
    counterfactual,
    event_study,
    fama_macbeth,
    flows,
    instrumental,
    panel_study,
    projection,
)
from attribution.model.grammar import Table

QUESTIONS: dict[str, tuple[tuple[str, ...], Callable[[Table], Any]]] = {
    "barrier": (barrier_book.SECTIONS, barrier_book.question_of),
    "counterfactual": (counterfactual.SECTIONS, counterfactual.question_of),
    "event": (event_study.SECTIONS, event_study.question_of),
    "fama_macbeth": (fama_macbeth.SECTIONS, fama_macbeth.question_of),
    "flows": (flows.SECTIONS, flows.question_of),
    "iv": (instrumental.SECTIONS, instrumental.question_of),
    "panel": (panel_study.SECTIONS, panel_study.question_of),
    "projection": (projection.SECTIONS, projection.question_of),
}
"""Kind -> (its sections beside those that every model has, the reader of those sections)."""
