"""What a caller may say of a run, of whatever type; what belongs to a run and not to a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from pathlib import Path
from types import NoneType
from typing import Any, TypedDict

import pandas as pd

from attribution.errors import DataError, SpecError, nearest
from attribution.limits import LEAST_DRAWS, MEMORY_BYTES, shown, whole_number
from attribution.model import read_model
from attribution.model.kinds import KINDS
from attribution.model.read import refuse_names
from attribution.model.spec import ModelSpec
from attribution.model.study import StudySpec
from attribution.panel import Panel
from attribution.var.estimate.design import EVENT_IN

SEED = 5
ALL = "all"


@dataclass(frozen=True)
class Settings:
    """What belongs to a run and not to a model.

    Attributes
    ----------
    draws : kept draws, over all chains; by the kind of the model if None.
    seed : one integer; the same seed gives the same run.
    event_in : whether the event's days are left out of the estimation (``out``), on a scale of
        their own (``scale``), or in (``in``); ``all`` fits each and leads with ``out``.
    sampler : ``pymc`` or ``nutpie`` for kind ``bvar``; ``accept``, ``gibbs`` or ``slice`` for
        ``svar``; the first if None.
    progress : whether to show a live progress bar.
    shocks : whether to save the structural shocks of every day of the sample.
    cores : how many processes or threads sampling may use; two processes, and a thread a chain,
        if None.  The run is the same.

    Raises
    ------
    SpecError
        If one is of another type, or beyond its limit.
    """

    draws: int | None = None
    seed: int = SEED
    event_in: str = "out"
    sampler: str | None = None
    progress: bool = False
    shocks: bool = False
    cores: int | None = None

    def __post_init__(self) -> None:
        if self.draws is not None:
            object.__setattr__(self, "draws", whole_number(self.draws, "draws", least=LEAST_DRAWS))
        object.__setattr__(self, "seed", whole_number(self.seed, "seed"))
        if self.cores is not None:
            object.__setattr__(self, "cores", whole_number(self.cores, "cores", least=1))
        for name, value, kinds in (
            ("event_in", self.event_in, (str,)),
            ("sampler", self.sampler, (str, NoneType)),
            ("progress", self.progress, (bool,)),
            ("shocks", self.shocks, (bool,)),
        ):
            if not isinstance(value, kinds):
                raise SpecError(
                    f"settings: {name} = {shown(value)} is no {kinds[0].__name__}; correct it"
                )


class Keywords(TypedDict, total=False):
    """What ``fit`` takes by name beside a model, its data and its event; see :class:`Settings`."""

    draws: int | None
    seed: int
    event_in: str
    sampler: str | None
    progress: bool
    shocks: bool
    cores: int | None


def sampler_of(spec: ModelSpec, settings: Settings) -> str:
    """Name the sampler that a model of this kind is drawn with.

    Raises
    ------
    SpecError
        If the settings name one that its kind does not have.
    """
    known = KINDS[spec.kind].samplers
    chosen = settings.sampler or known[0]
    if chosen not in known:
        raise SpecError(
            f"--sampler '{chosen}': unknown to kind '{spec.kind}'{nearest(chosen, known)};"
            f" choose {' or '.join(known)}"
        )
    return chosen


def ways(spec: ModelSpec, settings: Settings) -> tuple[str, ...]:
    """Fits that the settings ask for, the headline's first.

    Raises
    ------
    SpecError
        If a setting is unknown, or the model's kind does not know it.
    """
    event_in = settings.event_in
    if event_in == ALL:
        if not KINDS[spec.kind].scaled:
            raise SpecError(f"--event-in all: kind '{spec.kind}' has no 'scale'; use out or in")
        if not spec.event.asked:
            raise SpecError(
                f"--event-in all: model '{spec.name}' has no [event] to leave out; add one"
            )
        return EVENT_IN
    if event_in not in EVENT_IN:
        known = (*EVENT_IN, ALL)
        raise SpecError(
            f"--event-in '{event_in}': unknown{nearest(event_in, known)}; choose one of"
            f" {', '.join(known)}"
        )
    return (event_in,)


# What a caller hands to a fit, of whatever type; what the fit works with, or one refusal, out.


def model_of(model: object) -> ModelSpec | StudySpec:
    """Return a model that was read, or made in memory.

    Raises
    ------
    SpecError
        If it is neither a name, a path nor a model, or a name in it is refused.
    """
    if isinstance(model, str | Path):
        return read_model(model)
    if not isinstance(model, ModelSpec | StudySpec):
        raise SpecError(
            f"model {shown(model)}: neither a name, a path nor a model; name a shipped model or a"
            " file, or hand over what model_from returns"
        )
    refuse_names(model)
    return model


def event_of(event: object) -> tuple[date, date] | None:
    """Return the first and the last day of an event.

    Days may be dates, texts such as ``2025-10-10``, or timestamps at midnight without a zone.

    Raises
    ------
    SpecError
        If there are not two of them, or one is no day.
    """
    if event is None:
        return None
    if isinstance(event, str) or not hasattr(event, "__iter__") or len(list(event)) != 2:
        raise SpecError(
            f"event = {shown(event)} is not two days; write ('2025-10-10', '2025-10-13')"
        )
    first, last = (_day(day) for day in event)
    return first, last


def _day(given: object) -> date:
    import pandas as pd

    wrong = SpecError(f"event: {shown(given)} is not a day; write it as '2025-10-10'")
    if isinstance(given, date) and not isinstance(given, datetime):
        return given
    if isinstance(given, bool | int | float):
        raise wrong
    try:
        if isinstance(given, str):
            return date.fromisoformat(given)
        stamp = pd.Timestamp(given)  # type: ignore[arg-type]
    except (ValueError, TypeError, OverflowError):
        raise wrong from None
    if pd.isna(stamp) or stamp.tz is not None or stamp != stamp.normalize():
        raise wrong
    return stamp.date()


NAMED = ("data", "event", "settings", "say")
"""Other keywords of ``fit``."""


def settings_of(settings: object, keywords: Mapping[str, Any] | None = None) -> Settings:
    """Return settings, those of every run if none are given; keywords win over defaults.

    Parameters
    ----------
    keywords : fields of ``Settings`` by name.

    Raises
    ------
    SpecError
        If they are anything else, a keyword is unknown, or says other than the settings say.
    """
    if settings is not None and not isinstance(settings, Settings):
        raise SpecError(
            f"settings {shown(settings)}: not settings; write settings=Settings(draws=2000, seed=5)"
        )
    given = Settings() if settings is None else settings
    defaults = {field.name: field.default for field in fields(Settings)}
    for name, value in (keywords or {}).items():
        if name not in defaults:
            raise SpecError(
                f"fit: no keyword '{name}'{nearest(name, (*defaults, *NAMED))}; correct it"
            )
        said = getattr(given, name)
        if said not in (defaults[name], value):
            raise SpecError(
                f"fit: {name} = {shown(value)} beside settings with {name} = {shown(said)}; say it"
                " once"
            )
    return replace(given, **(keywords or {}))


def refuse_data(data: object) -> None:
    """Refuse data that is neither left out, a path, a data frame nor a panel.

    Raises
    ------
    DataError
        With its type.
    """
    import pandas as pd

    if data is not None and not isinstance(data, str | Path | pd.DataFrame | Panel):
        raise DataError(
            f"data: a {type(data).__name__}, where a path, a data frame or a panel should stand;"
            " hand over one of these"
        )


def refuse_say(say: Callable[[str], None]) -> None:
    """Refuse what cannot be called with the name of a stage.

    Raises
    ------
    SpecError
        If it is no function.
    """
    if not callable(say):
        raise SpecError(f"say {shown(say)}: no function; hand over one that takes a text")


# A model, its rows and its draws in; nothing out, or a refusal of what no memory would hold.

_NUMBER = 8


def refuse_masses(spec: ModelSpec, days: pd.Index, draws: int, fits: int = 1) -> None:
    """Refuse draws of a VAR that would take more memory than the limit, before one is made.

    Counted are the coefficients, the responses and variance shares of every shock to the last
    horizon, and what each channel adds on each day of each window: a lower bound.

    Raises
    ------
    SpecError
        With the numbers that make it large.
    """
    n, horizons = len(spec.system.variables), spec.system.horizons + 1
    named = len(spec.channels) + 1
    steps = [_steps(days, w.start, w.end) for w in spec.event.windows]
    each = n * (n * spec.system.lags + n + 1)
    each += horizons * n * (n + 2 * named)
    each += sum(count * (named + 1) for count in steps)
    _refuse(
        spec.name,
        _NUMBER * draws * each * fits,
        f"{draws:,} draws of {n} variables, {spec.system.lags} lags, {horizons} horizons and"
        f" {sum(steps):,} days",
    )


def refuse_many_rows(spec: StudySpec, rows: pd.DataFrame, draws: int) -> None:
    """Refuse draws of a counterfactual path that would take more memory than the limit.

    Raises
    ------
    SpecError
        With the numbers that make it large.
    """
    if spec.kind == "counterfactual":  # each control's part is kept, row by row
        count, width = rows.shape
        _refuse(
            spec.name,
            _NUMBER * draws * count * (width + 2),
            f"{draws:,} draws of {count:,} rows and {width} columns",
        )


def _steps(days: pd.Index, start: date, end: date) -> int:
    return int(((days >= pd.Timestamp(start)) & (days <= pd.Timestamp(end))).sum())


def _refuse(name: str, size: float, made_of: str) -> None:
    if size > MEMORY_BYTES:
        raise SpecError(
            f"{name}: {made_of} need at least {size / 1e9:,.1f} GB of memory, above the limit of"
            f" {MEMORY_BYTES / 1e9:g} GB; ask for fewer draws or horizons"
        )
