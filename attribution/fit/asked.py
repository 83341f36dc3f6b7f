"""What a caller hands to a fit, of whatever type; what the fit works with, or one refusal, out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

from attribution.errors import DataError, SpecError
from attribution.fit.settings import Settings
from attribution.limits import shown
from attribution.model import read_model
from attribution.model.read import refuse_names
from attribution.model.spec import ModelSpec
from attribution.model.study import StudySpec
from attribution.panel import Panel


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


def settings_of(settings: object) -> Settings:
    """Return settings, those of every run if none are given.

    Raises
    ------
    SpecError
        If they are anything else.
    """
    if settings is None:
        return Settings()
    if not isinstance(settings, Settings):
        raise SpecError(
            f"settings {shown(settings)}: not settings; write settings=Settings(draws=2000, seed=5)"
        )
    return settings


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
