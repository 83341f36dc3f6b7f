"""Bytes or plain data in; one complete file out, or the old one, or an early refusal."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attribution.errors import SpecError


def text_of(content: Mapping[str, Any]) -> str:
    """Return plain data as the text of a file.

    Raises
    ------
    ValueError
        If a number is not finite.
    """
    return (
        json.dumps(content, indent=2, sort_keys=False, ensure_ascii=False, allow_nan=False) + "\n"
    )


def write_json(content: Mapping[str, Any], path: Path) -> None:
    """Write plain data to a temporary name and move it into place."""
    write_bytes(text_of(content).encode("utf-8"), path)


def write_bytes(data: bytes | memoryview, path: Path) -> None:
    """Write to a temporary name beside the file, to the disk, and move it into place.

    A full disk is an `OSError`, and leaves the old file.
    """
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with open(part, "xb") as file:  # by the user's umask, which mkstemp would not ask
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


# A folder that will be written; nothing out, or a refusal before minutes are spent, not after.

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
