"""A run in; its tables, its headline sentence and the numbers that documents quote out."""

from attribution.report.draws import windows
from attribution.results.numbers import KEPT, results
from attribution.results.sentences import headline, number, opening
from attribution.results.tables import (
    RESPONSES,
    SUMS,
    TRANSITORY,
    VARIANCE,
    tables,
)

__all__ = [
    "KEPT",
    "RESPONSES",
    "SUMS",
    "TRANSITORY",
    "VARIANCE",
    "headline",
    "number",
    "opening",
    "results",
    "tables",
    "windows",
]
