"""Folders in; the runs that they hold, each under the name of its model, out."""

from __future__ import annotations

from json import loads
from pathlib import Path

from attribution.errors import SpecError
from attribution.run import MANIFEST, Run, load_run


def collect(folders: list[Path]) -> dict[str, Run]:
    """Load runs, each under the name of its model, with ``+`` and its rival where it holds one.

    Raises
    ------
    SpecError
        If two folders hold runs of the same model.
    DataError
        If a folder holds no run.
    """
    found: dict[str, Run] = {}
    places: dict[str, Path] = {}
    for folder in folders:
        run = load_run(folder)
        name = name_of(run)
        if name in found:
            raise SpecError(
                f"claims: '{places[name]}' and '{folder}' are both runs of '{name}'; name one"
            )
        found[name], places[name] = run, folder
    return found


def name_of(run: Run) -> str:
    """Name of a run's model, with ``+`` and its rival where it holds one."""
    named = [str(finding["name"]) for finding in run.manifest["findings"]]
    rivals = [name.removeprefix("rival ") for name in named if name.startswith("rival ")]
    return "+".join([str(run.manifest["model"]), *rivals])


def below(folder: Path) -> list[Path]:
    """Folders directly below one that hold a run and bear the name of its model."""
    if not folder.is_dir():
        return []
    found = []
    for path in sorted(one.parent for one in folder.glob(f"*/{MANIFEST}")):
        manifest = loads((path / MANIFEST).read_text(encoding="utf-8"))
        if manifest["model"] == path.name.partition("+")[0]:
            found.append(path)
    return found
