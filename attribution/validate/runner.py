"""A task, a seed and a number of replications in; records on disk out, however often stopped.

Replication i draws its random numbers from child i of the seed, so that neither an interruption
nor the number of processes changes a record.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np

from attribution import __version__
from attribution.errors import AttributionError, DataError, SpecError

MANIFEST, RECORDS = "manifest.json", "records.jsonl"
REFUSED = "refused"
Record = Mapping[str, float]


class Task(Protocol):
    """One replication of a validation, repeated with other random numbers.

    Attributes
    ----------
    name : of its folder.
    settings : everything that changes a record, but the seed; plain numbers and words.
    """

    @property
    def name(self) -> str:
        """Name of its folder."""
        ...

    @property
    def settings(self) -> Mapping[str, object]:
        """Everything that changes a record but the seed."""
        ...

    def replicate(self, rng: np.random.Generator) -> Record:
        """Return one record; the same generator state gives the same record."""
        ...


@dataclass(frozen=True)
class Outcome:
    """Records of a task, in the order of their numbers.

    Attributes
    ----------
    name : of the task.  settings, seed, version : what made the records.
    numbers : (replication,) int.
    columns : name -> (replication,); NaN where the program refused.
    refused : number -> the sentence with which the program refused the data.
    """

    name: str
    settings: Mapping[str, object]
    seed: int
    version: str
    numbers: np.ndarray
    columns: Mapping[str, np.ndarray]
    refused: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Store:
    """The folder of one task and one seed: what made the records, and the records, a line each.

    A line that an interruption cut short is dropped when the folder is opened again, and its
    replication is made anew with the same random numbers.
    """

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


Say = Callable[[str], None]


def run(
    task: Task,
    folder: Path,
    *,
    replications: int,
    seed: int,
    processes: int = 1,
    say: Say = lambda text: None,
) -> Outcome:
    """Make the replications that ``folder`` lacks, and return all that it holds.

    Parameters
    ----------
    replications : how many there are to be in the end.
    processes : of this machine; the records do not depend on it.
    say : told after each replication how far the run is.

    Raises
    ------
    SpecError
        If a number is not positive, or the folder holds records of other settings.
    """
    for name, value in (("replications", replications), ("processes", processes)):
        if value < 1:
            raise SpecError(f"validate: {name} = {value}; ask for at least one")
    store = Store.open(folder, task, seed)
    done = set(store.read().numbers.tolist())
    missing = [number for number in range(replications) if number not in done]
    clock = _Clock(task.name, len(done), replications, say)
    for number, record in _records(task, seed, missing, processes):
        store.append(number, record)
        clock.tick()
    return store.read()


def generator(seed: int, number: int) -> np.random.Generator:
    """Return the random numbers of one replication."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))


def one(task: Task, seed: int, number: int) -> tuple[int, Record | str]:
    """Make one replication; where the program refuses the data, its sentence is the record."""
    try:
        return number, task.replicate(generator(seed, number))
    except AttributionError as refusal:
        return number, f"{type(refusal).__name__}: {refusal}"


def _records(
    task: Task, seed: int, missing: list[int], processes: int
) -> Iterator[tuple[int, Record | str]]:
    if processes == 1:
        for number in missing:
            yield one(task, seed, number)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        pending: set[Future[tuple[int, Record | str]]] = set()
        queue = iter(missing)
        while True:
            for number in islice(queue, 2 * processes - len(pending)):
                pending.add(pool.submit(one, task, seed, number))
            if not pending:
                return
            finished, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()


class _Clock:
    """How far a run is, and when it will be done."""

    def __init__(self, name: str, done: int, total: int, say: Say) -> None:
        self.name, self.start, self.done, self.total, self.say = name, done, done, total, say
        self.began = time.monotonic()
        if done:
            say(f"{name}: {done} of {total} found")

    def tick(self) -> None:
        self.done += 1
        each = (time.monotonic() - self.began) / (self.done - self.start)
        left = each * (self.total - self.done)
        unit = f"{left / 60:.0f} min" if left >= 90 else f"{left:.0f} s"
        width = 24
        filled = width * self.done // max(self.total, 1)
        bar = "#" * filled + "." * (width - filled)
        self.say(f"{self.name} [{bar}] {self.done}/{self.total}, {unit} left")


def on_one_line(text: str) -> None:
    """Write over the last line of standard error, where it is a terminal; else stay silent."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()
