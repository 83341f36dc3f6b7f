"""A folder in; a place to write its next state, known as ours even when it is found dead, out."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from attribution.folder.plain import write_json

# Two folders in; each at the other's place, in one step of the file system, out.

RENAME_EXCHANGE = RENAME_SWAP = 2
AT_FDCWD = -100


@cache
def _call() -> Callable[[bytes, bytes], int] | None:
    """Return the system's own exchange: ``renameat2`` on Linux, ``renamex_np`` on macOS."""
    try:
        library = ctypes.CDLL(None, use_errno=True)
    except (OSError, TypeError):
        return None
    if hasattr(library, "renameat2"):
        at, text, flags = ctypes.c_int, ctypes.c_char_p, ctypes.c_uint
        library.renameat2.argtypes = [at, text, at, text, flags]
        return lambda a, b: int(library.renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE))
    if hasattr(library, "renamex_np"):
        library.renamex_np.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint]
        return lambda a, b: int(library.renamex_np(a, b, RENAME_SWAP))
    return None


def exchange(here: Path, there: Path) -> None:
    """Put each folder in the other's place: at no moment is one of them missing.

    Raises
    ------
    OSError
        If the system or the file system cannot, or may not.
    """
    call = _call()
    if call is None:
        raise OSError(errno.ENOSYS, "no exchange of folders", str(there))
    if call(os.fsencode(here), os.fsencode(there)) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), str(there))


def can_exchange(place: Path) -> bool:
    """Try it on two empty folders."""
    a, b = place / "a", place / "b"
    a.mkdir()
    b.mkdir()
    try:
        exchange(a, b)
    except OSError:
        return False
    finally:
        a.rmdir()
        b.rmdir()
    return True


MARK, NEW = "stage.json", "new"


@dataclass(frozen=True)
class Stage:
    """A folder beside the one to be switched, or inside it where beside is no place.

    Attributes
    ----------
    holder : what is ours alone: the mark, and ``new``, which is written into.
    beside : whether the folders can be exchanged in one step.
    """

    holder: Path
    beside: bool

    @property
    def new(self) -> Path:
        """The next state."""
        return self.holder / NEW


def stage_for(folder: Path, *, beside: bool) -> Stage:
    """Make a stage beside a folder if the two can be exchanged, else inside it.

    They cannot where the file system does not know how, where one may not write beside, and where
    this process stands in the folder: its own user would be left in the old one.

    Parameters
    ----------
    beside : whether it may be beside at all.
    """
    if beside and not Path.cwd().is_relative_to(folder):
        with suppress(OSError):
            stage = _made(folder.parent / f".{folder.name}{_suffix()}", beside=True)
            if can_exchange(stage.holder):
                return stage
            clear(stage.holder)
    return _made(folder / _suffix(), beside=False)


def inside(folder: Path, stage: Stage) -> Stage:
    """Move what is staged into the folder itself."""
    other = _made(folder / _suffix(), beside=False)
    other.new.rmdir()
    shutil.move(stage.new, other.new)
    clear(stage.holder)
    return other


def mark(stage: Stage, folder: Path, drop: Collection[str], carried: Collection[str]) -> None:
    """Say what an exchange is about to do, and which folder ``new`` is until it is done."""
    inode = stage.new.stat().st_ino
    found = {"of": folder.name, "inode": inode, "drop": sorted(drop), "carried": sorted(carried)}
    write_json(found, stage.holder / MARK)


def read_mark(holder: Path, folder: Path) -> Mapping[str, Any] | None:
    """Return the mark of a stage, at first empty; None if it is no stage of this folder."""
    try:
        text = (holder / MARK).read_text(encoding="utf-8")
        found = json.loads(text) if text else {"of": folder.name}
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("of") == folder.name else None


def clear(holder: Path) -> None:
    """Remove a stage; its mark goes last, so that half of one is still known as ours."""
    shutil.rmtree(holder / NEW, ignore_errors=True)
    with suppress(OSError):
        for path in sorted(holder.iterdir(), key=lambda path: path.name == MARK):
            path.rmdir() if path.is_dir() else path.unlink()
        holder.rmdir()


def stages_of(folder: Path) -> list[Path]:
    """Stages of a folder, dead ones if its lock is ours."""
    beside = re.compile(re.escape(f".{folder.name}") + NAMED)
    return [
        *_matching(folder.parent, beside),
        *_matching(folder, re.compile(NAMED)),
    ]


def is_stage(name: str) -> bool:
    """Whether a name inside a folder can be that of a stage."""
    return re.fullmatch(NAMED, name) is not None


NAMED = r"\.run-[0-9a-f]{16}"


def _suffix() -> str:
    return f".run-{secrets.token_hex(8)}"


def _made(holder: Path, *, beside: bool) -> Stage:
    holder.mkdir(mode=0o700)
    stage = Stage(holder, beside)
    try:
        (holder / MARK).touch()
        stage.new.mkdir()
    except BaseException:
        clear(holder)
        raise
    return stage


def _matching(folder: Path, pattern: re.Pattern[str]) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            found = [e.name for e in entries if pattern.fullmatch(e.name)]
    except OSError:
        return []
    return [folder / name for name in sorted(found)]
