"""A folder in; the right to change it, which one process has at a time, out."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from attribution.errors import DataError

try:
    import fcntl
except ImportError:  # Windows locks no folders
    fcntl = None  # type: ignore[assignment]

LOCK = ".attribution.lock"
"""File that stands for the lock where the file system locks no folders, and then only."""
PATIENCE = 300.0
"""Seconds to wait for another process; it holds the lock while it draws its report."""
PAUSE = 0.05
UNABLE = (errno.EBADF, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
"""How a file system says that it locks no folders."""


@contextmanager
def locked(folder: Path, patience: float = PATIENCE) -> Iterator[bool]:
    """Hold the lock of a folder, which ends with the process, however that ends.

    The lock is on the folder itself and leaves no file behind.  The folder may be another one once
    the lock is ours, because the one who held it has switched it: then we ask again.  Yields
    whether it is the folder that is locked, so that it may be switched.

    Raises
    ------
    DataError
        If another process holds it for longer than ``patience``, in seconds.
    """
    end = time.monotonic() + patience
    while (held := _held(folder)) is None:
        if time.monotonic() > end:
            raise DataError(
                f"'{folder}': another process is writing there; wait until it has ended, or name"
                " another folder"
            )
        time.sleep(PAUSE)
    try:
        yield held >= 0
    finally:
        if held >= 0:
            os.close(held)
        else:
            (folder / LOCK).unlink(missing_ok=True)


@contextmanager
def also(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder that nobody else knows yet, where folders are locked at all."""
    held = -1
    with suppress(OSError):
        held = os.open(folder, os.O_RDONLY)
        if fcntl is not None:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        yield
    finally:
        if held >= 0:
            os.close(held)


def _held(folder: Path) -> int | None:
    """Descriptor of the locked folder, -1 where a file stands for it, None if it is not ours."""
    if fcntl is None:
        return _by_file(folder)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        mine, there = os.fstat(descriptor), os.stat(folder)
        if (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino):
            return descriptor
    except BlockingIOError:
        pass
    except OSError as error:
        os.close(descriptor)
        if error.errno in UNABLE:
            return _by_file(folder)
        raise
    os.close(descriptor)
    return None


def _by_file(folder: Path) -> int | None:
    try:
        os.close(os.open(folder / LOCK, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return None
    return -1
