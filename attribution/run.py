"""The record of a fit: draws and manifest, saved whole or not at all, and read again."""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import mkdtemp, mkstemp
from typing import TYPE_CHECKING, Any

from attribution import __version__
from attribution.errors import DataError
from attribution.limits import shown
from attribution.model.spec import ModelSpec
from attribution.model.studies import QUESTIONS
from attribution.model.study import StudySpec

if TYPE_CHECKING:
    import xarray as xr

DRAWS, MANIFEST, RESULTS = "run.nc", "manifest.json", "results.json"
KEYS = ("model", "seed", "digests", "versions", "diagnostics", "findings")
"""What every manifest says, and what tables and reports are made from."""
REPORT = (
    *("report.html", "tables/*.csv", "figures/waterfall_*.*", "figures/robust_bounds_*.*"),
    *("figures/event_in.*", "figures/prior_against_posterior.*", "figures/impulse_responses.*"),
    *("figures/through_the_window.*", "figures/variance_shares.*"),
    *(f"figures/{kind}_*.*" for kind in QUESTIONS),
)
"""What a report may hold: a later one replaces all of it, and no file of another name."""
PACKAGES = (
    "pymc",
    "pytensor",
    "arviz",
    "numpy",
    "scipy",
    "pandas",
    "numba",
    "statsmodels",
    "linearmodels",
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
    (out / DRAWS).chmod(0o644)
    write_json(run.manifest, out / MANIFEST)


def load_run(folder: Path | str) -> Run:
    """Read a saved run.

    Raises
    ------
    DataError
        If the folder holds no run, or a part of it cannot be read or is not of a run, or its draws
        do not weigh the same.
    """
    from attribution import compat
    from attribution.record.weighted import refuse_unequal

    if not isinstance(folder, str | Path):
        raise DataError(
            f"run {shown(folder)}: no path; give the folder that 'attribution fit' wrote"
        )
    folder = Path(folder)
    path = folder / MANIFEST
    if not os.path.isfile(path):
        raise DataError(
            f"run '{folder}': it holds no {MANIFEST}; give the folder that 'attribution fit' wrote"
        )
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error}); fit the model again") from None
    missing = [key for key in KEYS if not isinstance(manifest, dict) or key not in manifest]
    if missing:
        raise DataError(f"{path}: it lacks '{missing[0]}'; fit the model again")
    tree = compat.load(folder / DRAWS)
    refuse_unequal(tree, str(folder / DRAWS))
    return Run(tree, manifest)


@contextmanager
def whole(folder: Path, replaces: tuple[str, ...] = REPORT) -> Iterator[Path]:
    """Give a folder to write into; its files move into place together, or the old ones stay.

    What an earlier one left in ``folder``, by the patterns it ``replaces``, goes with it; files of
    other names are left alone.
    """
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    aside = Path(mkdtemp(prefix=".run-", dir=folder))  # same file system: moves are atomic
    new, old = aside / "new", aside / "old"
    new.mkdir()
    try:
        yield new
        _install(new, old, folder, replaces)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        if made:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _install(new: Path, old: Path, folder: Path, replaces: tuple[str, ...]) -> None:
    """Move each file to its place, keeping what it replaces; put all back if one move fails."""
    names = _files(new, "**/*")
    stale = [name for part in replaces for name in _files(folder, part) if name not in names]
    moved: list[Path] = []
    try:
        for name in (*names, *stale):
            _move(folder / name, old / name)
            moved.append(name)
            _move(new / name, folder / name)
        for name in {name.parent for name in stale} - {Path()}:
            if not any((folder / name).iterdir()):
                (folder / name).rmdir()
    except BaseException:
        for name in moved:
            (folder / name).unlink(missing_ok=True)
            _move(old / name, folder / name)
        raise


def _files(folder: Path, pattern: str) -> list[Path]:
    """Return the files of a folder that match, relative to it."""
    found = [path for path in folder.glob(pattern) if path.is_file()]
    return sorted(path.relative_to(folder) for path in found)


def _move(here: Path, there: Path) -> None:
    if here.exists():
        there.parent.mkdir(parents=True, exist_ok=True)
        os.replace(here, there)


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


def digest_of(spec: ModelSpec | StudySpec) -> str:
    """SHA-256 of the model file and of its table; of what it says, for a model without a file."""
    whole = sha256()
    if spec.path is None:
        whole.update(repr(spec).encode("utf-8"))
    table = spec.identification if isinstance(spec, ModelSpec) else None
    paths = [spec.path, table.path if table else None]
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
