"""A saved run's mechanisms, switched off together: the day without them."""

from attribution.switching.asked import Switched, switched_off
from attribution.switching.shown import as_json, lines, table

__all__ = ["Switched", "as_json", "lines", "switched_off", "table"]
