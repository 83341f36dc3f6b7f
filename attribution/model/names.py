"""Which names a model, a column, a channel or a window may bear, and what a period's label says."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from attribution.errors import SpecError
from attribution.limits import NAME_BYTES, shown

_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
_JOINERS = "\u200c\u200d"
"""Letters of some scripts are joined and parted by these two, which nobody sees."""
_RESERVED = {
    "/": "a slash",
    "\\": "a backslash",
    **{letter: f"'{letter}', which begins or ends a formula" for letter in "${}"},
}


def refuse_name(name: object, place: str, *, raw: bool = False) -> str:
    """Return a name that paths, pages, figures and screens take as it stands.

    Letters of any script are fine.

    Parameters
    ----------
    place : where it stands and what it names, such as ``mine.toml: [[windows]] number 1: name``.
    raw : whether it names a column as it stands in a file, after which nothing of ours is named:
        slashes, dollars and braces may stay.

    Raises
    ------
    SpecError
        If it is no text, too long, has no letter or digit, begins or ends with a blank, or holds
        a character that cannot be seen, parts a path, or begins a formula.
    """
    fault = _fault(name, raw)
    if fault:
        raise SpecError(f"{place} {shown(name)} {fault}; rename it")
    return str(name)


def file_name(name: str) -> str:
    """Return a name that every file system and every link takes; letters of any script stay."""
    return re.sub(r"[^\w.-]+", "-", name).strip(".-") or "unnamed"


def _fault(name: object, raw: bool) -> str:
    if not isinstance(name, str):
        return "is no text"
    size = len(name.encode("utf-8", "surrogatepass"))
    if size > NAME_BYTES:
        return f"is {size:,} bytes long, above the limit of {NAME_BYTES}"
    unseen = next((c for c in name if unicodedata.category(c) in _UNSEEN and c not in _JOINERS), "")
    if unseen:
        return f"holds the control character {unseen.encode('unicode_escape').decode()}"
    if raw:
        return ""
    found = next((c for c in name if c in _RESERVED), "")
    if found:
        return f"holds {_RESERVED[found]}"
    if name != name.strip():
        return "begins or ends with a blank"
    if not any(c.isalnum() for c in name):
        return "has no letter and no digit"
    return ""


# A period's label, such as 1965-01, 1965m1 or 1965Q1, in; its first day and its calendar out.

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
