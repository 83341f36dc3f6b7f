"""A structural posterior in; what moved the data, by window, by date, and on average, out."""

from attribution.decompose.history import History, historical_decomposition
from attribution.decompose.variance import long_run_shares, variance_shares
from attribution.decompose.window import decompose, window_shocks, window_values

__all__ = [
    "History",
    "decompose",
    "historical_decomposition",
    "long_run_shares",
    "variance_shares",
    "window_shocks",
    "window_values",
]
