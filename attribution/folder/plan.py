"""A folder and the names of new files in; what of it goes, and what makes room, out."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import count
from pathlib import Path

from attribution.folder.ledger import RECORD, Ledger, ours, recorded


@dataclass(frozen=True)
class Plan:
    """What a switch does to what is there.

    Attributes
    ----------
    drop : files that the product wrote and that go, with their size and digest.
    aside : name -> other name, of what the product did not write and that stands where it writes.
    kept : record of files that the product wrote earlier and that stay.
    """

    drop: Ledger
    aside: dict[str, str] = field(default_factory=dict)
    kept: Ledger = field(default_factory=dict)


def plan(folder: Path, names: Iterable[str], replaces: tuple[str, ...]) -> Plan:
    """Decide by the record, and never by a pattern alone, what goes.

    Parameters
    ----------
    names : files that will be written, records included.
    replaces : patterns of files that go with an earlier writing, if the product wrote them.
    """
    new, found = set(names), recorded(folder)
    matching = {n for n in found.files if any(fnmatchcase(n, part) for part in replaces)}
    drop = {
        name: found.files[name]
        for name in sorted((matching | new | {RECORD}) & found.files.keys())
        if not through_link(folder, name) and ours(folder, name, found.files[name])
    }
    if found.first_layout:  # a run whose files are not on record: those of the same names
        drop |= {
            name: {}
            for name in sorted(new)
            if not through_link(folder, name) and _plain_file(folder / name)
        }
    kept = {
        name: entry
        for name, entry in found.files.items()
        if name not in drop and name not in new and os.path.lexists(folder / name)
    }
    return Plan(drop, _aside(folder, sorted(new), drop), kept)


def _aside(folder: Path, names: list[str], drop: Ledger) -> dict[str, str]:
    """Find what stands where a file will be, or where a folder of one will be."""
    found: dict[str, str] = {}
    for name in names:
        for part in (*reversed(Path(name).parents[:-1]), Path(name)):
            path = folder / part
            if str(part) in found or not os.path.lexists(path):
                break
            inner = part != Path(name)
            if (inner and path.is_dir() and not path.is_symlink()) or part.as_posix() in drop:
                continue
            found[part.as_posix()] = _free(folder, part, set(names) | set(found.values()))
            break
    return found


def _free(folder: Path, part: Path, taken: set[str]) -> str:
    """Return a name beside a name that nothing has."""
    names = (part.with_name(f"{part.stem}.kept-{n}{part.suffix}") for n in count(1))
    return next(
        name.as_posix()
        for name in names
        if name.as_posix() not in taken and not os.path.lexists(folder / name)
    )


def free_name(folder: Path, part: Path) -> str:
    """Return a name that nothing in a folder has: its own, if it is free."""
    return part.as_posix() if not os.path.lexists(folder / part) else _free(folder, part, set())


def through_link(folder: Path, name: str) -> bool:
    """Whether the way to a file leads through a link, and so perhaps out of the folder."""
    return any((folder / part).is_symlink() for part in Path(name).parents[:-1])


def _plain_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
