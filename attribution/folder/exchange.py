"""Two folders in; each at the other's place, in one step of the file system, out."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

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
