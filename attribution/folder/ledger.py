"""A folder in; which of its files the product wrote, with size and digest, out.

The record is the manifest of a run; a folder without a run keeps it in a hidden file.  Only a file
whose bytes are those on record is ever removed: what a user made or changed is the user's.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

from attribution.errors import DataError
from attribution.folder.plain import write_json

MANIFEST, RECORD = "manifest.json", ".attribution.json"
FORMAT = 2
"""Layout of a folder that this version writes, and the newest that it reads; the first had none."""
FILES, CHECKSUM = "files", "checksum"
SEAL = ("format", FILES, CHECKSUM)
"""What a record says of itself and of the files; all other keys of a manifest are the run's."""
WRITTEN = ("model", "seed", "digests", "versions", "diagnostics", "findings")
"""Keys of every manifest; one with them and no seal is of a run of the first layout."""
Ledger = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Recorded:
    """What is on record of a folder.

    Attributes
    ----------
    files : name -> bytes and sha256, of every file that the product wrote.
    sealed : whether a manifest, unchanged since, holds the record, and not the hidden file.
    first_layout : whether the folder holds a run whose files are not on record.
    """

    files: Ledger
    sealed: bool = False
    first_layout: bool = False


def recorded(folder: Path) -> Recorded:
    """Read what is on record of a folder; nothing where no record can be read."""
    manifest, hidden = _read(folder / MANIFEST), _read(folder / RECORD)
    sealed = isinstance(manifest.get(FILES), dict) and manifest.get(CHECKSUM) == checksum(manifest)
    files: Ledger = {}
    for found in (hidden, manifest):
        listed = found.get(FILES)
        if isinstance(listed, dict):
            files |= {name: entry for name, entry in listed.items() if is_entry(name, entry)}
    if sealed:  # a manifest cannot hold its own digest: its checksum stands for it
        files[MANIFEST] = {CHECKSUM: True}
    if hidden:
        files[RECORD] = {CHECKSUM: True}
    first = not any(key in manifest for key in SEAL) and all(key in manifest for key in WRITTEN)
    return Recorded(files, sealed, first)


def ours(folder: Path, name: str, entry: Mapping[str, Any]) -> bool:
    """Whether a file still has the bytes that are on record."""
    path = folder / name
    try:
        if path.is_symlink() or not path.is_file():
            return False
        if CHECKSUM in entry:
            content = _read(path)
            return bool(content.get(CHECKSUM) == checksum(content))
        return {"bytes", "sha256"} <= entry.keys() and entry_of(path) == dict(entry)
    except OSError:
        return False


def entry_of(path: Path) -> dict[str, Any]:
    """Size and digest of a file."""
    data = path.read_bytes()
    return {"bytes": len(data), "sha256": digest_of_bytes(data)}


def digest_of_bytes(data: bytes | memoryview) -> str:
    """SHA-256 in hexadecimal."""
    return sha256(data).hexdigest()


def checksum(content: Mapping[str, Any]) -> str:
    """SHA-256 of a record without its checksum, keys in order, no spaces."""
    rest = {key: value for key, value in content.items() if key != CHECKSUM}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return digest_of_bytes(text.encode("utf-8", "surrogatepass"))


def record_name(new: Path, old: Path) -> str:
    """Name of the file that will hold the record: the staged manifest, the old one, or neither."""
    return MANIFEST if (new / MANIFEST).is_file() or recorded(old).sealed else RECORD


def write_record(new: Path, old: Path, files: Ledger) -> None:
    """Write the record of a folder that is staged, with all that its manifest says, or said."""
    name = record_name(new, old)
    content = _read(new / name if (new / name).is_file() else old / name)
    kept = {key: value for key, value in content.items() if key not in SEAL}
    listed = {name: files[name] for name in sorted(files) if name not in (MANIFEST, RECORD)}
    sealed = {**kept, "format": FORMAT, FILES: listed}
    write_json({**sealed, CHECKSUM: checksum(sealed)}, new / name)


def is_entry(name: str, entry: object) -> bool:
    """Whether a line of a record names a file below the folder; a stranger's may not."""
    return is_below(name) and isinstance(entry, dict) and {"bytes", "sha256"} <= entry.keys()


def is_below(name: str) -> bool:
    """Whether a name can only be that of a file in the folder."""
    path = Path(name)
    return (
        "\0" not in name and not path.is_absolute() and ".." not in path.parts and bool(path.parts)
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


# A folder and the names of new files in; what of it goes, and what makes room, out.


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


# A folder in; its manifest and a file's bytes out, if they are still those on record.


def manifest_of(path: Path, keys: Iterable[str]) -> dict[str, Any]:
    """Read a manifest that says at least ``keys``.

    Raises
    ------
    DataError
        If it cannot be read, or lacks one.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: cannot be read ({error}); fit the model again") from None
    missing = [key for key in keys if not isinstance(found, dict) or key not in found]
    if missing:
        raise DataError(f"{path}: it lacks '{missing[0]}'; fit the model again")
    manifest: dict[str, Any] = found
    return manifest


def listed(manifest: Mapping[str, Any], path: Path) -> bool:
    """Whether a manifest puts files on record; one of the first layout does not.

    Raises
    ------
    DataError
        If it is of a newer version, or was changed after it was written.
    """
    if not any(key in manifest for key in SEAL):
        return False
    number = manifest.get("format")
    if isinstance(number, int) and number > FORMAT:
        raise DataError(
            f"{path}: its format {number} is of a newer version, and this one reads up to {FORMAT};"
            " install the newer one, or fit the model again"
        )
    files = manifest.get(FILES)
    if (
        number != FORMAT
        or manifest.get(CHECKSUM) != checksum(manifest)
        or not isinstance(files, dict)
        or not all(is_entry(name, entry) for name, entry in files.items())
    ):
        raise DataError(f"{path}: it was changed after it was written; fit the model again")
    return True


def sound(folder: Path, manifest: Mapping[str, Any], name: str) -> bytes:
    """Read one file; refuse it, or any other that is there, if it is not what was written.

    Raises
    ------
    DataError
        Naming the first file that differs.
    """
    files = manifest[FILES]
    if not (folder / name).is_file():
        raise DataError(f"{name}: no such file in {folder}; run 'attribution fit' first")
    if name not in files:
        raise DataError(f"{folder / name}: it is not on record; fit the model again")
    data = _same(folder / name, files[name], "fit the model again")
    for other, entry in files.items():
        if other != name and (folder / other).is_file():
            _same(folder / other, entry, "delete it, or fit the model again")
    return data


def _same(path: Path, entry: Mapping[str, Any], remedy: str) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error}); {remedy}") from None
    if len(data) != entry["bytes"] or digest_of_bytes(data) != entry["sha256"]:
        raise DataError(
            f"{path}: cannot be read as a saved run, since its digest is not the one on record;"
            f" {remedy}"
        )
    return data
