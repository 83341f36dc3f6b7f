"""Names that a user types in; runs, loaded or fitted, out."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from attribution.errors import SpecError
from attribution.fit import Settings, fit
from attribution.model import read_model
from attribution.model.spec import ModelSpec
from attribution.model.study import StudySpec
from attribution.runs.run import MANIFEST, Run, load_run


def collect(
    names: Sequence[str],
    *,
    data: Path | None = None,
    event: tuple[date, date] | None = None,
    settings: Settings | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, Run]:
    """Load each name that is a folder of a run; fit each other one as a model.

    Parameters
    ----------
    names : folders that 'attribution fit' wrote, names of shipped models, model files.
    data, event, settings : for the models that are fitted.

    Raises
    ------
    SpecError
        If one is given twice, or fewer than two are given.
    DataError
        If a folder holds no run.
    """
    if len(names) < 2:
        raise SpecError(f"compare: '{' '.join(names)}' is one run; name two or more")
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise SpecError(f"compare: '{twice[0]}' is given twice; name each run once")
    short = [_short(name) for name in names]
    found: dict[str, Run] = {}
    asked: dict[str, ModelSpec | StudySpec | Path] = {}
    for name, label in zip(names, short, strict=True):  # every name is read before one is fitted
        key = label if short.count(label) == 1 else name
        if os.path.isdir(name) and (_is_path(name) or (Path(name) / MANIFEST).is_file()):
            asked[key] = Path(name)
        else:
            asked[key] = read_model(name)
    for key, one in asked.items():
        if isinstance(one, Path):
            found[key] = load_run(one)
        else:
            found[key] = fit(one, data=data, event=event, settings=settings, say=say)
    return found


def _is_path(name: str) -> bool:
    """Say whether a name can only be meant as a path."""
    return len(Path(name).parts) > 1 or name.startswith(".")


def _short(name: str) -> str:
    path = Path(name)
    return path.stem if path.suffix == ".toml" else path.name
