"""A row of published figures in; its number, bound or range out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from attribution.audit.tested import Untestable

NUMBER = r"[-+]?\d+(?:\.\d+)?"


@dataclass(frozen=True)
class Figure:
    """A published figure.

    Attributes
    ----------
    key : its row.
    low, high : equal for a number; an end of a bound is infinite.
    text, unit, quantity, source : as published.
    """

    key: str
    low: float
    high: float
    text: str
    unit: str
    quantity: str
    source: str

    @property
    def value(self) -> float:
        """The number, the finite end of a bound, or the middle of a range."""
        if self.low == -inf:
            return self.high
        return self.low if self.high == inf else 0.5 * (self.low + self.high)

    def quoted(self) -> str:
        """Return the figure as a reader is told of it."""
        return f"{self.key}: {self.text} {self.unit}, {self.quantity}".replace(" ,", ",")


def figure_of(key: str, row: Mapping[str, Any]) -> Figure:
    """Read a published value: a number, a bound such as ``>10``, or a range ``38 to 39``.

    Raises
    ------
    Untestable
        If it is published in words.
    """
    text = str(row["value"]).strip()
    rest = (text, str(row["unit"]), str(row["quantity"]), str(row["source_title"]))
    if match := re.fullmatch(rf"([<>]?)\s*({NUMBER})", text):
        number = float(match[2])
        low = -inf if match[1] == "<" else number
        return Figure(key, low, inf if match[1] == ">" else number, *rest)
    if match := re.fullmatch(rf"({NUMBER}) to ({NUMBER})", text):
        ends = sorted((float(match[1]), float(match[2])))
        return Figure(key, ends[0], ends[1], *rest)
    raise Untestable(f"figure {key} is published in words: '{text}' ({rest[2]})")
