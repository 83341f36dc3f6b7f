"""A folder in; which of its files the product wrote, with size and digest, out.

The record is the manifest of a run; a folder without a run keeps it in a hidden file.  Only a file
whose bytes are those on record is ever removed: what a user made or changed is the user's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

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
