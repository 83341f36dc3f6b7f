"""A folder that will be written; nothing out, or a refusal before minutes are spent, not after."""

from __future__ import annotations

import os
from pathlib import Path

from attribution.errors import SpecError

LETTERS = 255
"""Longest name of a file or folder, in bytes, on every common file system."""


def refuse_file(out: Path) -> None:
    """Refuse a folder that cannot be made or written: a folder is made in it and removed.

    Raises
    ------
    SpecError
        With the part of the path that is in the way.
    """
    for path in (out, *out.parents):
        if len(os.fsencode(path.name)) > LETTERS:
            raise SpecError(f"--out '{path.name[:40]}…': longer than {LETTERS} bytes; shorten it")
        if os.path.lexists(path) and not os.path.isdir(path):
            raise SpecError(f"--out '{out}': {path} is a file; name a folder")
    from tempfile import mkdtemp

    here = next(path for path in (out, *out.absolute().parents) if os.path.isdir(path))
    try:
        os.rmdir(mkdtemp(prefix=".run-", dir=here))
    except OSError as error:
        raise SpecError(
            f"--out '{out}': {here} cannot be written ({error.strerror}); name another folder"
        ) from None
