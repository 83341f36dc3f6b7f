"""Where the shipped `models/` and `data/` are: inside an installed wheel, or beside a checkout."""

from __future__ import annotations

from pathlib import Path

from attribution.errors import SpecError


def content(kind: str) -> Path:
    """Return the folder of shipped content, ``models`` or ``data``.

    Raises
    ------
    SpecError
        If this build lacks the folder.
    """
    package = Path(__file__).resolve().parent
    packaged = package / "_content" / kind
    if packaged.is_dir():
        return packaged
    checkout = package.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / kind).is_dir():
        return checkout / kind
    raise SpecError(f"this build of attribution lacks its {kind}/ folder; reinstall the package")
