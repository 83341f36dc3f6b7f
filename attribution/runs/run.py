"""The record of a fit: draws and manifest, saved whole or not at all, and read again."""

from __future__ import annotations

import os
import platform
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from attribution import __version__
from attribution.errors import DataError, DiagnosticsError
from attribution.folder import SEAL, listed, manifest_of, settle, sound, whole, write_json
from attribution.limits import shown
from attribution.model.spec import ModelSpec
from attribution.model.study import StudySpec
from attribution.posterior import ADDITIVITY

__all__ = [
    "DRAWS",
    "KEYS",
    "MANIFEST",
    "REPORT",
    "RESULTS",
    "RUN",
    "UNCONVERGED",
    "Run",
    "digest_of",
    "holds_run",
    "load_run",
    "put_run",
    "save_run",
    "versions",
    "whole",
    "write_json",
]


# The draws of a saved run in; a refusal if its parts no longer add up to the move.

PARTS = ("contribution", "baseline")
AGAIN = "fit the model again"


def refuse_unsound(tree: xr.DataTree, path: Path) -> None:
    r"""Refuse draws that are not finite, or whose parts do not sum to what was observed.

    .. math:: \Big|\sum_k c_k + b - y\Big| \le 10^{-10} \max\Big(1, |y| + \sum_k |c_k|\Big)

    for every draw: of each window, its move, and of each of its days, its value.

    Raises
    ------
    DataError
        Naming the window.
    """
    if "/weights" in tree.groups:
        weight = tree["weights/weight"].to_numpy()
        if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.any()):
            raise DataError(f"{path}: weights are not finite and non-negative; {AGAIN}")
    moves = tree["posterior"].to_dataset() if "/posterior" in tree.groups else xr.Dataset()
    if not set(PARTS) <= set(moves.data_vars):
        return  # a study's, or a run without an event
    for window in map(str, moves["window"].to_numpy()):
        days = tree[f"windows/{window}"].to_dataset()
        seen, eve = days["observed"].to_numpy(), float(days["eve"]) if "eve" in days else None
        move = seen.sum() if eve is None else seen[-1] - eve
        scale = 0.0 if eve is None else abs(eve)
        _additive(moves.sel(window=window), np.asarray(move), scale, f"{path}: window '{window}'")
        if set(PARTS) <= set(days.data_vars):
            _additive(days, seen, 0.0, f"{path}: window '{window}', day by day")


def _additive(parts: xr.Dataset, observed: np.ndarray, scale: float, place: str) -> None:
    """Compare contributions (chain, draw[, time], channel) and baselines with the data."""
    own = [str(dim) for dim in parts["baseline"].dims if dim not in ("chain", "draw")]
    lead = ("chain", "draw", *own)
    each = parts["contribution"].transpose(*lead, "channel").to_numpy()
    base = parts["baseline"].transpose(*lead).to_numpy()
    if not (np.isfinite(each).all() and np.isfinite(base).all() and np.isfinite(observed).all()):
        raise DataError(f"{place}: a draw is not a finite number; {AGAIN}")
    size = np.abs(each).sum(-1) + np.abs(observed) + scale
    gap = np.abs(each.sum(-1) + base - observed) / np.maximum(1.0, size)
    if not (gap <= ADDITIVITY).all():
        raise DataError(
            f"{place}: contributions and baseline miss the observed move by {gap.max():.1e} of"
            f" their scale; {AGAIN}"
        )


DRAWS, MANIFEST, RESULTS = "run.nc", "manifest.json", "results.json"
KEYS = ("model", "seed", "digests", "versions", "diagnostics", "findings")
"""What every manifest says, and what tables and reports are made from."""
REPORT = ("report.html", "tables/*.csv", "figures/*.svg", "figures/*.png")
"""What a report holds: a later one replaces all of it that the product wrote."""
RUN = (DRAWS, MANIFEST, RESULTS, *REPORT)
UNCONVERGED = "unconverged"
"""Key of a manifest whose draws failed their diagnostics: what failed, in a sentence."""
TRIES = 5
"""Readings of a folder that others may switch meanwhile."""
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

    @property
    def unconverged(self) -> str:
        """What failed if the draws failed their diagnostics, so that nothing may be quoted."""
        return str(self.manifest.get(UNCONVERGED, ""))


def save_run(run: Run, out: Path) -> None:
    """Write draws and manifest into a folder; both, or what was there stays."""
    with whole(out, RUN) as aside:
        put_run(run, aside)


def holds_run(folder: Path) -> bool:
    """Whether a folder holds a run that converged, or one that cannot be read."""
    settle(folder)
    path = folder / MANIFEST
    try:
        return path.is_file() and UNCONVERGED not in manifest_of(path, ())
    except DataError:
        return True


def put_run(run: Run, folder: Path) -> None:
    """Write draws and manifest into a folder that :func:`whole` has given."""
    from attribution.sampling import engine as compat

    compat.save(run.tree, folder / DRAWS)
    write_json(run.manifest, folder / MANIFEST)


def load_run(folder: Path | str, *, unconverged: bool = False) -> Run:
    """Read a saved run as its record; `attribution.load_run` says what is checked and raised."""
    if not isinstance(folder, str | Path):
        raise DataError(
            f"run {shown(folder)}: no path; give the folder that 'attribution fit' wrote"
        )
    folder = Path(folder)
    if not os.path.isdir(folder):  # false, and no error, for a path that no system takes
        raise DataError(
            f"run '{folder}': it holds no {MANIFEST}; give the folder that 'attribution fit' wrote"
        )
    settle(folder)
    for last in (*[False] * (TRIES - 1), True):
        before = _bytes(folder / MANIFEST)
        try:
            run = _read(folder)
            break
        except DataError:
            if last or before == _bytes(folder / MANIFEST):
                raise  # nobody switched the folder while it was read
    if run.unconverged and not unconverged:
        raise DiagnosticsError(
            f"run '{folder}': it is unconverged ({run.unconverged}) and has no headline; look at it"
            f" with 'attribution summary {folder}', or fit again"
        )
    return run


def _read(folder: Path) -> Run:
    from attribution.folder import netcdf
    from attribution.sampling import engine as compat

    pass
    from attribution.runs.moments import refuse_unequal

    path = folder / MANIFEST
    if not path.is_file():
        raise DataError(
            f"run '{folder}': it holds no {MANIFEST}; give the folder that 'attribution fit' wrote"
        )
    manifest = manifest_of(path, KEYS)
    if listed(manifest, path):
        tree = netcdf.read(sound(folder, manifest, DRAWS), DRAWS)
    else:
        tree = compat.load(folder / DRAWS)
        warnings.warn(
            f"run '{folder}': an earlier version wrote it, without digests, so that no change to it"
            " can be seen; fit the model again",
            UserWarning,
            stacklevel=4,
        )
    refuse_unsound(tree, folder / DRAWS)
    refuse_unequal(tree, str(folder / DRAWS))
    return Run(tree, {key: value for key, value in manifest.items() if key not in SEAL})


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def digest_of(spec: ModelSpec | StudySpec) -> str:
    """SHA-256 of the model file and of its table; of what it says, for a model without a file."""
    found = sha256()
    if spec.path is None:
        found.update(repr(spec).encode("utf-8"))
    table = spec.identification if isinstance(spec, ModelSpec) else None
    paths = [spec.path, table.path if table else None]
    for path in dict.fromkeys(paths):
        if path is not None:
            found.update(path.read_bytes())
    return found.hexdigest()


def versions() -> dict[str, str]:
    """Versions of this package, of Python and of the packages that make numbers."""
    found = {"attribution": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
