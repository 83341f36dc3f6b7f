"""Names that a user types in; runs, loaded or fitted, out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from attribution.errors import SpecError
from attribution.fit import Settings, fit
from attribution.run import MANIFEST, Run, load_run


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
    found = {}
    for name, label in zip(names, short, strict=True):
        key = label if short.count(label) == 1 else name
        if Path(name).is_dir() and (_is_path(name) or (Path(name) / MANIFEST).is_file()):
            found[key] = load_run(Path(name))
        else:
            found[key] = fit(name, data=data, event=event, settings=settings, say=say)
    return found


def _is_path(name: str) -> bool:
    """Say whether a name can only be meant as a path."""
    return len(Path(name).parts) > 1 or name.startswith(".")


def _short(name: str) -> str:
    path = Path(name)
    return path.stem if path.suffix == ".toml" else path.name
