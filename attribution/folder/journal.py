"""Files changed where they are: an intent on the disk in, its completion, now or later, out.

The intent is put into place by one rename.  Before it the folder is the old one; after it the
folder is the new one, since whoever opens it next first completes what the intent says.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from attribution.errors import DataError
from attribution.folder.ledger import Plan, is_below, ours, through_link
from attribution.folder.lock import locked
from attribution.folder.plain import write_json
from attribution.folder.stage import NEW, Stage, clear, is_stage

INTENT = ".attribution.switch"


def commit(folder: Path, stage: Stage, found: Plan) -> None:
    """Put the intent of a stage inside a folder into place, and do what it says."""
    names = sorted(p.relative_to(stage.new).as_posix() for p in stage.new.rglob("*") if p.is_file())
    intent = {"stage": stage.holder.name, "place": names, "drop": found.drop, "aside": found.aside}
    write_json(intent, stage.holder / INTENT)
    os.replace(stage.holder / INTENT, folder / INTENT)
    complete(folder)


def settle(folder: Path) -> None:
    """Complete what an earlier writer, cut off, was about to do; nothing if there is no such.

    Raises
    ------
    DataError
        If it cannot be completed.
    """
    if not (folder / INTENT).is_file():
        return
    try:
        with locked(folder):
            complete(folder)
    except OSError as error:
        raise DataError(
            f"'{folder}': an earlier writer was cut off and its work cannot be completed ({error});"
            " open it once where one may write"
        ) from None


def complete(folder: Path) -> None:
    """Do what an intent says, from wherever it was left; the lock is the caller's."""
    if not (folder / INTENT).is_file():
        return
    intent = _read(folder)
    new = folder / intent["stage"] / NEW
    for name, other in intent["aside"].items():
        staged = os.path.lexists(new / name)  # what the product writes there is not there yet
        if staged and os.path.lexists(folder / name) and not os.path.lexists(folder / other):
            os.rename(folder / name, folder / other)
    for name in intent["place"]:
        if os.path.lexists(new / name):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(new / name, folder / name)
    for name in sorted(set(intent["drop"]) - set(intent["place"])):
        if ours(folder, name, intent["drop"][name]):
            (folder / name).unlink()
        for parent in Path(name).parents[:-1]:
            with suppress(OSError):
                (folder / parent).rmdir()
    (folder / INTENT).unlink()
    clear(new.parent)


def _read(folder: Path) -> dict[str, Any]:
    """Read an intent; one that reaches out of its folder is a stranger's."""
    path = folder / INTENT
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        names = [*found["place"], *found["drop"], *found["aside"], *found["aside"].values()]
        sound = is_stage(found["stage"]) and not (folder / found["stage"]).is_symlink()
        sound = sound and all(is_below(name) for name in names)
        into = {*found["place"], *found["drop"]} - {*found["aside"]}
        behind = [name for name in into if through_link(folder, name)]
        asides = tuple(f"{name}/" for name in found["aside"])
        sound = sound and all(f"{name}/".startswith(asides) for name in behind)
    except (KeyError, TypeError, AttributeError, ValueError):
        sound = False
    if not sound:
        raise DataError(f"{path}: it is not what a fit left behind; delete it")
    return found
