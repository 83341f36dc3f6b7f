"""A folder in; a place to write its next state, which becomes the folder in one step, out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from attribution.folder.carry import bring, carry
from attribution.folder.exchange import exchange
from attribution.folder.journal import INTENT, commit, complete
from attribution.folder.ledger import Ledger, entry_of, record_name, write_record
from attribution.folder.lock import also, locked
from attribution.folder.plan import Plan, plan
from attribution.folder.stage import (
    NEW,
    Stage,
    clear,
    inside,
    mark,
    read_mark,
    stage_for,
    stages_of,
)


@contextmanager
def whole(folder: Path, replaces: tuple[str, ...] = ()) -> Iterator[Path]:
    """Give a folder to write into; it takes the place of the other in one step, or not at all.

    A process that is killed at any moment leaves the old files, all of them, or the new ones, all
    of them.  One process writes at a time; another waits.  What the product did not write stays:
    under its own name, or under another (``notes.kept-1.txt``) where the product writes that name.

    Parameters
    ----------
    folder : made if it does not exist; a link to a folder is followed, once.
    replaces : patterns of names that go with what an earlier one left, if the product wrote them,
        which the record in the folder says, and if they have not been changed since.

    Raises
    ------
    DataError
        If another process does not cease to write there.
    """
    folder = Path(os.path.realpath(folder))
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with locked(folder) as exchangeable, ExitStack() as held:
            complete(folder)
            sweep(folder)
            stage = stage_for(folder, beside=exchangeable)
            try:
                yield stage.new
                held.enter_context(also(stage.new))  # until all is done, it may be the live one
                _switch(folder, stage, replaces)
            finally:
                if not (folder / INTENT).exists():
                    sweep(folder)
    except BaseException:
        for path in made:
            with suppress(OSError):
                path.rmdir()  # only if it is empty
        raise


def sweep(folder: Path) -> None:
    """Clear away what killed writers left; the lock, which is the caller's, says they are dead."""
    for holder in stages_of(folder):
        if holder.is_symlink():
            continue
        found = read_mark(holder, folder)
        if found is None:
            with suppress(OSError):
                holder.rmdir()
            continue
        new = holder / NEW
        if "carried" in found and new.is_dir() and new.stat().st_ino != found["inode"]:
            bring(new, folder, found["drop"], found["carried"])  # it was the live one
            if new.exists():
                continue
        clear(holder)


def _switch(folder: Path, stage: Stage, replaces: tuple[str, ...]) -> None:
    files: Ledger = {
        path.relative_to(stage.new).as_posix(): entry_of(path)
        for path in sorted(stage.new.rglob("*"))
        if path.is_file()
    }
    for name in files:
        _to_disk(stage.new / name)
    found = plan(folder, {*files, record_name(stage.new, folder)}, replaces)
    write_record(stage.new, folder, {**found.kept, **files})
    if stage.beside and _exchanged(folder, stage, found):
        return
    commit(folder, inside(folder, stage) if stage.beside else stage, found)


def _exchanged(folder: Path, stage: Stage, found: Plan) -> bool:
    """Switch the folders, and empty the old one; say so if they could not be switched."""
    carried: dict[str, str] = {}
    try:
        for name, to in carry(folder, stage.new, found.drop, found.aside):
            carried[name] = to
        mark(stage, folder, found.drop, carried)
        exchange(stage.new, folder)
    except OSError:
        for to in carried.values():
            target = stage.new / to
            with suppress(OSError):
                target.rmdir() if target.is_dir() and not target.is_symlink() else target.unlink()
        return False
    bring(stage.new, folder, found.drop, carried)
    return True


def _to_disk(path: Path) -> None:
    """Have a file written out before its name counts."""
    with open(path, "rb") as file, suppress(OSError):
        os.fsync(file.fileno())
