"""What the product did not write: linked into the next state before a switch, brought after it."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from attribution.folder.ledger import MANIFEST, RECORD
from attribution.folder.plan import free_name

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
