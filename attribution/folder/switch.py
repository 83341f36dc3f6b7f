"""A folder in; a place to write its next state, which becomes the folder in one step, out."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from attribution.folder.journal import INTENT, commit, complete
from attribution.folder.ledger import (
    MANIFEST,
    RECORD,
    Ledger,
    Plan,
    entry_of,
    free_name,
    plan,
    record_name,
    write_record,
)
from attribution.folder.lock import also, locked
from attribution.folder.stage import (
    NEW,
    Stage,
    clear,
    exchange,
    inside,
    mark,
    read_mark,
    stage_for,
    stages_of,
)

# What the product did not write: linked into the next state before a switch, brought after it.

MANY = 2000
"""Files of a user's own in a folder, above which its files are changed where they are."""


def carry(
    folder: Path, new: Path, drop: Collection[str], aside: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Link all but what is dropped into the next state; yield each name, there and here, once done.

    A file is one file under two names until the switch, so that at no moment is it in one place
    only; where links are not to be had, a copy.  A link stays a link.

    Raises
    ------
    OSError
        If a file can be neither linked nor copied, or there are more than ``MANY``.
    """
    for count, (name, to) in enumerate(_walk(folder, aside)):
        source, target = folder / name, new / to
        inner = source.is_dir() and not source.is_symlink()
        if name in drop or (inner and any(source.iterdir())):  # folders come with what they hold
            continue
        if count > MANY:
            raise OSError(errno.E2BIG, "too many files to carry over", str(folder))
        _folders(folder, new, Path(name), Path(to))
        if inner:
            target.mkdir(exist_ok=True)
            _dress(source, target)
        else:
            _link(source, target)
        yield name, to
    _dress(folder, new)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except (OSError, NotImplementedError):
        if not (source.is_symlink() or source.is_file()):
            raise
        shutil.copy2(source, target, follow_symlinks=False)


def _folders(folder: Path, new: Path, name: Path, to: Path) -> None:
    """Make the folders above a file as they were."""
    for there, here in zip(name.parents[:-1][::-1], to.parents[:-1][::-1], strict=True):
        if not (new / here).is_dir():
            (new / here).mkdir()
            _dress(folder / there, new / here)


def bring(old: Path, folder: Path, drop: Collection[str], carried: Collection[str]) -> None:
    """Empty a folder that was switched away; what came into it meanwhile goes to the live one.

    The record goes last, so that a folder that is half emptied still says what it is.
    """
    names = [name for name, _ in _walk(old, {})]
    for name in sorted(names, key=lambda name: name in (MANIFEST, RECORD)):
        path = old / name
        with suppress(OSError):
            if path.is_dir() and not path.is_symlink():
                continue
            if name in drop or name in carried:
                path.unlink()
                continue
            target = folder / free_name(folder, Path(name))
            target.parent.mkdir(parents=True, exist_ok=True)
            os.rename(path, target)
    for name in reversed(names):
        with suppress(OSError):
            (old / name).rmdir()
    with suppress(OSError):
        old.rmdir()


def _walk(folder: Path, aside: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield everything below a folder and the name it will have, folders before what they hold."""
    waiting = [("", "")]
    while waiting:
        above, to = waiting.pop()
        with os.scandir(folder / above) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        for entry in found:
            name = f"{above}{entry.name}"
            moved = aside.get(name, f"{to}{entry.name}")
            yield name, moved
            if entry.is_dir(follow_symlinks=False):
                waiting.append((f"{name}/", f"{moved}/"))


def _dress(source: Path, target: Path) -> None:
    """Give a folder the times, rights and owner of another, as far as one may."""
    with suppress(OSError):
        shutil.copystat(source, target)
        there = source.stat()
        if hasattr(os, "chown"):
            os.chown(target, there.st_uid, there.st_gid)


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
