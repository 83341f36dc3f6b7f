"""Records of a task on disk: appended one by one, found again after an interruption, never mixed.

A folder holds ``manifest.json``, what made the records, and ``records.jsonl``, one line each.  A
line that an interruption cut short is dropped when the folder is opened again, and its replication
is made anew with the same random numbers.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from attribution import __version__
from attribution.errors import DataError, SpecError
from attribution.validate.task import Outcome, Record, Task

MANIFEST, RECORDS = "manifest.json", "records.jsonl"
REFUSED = "refused"


@dataclass(frozen=True)
class Store:
    """The folder of one task and one seed."""

    folder: Path
    manifest: Mapping[str, object]

    @classmethod
    def open(cls, folder: Path, task: Task, seed: int) -> Store:
        """Create the folder, or find the records that the same task and seed have left.

        Raises
        ------
        SpecError
            If the folder holds records of other settings, another seed or another version.
        """
        asked: dict[str, object] = {
            "task": task.name,
            "settings": json.loads(json.dumps(dict(task.settings))),
            "seed": seed,
            "version": __version__,
        }
        path = folder / MANIFEST
        folder.mkdir(parents=True, exist_ok=True)
        if not path.is_file():
            _replace(path, json.dumps(asked, indent=1) + "\n")
        found = _read(path)
        if found != asked:
            raise SpecError(f"{folder}: {_difference(found, asked)}; name another --out folder")
        _drop_cut_line(folder / RECORDS)
        return cls(folder, asked)

    @classmethod
    def existing(cls, folder: Path) -> Store:
        """Find a folder that a validation has written.

        Raises
        ------
        DataError
            If there is none.
        """
        path = folder / MANIFEST
        if not path.is_file():
            raise DataError(f"{folder}: no validation has been saved there; run it first")
        return cls(folder, _read(path))

    def append(self, number: int, record: Record | str) -> None:
        """Write one record, or the sentence of a refusal, as one line; on disk when it returns."""
        body = {REFUSED: record} if isinstance(record, str) else dict(record)
        line = json.dumps({"number": number, **body}, allow_nan=True) + "\n"
        with (self.folder / RECORDS).open("ab") as stream:
            stream.write(line.encode())
            stream.flush()
            os.fsync(stream.fileno())

    def read(self) -> Outcome:
        """Return every record, in the order of their numbers."""
        path = self.folder / RECORDS
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        rows = sorted((json.loads(line) for line in text.splitlines()), key=lambda r: r["number"])
        names = dict.fromkeys(key for row in rows for key in row)
        kept = [name for name in names if name not in ("number", REFUSED)]
        settings, seed = self.manifest["settings"], self.manifest["seed"]
        assert isinstance(settings, dict) and isinstance(seed, int)
        return Outcome(
            name=str(self.manifest["task"]),
            settings=settings,
            seed=seed,
            version=str(self.manifest["version"]),
            numbers=np.array([row["number"] for row in rows], dtype=int),
            columns={
                name: np.array([row.get(name, math.nan) for row in rows], float) for name in kept
            },
            refused={row["number"]: row[REFUSED] for row in rows if REFUSED in row},
        )


def _read(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path}: cannot be read ({error}); remove the folder") from None
    if not isinstance(found, dict):
        raise DataError(f"{path}: it is no manifest of a validation; remove the folder")
    return found


def _difference(found: Mapping[str, object], asked: Mapping[str, object]) -> str:
    """Name the first thing in which two manifests differ."""
    for name in ("task", "version", "seed"):
        if found.get(name) != asked[name]:
            return f"it holds records of {name} {found.get(name)}, not {asked[name]}"
    old, new = found.get("settings"), asked["settings"]
    assert isinstance(new, dict)
    old = old if isinstance(old, dict) else {}
    for name in dict.fromkeys((*new, *old)):
        if old.get(name) != new.get(name):
            return f"it holds records with {name} = {old.get(name)}, not {new.get(name)}"
    return "its manifest is not that of a validation"


def _drop_cut_line(path: Path) -> None:
    """Keep the lines that were written whole; a line is whole if it ends."""
    if not path.is_file():
        return
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        with path.open("r+b") as stream:
            stream.truncate(len(whole))


def _replace(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)
