"""Bytes or plain data in; one complete file out, or the old one."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any


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
