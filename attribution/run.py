"""The record of a fit: draws and manifest, saved whole or not at all, and read again."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING, Any

from attribution import __version__
from attribution.errors import DataError
from attribution.model.spec import ModelSpec

if TYPE_CHECKING:
    import xarray as xr

DRAWS, MANIFEST, RESULTS = "run.nc", "manifest.json", "results.json"
PACKAGES = (
    "pymc",
    "pytensor",
    "arviz",
    "numpy",
    "scipy",
    "pandas",
    "numba",
    "statsmodels",
    "xarray",
)


@dataclass(frozen=True)
class Run:
    """A fitted model.

    Attributes
    ----------
    tree : every draw, by group; see the page on reading results.
    manifest : what made it: digests, versions, seed, settings, checks, findings.
    """

    tree: xr.DataTree
    manifest: Mapping[str, Any]


def save_run(run: Run, out: Path) -> None:
    """Write draws and manifest into a folder; each file is complete, or the old one stays."""
    from attribution import compat

    out.mkdir(parents=True, exist_ok=True)
    compat.save(run.tree, out / DRAWS)
    write_json(run.manifest, out / MANIFEST)


def load_run(folder: Path) -> Run:
    """Read a saved run.

    Raises
    ------
    DataError
        If the folder holds no run, or a part of it cannot be read.
    """
    from attribution import compat

    path = folder / MANIFEST
    if not path.is_file():
        raise DataError(
            f"run '{folder}': it holds no {MANIFEST}; give the folder that 'attribution fit' wrote"
        )
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error}); fit the model again") from None
    return Run(compat.load(folder / DRAWS), manifest)


def write_json(content: Mapping[str, Any], path: Path) -> None:
    """Write plain data to a temporary name and move it into place."""
    text = json.dumps(content, indent=2, sort_keys=False, ensure_ascii=False, allow_nan=False)
    handle, name = mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        os.chmod(name, 0o644)
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


def digest_of(spec: ModelSpec) -> str:
    """SHA-256 of the model file and of its table."""
    whole = sha256()
    paths = [spec.path, spec.identification.path if spec.identification else None]
    for path in dict.fromkeys(paths):
        if path is not None:
            whole.update(path.read_bytes())
    return whole.hexdigest()


def versions() -> dict[str, str]:
    """Versions of this package, of Python and of the packages that make numbers."""
    found = {"attribution": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
