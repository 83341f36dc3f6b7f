"""One window under several runs: their tables enter, and where they agree leaves."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from attribution.core.moves import NOBODY, likeliest
from attribution.errors import DataError, EventError, SpecError, nearest
from attribution.finding import Finding
from attribution.fit import Settings, fit
from attribution.model import read_model
from attribution.model.spec import UNATTRIBUTED, ModelSpec
from attribution.model.study import StudySpec
from attribution.report.draws import windows
from attribution.runs import window_table
from attribution.runs.run import MANIFEST, Run, load_run
from attribution.var.check.companion import companion

if TYPE_CHECKING:
    import xarray as xr


BASELINE, OBSERVED, SUM = "baseline", "observed", "sum"
NONE = "none"
"""Stands where it is likelier that no part moves with the outcome than that any one leads."""
SHOWN = ("mean", "q05", "q25", "q75", "q95", "p_negative", "p_largest")
COMPANIONS = ("bvar", "factor")
SAME = 1e-9
"""Relative difference of two observed moves that is rounding."""


@dataclass(frozen=True)
class Agreement:
    """How far runs agree on one channel.

    Attributes
    ----------
    runs : how many name it and let it move.
    overlap : whether these are two or more, and a value is in the 50 % intervals of all of them.
    lowest, highest : of their means; unit of the outcome.
    zero : runs in which it is zero in every draw, by construction: they say nothing of it, and
        neither agree nor differ.
    """

    runs: int
    overlap: bool
    lowest: float
    highest: float
    zero: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """What several runs say of one window.

    Attributes
    ----------
    outcome, unit, period : what is explained, its unit, and the first and last day.
    observed : the move; unit of the outcome.
    tables : run -> channel, ``unattributed`` and ``baseline`` x mean, q05, q25, q75, q95,
        p_negative, p_largest.
    findings : whether the headline and its companion agree, where both are there.
    """

    outcome: str
    unit: str
    period: str
    observed: float
    tables: Mapping[str, pd.DataFrame]
    findings: tuple[Finding, ...] = ()

    @property
    def channels(self) -> list[str]:
        """Channels of all runs, in the order in which they first appear."""
        named = (str(name) for table in self.tables.values() for name in table.index)
        return [name for name in dict.fromkeys(named) if name not in (UNATTRIBUTED, BASELINE)]

    @property
    def rows(self) -> list[str]:
        """Channels, ``unattributed`` and ``baseline``."""
        return [*self.channels, UNATTRIBUTED, BASELINE]

    def long(self) -> pd.DataFrame:
        """One line a row and run; what a run does not name is not there."""
        parts = []
        for run, table in self.tables.items():
            whole = pd.DataFrame({"mean": [table["mean"].sum()]}, index=[SUM])
            part = pd.concat([table.reindex([n for n in self.rows if n in table.index]), whole])
            parts.append(part.rename_axis("channel").reset_index().assign(run=run))
        order = {name: i for i, name in enumerate([*self.rows, SUM])}
        joined = pd.concat(parts, ignore_index=True)
        joined = joined.sort_values("channel", key=lambda c: c.map(order), kind="stable")
        return joined[["channel", "run", *SHOWN]].reset_index(drop=True)

    def robustness(self) -> pd.DataFrame:
        """Probability of being the largest part: channel x run; NaN where a run has no such row."""
        names = [*self.channels, UNATTRIBUTED]
        return pd.DataFrame({run: t["p_largest"].reindex(names) for run, t in self.tables.items()})

    def largest(self) -> dict[str, tuple[str, float]]:
        """Largest part under each run, ``none`` where none likelier moves so, and how probably."""
        found = {}
        for run, column in self.robustness().items():
            place, chance = likeliest(column.to_numpy(float))
            found[str(run)] = (NONE if place == NOBODY else str(column.index[place]), chance)
        return found

    def agreement(self) -> dict[str, Agreement]:
        """How far the runs agree on each channel, ``unattributed`` and ``baseline``."""
        found = {}
        small = SAME * max(1.0, abs(self.observed))
        for name in self.rows:
            named = [run for run, table in self.tables.items() if name in table.index]
            still = [run for run in named if _largest(self.tables[run], name) <= small]
            moved = [run for run in named if run not in still]
            said = pd.DataFrame([self.tables[run].loc[name] for run in moved or named])
            found[name] = Agreement(
                runs=len(moved),
                overlap=len(moved) > 1 and bool(said["q25"].max() <= said["q75"].min()),
                lowest=float(said["mean"].min()),
                highest=float(said["mean"].max()),
                zero=tuple(still),
            )
        return found


def _largest(table: pd.DataFrame, name: str) -> float:
    """Largest of a row's mean and the ends of its 90 % interval; zero where it never moves."""
    return float(np.abs(table.loc[name, ["mean", "q05", "q95"]].to_numpy(float)).max())


def compare(runs: Mapping[str, Run], window: str | None = None) -> Comparison:
    """Lay one window of several runs side by side.

    Parameters
    ----------
    runs : by the name under which each is shown, two or more.
    window : its name in every run; if None, the first window of the first run, and in the others
        the one of the same days, whatever its name.

    Raises
    ------
    DataError
        If there are fewer than two runs, one has no event, or they explain different outcomes or
        saw different moves.
    EventError
        If a run has no such window.
    """
    if len(runs) < 2:
        raise DataError(f"compare: {len(runs)} run given; give two or more")
    (first, base), *_ = runs.items()
    for name, run in runs.items():
        _require_same(name, run, first, base)
    asked = windows(base.tree)[0] if window is None else window
    days = _days(first, base.tree, asked)
    tables: dict[str, tuple[pd.DataFrame, float]] = {}
    by_model: dict[str, pd.DataFrame] = {}
    for name, run in runs.items():
        found = _window(name, run.tree, days, window)
        table = window_table(run.tree, found)
        move = float(table["mean"].to_numpy()[table.index.get_loc(OBSERVED)])
        seen = tables[first][1] if tables else move
        if abs(move - seen) > SAME * max(1.0, abs(seen)):
            raise DataError(
                f"run '{name}': {run.tree.attrs['outcome']} moved {move:.6g} in window '{found}',"
                f" and {seen:.6g} in run '{first}'; fit both to the same data"
            )
        by_model[str(run.tree.attrs["model"])] = table
        tables[name] = (table.drop(index=OBSERVED)[list(SHOWN)], move)
    last = pd.Timestamp(days[-1])
    return Comparison(
        outcome=str(base.tree.attrs["outcome"]),
        unit=str(base.tree.attrs["outcome_unit"]),
        period=f"{pd.Timestamp(days[0]):%Y-%m-%d}" + (f" to {last:%Y-%m-%d}" if days[1:] else ""),
        observed=tables[first][1],
        tables={name: table for name, (table, _) in tables.items()},
        findings=_companions(by_model, asked, str(base.tree.attrs["outcome_unit"])),
    )


def _companions(
    by_model: Mapping[str, pd.DataFrame], window: str, unit: str
) -> tuple[Finding, ...]:
    """Ask the headline's companion whether it agrees, where both were fitted."""
    if not set(COMPANIONS) <= set(by_model):
        return ()
    first, second = (by_model[name] for name in COMPANIONS)
    return (companion(first, second, names=COMPANIONS, window=window, unit=unit),)


def _require_same(name: str, run: Run, first: str, base: Run) -> None:
    """Refuse a run that has no event, or explains something else than the first."""
    if not windows(run.tree):
        raise DataError(
            f"run '{name}': it is about no event, so there is nothing to compare; add an [event] to"
            " its model"
        )
    for key in ("outcome", "outcome_unit"):
        here, there = str(run.tree.attrs[key]), str(base.tree.attrs[key])
        if here != there:
            raise DataError(
                f"run '{name}': its {key.replace('_', ' ')} is '{here}' and that of run '{first}'"
                f" '{there}'; compare runs of one outcome in one unit"
            )


def _days(name: str, tree: xr.DataTree, window: str) -> list[np.datetime64]:
    named = windows(tree)
    if window not in named:
        raise EventError(
            f"run '{name}': it has no window '{window}'{nearest(window, named)}; correct --window"
        )
    return list(tree[f"windows/{window}/time"].to_numpy())


def _window(name: str, tree: xr.DataTree, days: list[np.datetime64], asked: str | None) -> str:
    """Name of the window of a run that has these days."""
    named = windows(tree) if asked is None else [asked]
    for window in named:
        if _days(name, tree, window) == days:
            return window
    first, last = (f"{pd.Timestamp(day):%Y-%m-%d}" for day in (days[0], days[-1]))
    raise EventError(
        f"run '{name}': no window has the {len(days)} days from {first} to {last}; fit it with"
        f" --event {first}:{last}, or name a window that all runs share with --window"
    )


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
