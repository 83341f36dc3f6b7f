"""Runs about one event in; what they say of it, side by side, out."""

from __future__ import annotations

from attribution.compare.answers import (
    Answers,
    answers_json,
    answers_lines,
    answers_of,
    has_study,
    write_answers,
)
from attribution.compare.comparison import Agreement, Comparison, collect, compare
from attribution.compare.deliver import as_json, lines, write_comparison

__all__ = [
    "Agreement",
    "Answers",
    "Comparison",
    "answers_json",
    "answers_lines",
    "answers_of",
    "as_json",
    "collect",
    "compare",
    "has_study",
    "lines",
    "write_answers",
    "write_comparison",
]
