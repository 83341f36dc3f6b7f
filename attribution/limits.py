"""How much one run may be asked for: the bounds of every door, in one table."""

from __future__ import annotations

import operator
import stat
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from attribution.errors import AttributionError, SpecError

MOST: Mapping[str, int] = MappingProxyType(
    {
        "draws": 1_000_000,
        "seed": 2**32 - 1,
        "replications": 100_000,
        "processes": 256,
        "cores": 256,
        "lags": 100,
        "lag": 1_000,
        "lead": 1_000,
        "horizons": 1_000,
        "horizon": 1_000,
    }
)
"""Largest whole number by the name of a key, an option or a setting."""
SAMPLERS = ("pymc", "nutpie")
"""Implementations of the No-U-Turn sampler that a user may choose."""
LEAST_DRAWS = 4
"""Fewest draws: one a chain."""
WHOLE = 100_000
"""Largest whole number of any other key."""
EXACT = 2**53
"""Size from which a whole number is no longer exact as a float."""
COUNTS: Mapping[str, int] = MappingProxyType(
    {
        **dict.fromkeys(("variables", "auxiliary", "tests", "levels", "order", "shocks"), 100),
        **dict.fromkeys(("channels", "factors", "exposures", "expectations"), 100),
        **dict.fromkeys(("windows", "breaks", "instruments"), 200),
        **dict.fromkeys(("columns", "series"), 2_000),
    }
)
"""Most entries of a list or a table, by its key."""
ENTRIES = 10_000
"""Most entries of any other list or table."""
DEPTH = 12
"""Deepest nesting of tables and lists; the deepest shipped file has 8."""
NAME_BYTES, TEXT_LETTERS = 180, 10_000
"""Longest name, in UTF-8, so that files can be named after it; longest text, in letters."""
TOML_BYTES, DATA_BYTES = 1_000_000, 100_000_000
"""Largest model file or card, and largest data file."""
CELLS = 20_000_000
"""Most cells, rows times columns, of a data file."""
MEMORY_BYTES = 4_000_000_000
"""Most memory that the draws of one model may take."""


def most(key: str) -> int:
    """Largest whole number that a key may hold."""
    return MOST.get(key, WHOLE)


def shown(value: object) -> str:
    """Write a value for a sentence: short, whatever it is."""
    try:
        text = repr(value)
    except Exception:  # a number of more digits than Python writes, an object without a face
        text = f"a {type(value).__name__} that cannot be written out"
    return text if len(text) <= 80 else f"{text[:60]}… ({len(text):,} letters)"


def whole_number(value: object, name: str, *, least: int = 0, place: str = "") -> int:
    """Return a whole number between a bound and the limit of its name.

    Raises
    ------
    SpecError
        If it is anything else: a truth value, a fraction, a text, or beyond the limit.
    """
    place = place or name
    flag = isinstance(value, bool)
    try:
        number = None if flag else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or number < least:
        raise SpecError(
            f"{place} = {shown(value)} is not a whole number of at least {least:,}; correct it"
        )
    if number > most(name):
        raise SpecError(f"{place} = {shown(value)} is above the limit of {most(name):,}; lower it")
    return number


def bounded(
    path: Path, limit: int, remedy: str, refusal: type[AttributionError] = SpecError
) -> Path:
    """Return a path that is a regular file within a limit.

    Parameters
    ----------
    limit : bytes.
    remedy : what to do about a larger one.

    Raises
    ------
    AttributionError
        Of the class ``refusal``: if it is a folder, a pipe or a device, is not there, or is larger.
    """
    try:
        found = path.stat()
    except (OSError, ValueError) as error:  # a name with NUL is a value that no path can have
        why = getattr(error, "strerror", None) or str(error)
        raise refusal(f"{path.name}: cannot be read ({why}); check the path") from None
    if stat.S_ISDIR(found.st_mode):
        raise refusal(f"{path.name}: cannot be read (Is a directory); check the path")
    if not stat.S_ISREG(found.st_mode):
        raise refusal(f"{path.name}: a pipe or a device; give a regular file")
    if found.st_size > limit:
        raise refusal(
            f"{path.name}: {found.st_size / 1e6:,.1f} MB, above the limit of {limit / 1e6:,.0f} MB;"
            f" {remedy}"
        )
    return path
