"""A task, a seed and a number of replications in; records on disk out, however often stopped.

Replication i draws its random numbers from child i of the seed, so that neither an interruption
nor the number of processes changes a record.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice
from pathlib import Path

import numpy as np

from attribution.errors import AttributionError, SpecError
from attribution.validate.store import Store
from attribution.validate.task import Outcome, Record, Task

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
