"""Faults of a model file, gathered while it is read, so that all are reported at once.

Outside ``gather`` a fault is raised where it is found.  Inside it is noted, and the reader goes
on with a stand-in of the right type; what fails because of a stand-in is no fault of the file and
is not reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar, cast

from attribution.errors import AttributionError, SpecError, together

S = TypeVar("S")
T = TypeVar("T")
CONSEQUENCES = (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError)
"""What reading on with a stand-in may end in."""


@dataclass
class Faults:
    """Faults of one file.

    Attributes
    ----------
    found : in the order in which they were found.
    meant : keys, with their tables, that an unknown one may stand for: they are not missing.
    common : tables and keys that stand for those of their rows -> how many rows state their own,
        and what is missing in the rows that neither do nor need not.
    noted, told : how many stand-ins there are, and how many faults that left none; ``since`` is
        the first of these when the present part was begun.
    broken : parts of the file that hold a stand-in, and checks that found a fault.
    """

    found: list[AttributionError] = field(default_factory=list)
    meant: set[tuple[str, str]] = field(default_factory=set)
    common: dict[tuple[str, str], tuple[int, list[AttributionError]]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    noted: int = 0
    told: int = 0
    since: int = 0

    def note(self, fault: AttributionError | None = None) -> None:
        """Take up a fault, or that something is a stand-in without one of its own."""
        self.noted += 1
        if fault is not None and str(fault) not in map(str, self.found):
            self.found.append(fault)

    def rows(self) -> list[AttributionError]:
        """Return what rows lack: of each if most rows state their own, else of the first."""
        lacking = self.common.values()
        return [one for own, rows in lacking for one in (rows if own >= len(rows) else rows[:1])]


_here: ContextVar[Faults | None] = ContextVar("faults", default=None)


def gathered() -> Faults | None:
    """Return the faults of the file that is being read; None where they are raised at once."""
    return _here.get()


def gather(read: Callable[[], T]) -> T:
    """Read a file, or check what it says, and raise every fault that was found, at once."""
    if _here.get() is not None:
        return read()
    faults = Faults()
    token = _here.set(faults)
    try:
        found = read()
    except AttributionError as last:
        faults.note(None if faults.noted else last)
    except CONSEQUENCES:
        if not faults.noted + faults.told:
            raise
    finally:
        _here.reset(token)
    every = [*faults.found, *faults.rows()]
    if every:
        raise together(every)
    return found


def fault(error: AttributionError) -> None:
    """Note a fault where they are gathered, raise it elsewhere."""
    faults = _here.get()
    if faults is None:
        raise error
    faults.note(error)


def refuse(sentence: str) -> None:
    """Note a fault of what was read, where faults are gathered, and read on; raise it elsewhere.

    Where the present part holds a stand-in, what is wrong with it may be the stand-in's fault.
    """
    faults, error = _here.get(), SpecError(sentence)
    if faults is None:
        raise error
    if faults.noted == faults.since and str(error) not in map(str, faults.found):
        faults.found.append(error)
    faults.told += 1


def part(name: str, read: Callable[[], T], stand_in: T) -> T:
    """Read one part of a file; what fails only because of a fault before is left out.

    Parameters
    ----------
    name : under which the part counts as broken, and as ``no name`` if there is only its stand-in.
    stand_in : returned where it cannot be read.
    """
    faults = _here.get()
    if faults is None:
        return read()
    outer, before, found = faults.since, (faults.noted, faults.told), stand_in
    faults.since = faults.noted
    try:
        found = read()
    except AttributionError as error:
        faults.note(error if faults.noted == before[0] else None)
        faults.broken.add(f"no {name}")
    except CONSEQUENCES:
        if not faults.noted + faults.told:
            raise
        faults.note()
        faults.broken.add(f"no {name}")
    faults.since = outer
    if (faults.noted, faults.told) != before:
        faults.broken.add(name)
    return found


def lot(read: Callable[[], T]) -> T:
    """Read a part that nothing stands in for: what comes of its absence is no fault."""
    return part("", read, cast("T", None))


def each(rows: Iterable[S], read: Callable[[S], T]) -> tuple[T, ...]:
    """Read rows one by one; those with a fault are left out where faults are gathered."""
    kept: list[T] = []
    nothing: list[T] = []
    for row in rows:
        faults = _here.get()
        before = 0 if faults is None else faults.noted
        one = part("", partial(_alone, read, row), nothing)
        if faults is None or faults.noted == before:
            kept += one
    return tuple(kept)


def _alone(read: Callable[[S], T], row: S) -> list[T]:
    return [read(row)]


def check(name: str, needs: Iterable[str], made: Callable[[], None]) -> None:
    """Make a check if every part that it needs is whole; ``name`` is broken if it finds a fault."""
    faults = _here.get()
    if faults is None or not faults.broken & set(needs):
        part(name, made, None)
