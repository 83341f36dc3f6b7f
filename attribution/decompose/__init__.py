"""A structural posterior in; what moved the data, by window, by date, and on average, out."""

from __future__ import annotations

from attribution.decompose.history import History, historical_decomposition
from attribution.decompose.window import (
    decompose,
    long_run_shares,
    variance_shares,
    window_shocks,
    window_values,
)

__all__ = [
    "History",
    "decompose",
    "historical_decomposition",
    "long_run_shares",
    "variance_shares",
    "window_shocks",
    "window_values",
]
