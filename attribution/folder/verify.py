"""A folder in; its manifest and a file's bytes out, if they are still those on record."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attribution.errors import DataError
from attribution.folder.ledger import (
    CHECKSUM,
    FILES,
    FORMAT,
    SEAL,
    checksum,
    digest_of_bytes,
    is_entry,
)


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
