"""A saved run in; its tables of numbers out, weights honoured."""

from attribution.core.log_points import log_mean_weight
from attribution.core.quantile import quantile
from attribution.summary.event import STEADY, TOGETHER, together, transitory, window_table
from attribution.summary.moments import QUANTILES, band, describe
from attribution.summary.system import response_table, variance_table

__all__ = [
    "QUANTILES",
    "STEADY",
    "TOGETHER",
    "band",
    "describe",
    "log_mean_weight",
    "quantile",
    "response_table",
    "together",
    "transitory",
    "variance_table",
    "window_table",
]
