"""A period's label, such as 1965-01, 1965m1 or 1965Q1, in; its first day and its calendar out."""

from __future__ import annotations

import re
from datetime import date

LABEL = r"(\d{4})(?:(?:-?[mM]|-)(\d{1,2})|-?[qQ]([1-4]))?"
"""A year, a month or a quarter; a whole date has one part more and is none of them."""


def period_of(text: str) -> tuple[date, str] | None:
    """First day of the period, and ``yearly``, ``monthly`` or ``quarterly``; None if no label."""
    found = re.fullmatch(LABEL, text)
    if found is None or found[1] == "0000":
        return None
    year = int(found[1])
    if found[3]:
        return date(year, 3 * int(found[3]) - 2, 1), "quarterly"
    if found[2] is None:
        return date(year, 1, 1), "yearly"
    month = int(found[2])
    return (date(year, month, 1), "monthly") if 1 <= month <= 12 else None
