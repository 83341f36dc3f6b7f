"""What can go wrong, each with its exit code; a message is one located sentence with a remedy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any


class AttributionError(Exception):
    """Any refusal of the toolkit; the command line prints it without a traceback."""

    exit_code = 1
    faults: tuple[AttributionError, ...] = ()
    """The refusals that this one joins, where it joins several."""


class SpecError(AttributionError):
    """A model file or an identification table that cannot be read or does not make sense."""

    exit_code = 2


class DataError(AttributionError):
    """A data file, a card or a column that cannot be used as it stands."""

    exit_code = 2


class DiagnosticsError(AttributionError):
    """A sampler whose diagnostics fail; no headline is printed.

    Attributes
    ----------
    draws : name -> (chain, draw, ...), what failed, where there are draws.
    run : a run of them, marked as unconverged, for a look at what took minutes to sample.
    """

    exit_code = 3

    def __init__(self, message: str, *, draws: Any = None, run: Any = None) -> None:
        super().__init__(message)
        self.draws, self.run = draws, run


class IdentificationError(AttributionError):
    """Restrictions that cannot hold, cannot tell channels apart, or that the data contradict."""

    exit_code = 4


class EventError(AttributionError):
    """An event that the sample, or one of the series it needs, does not cover."""

    exit_code = 5


def together(faults: Sequence[AttributionError]) -> AttributionError:
    """Join refusals into one of the first one's class, a sentence a line; one stays itself."""
    first, *rest = faults
    if not rest:
        return first
    joined = type(first)("\n".join(map(str, faults)))
    joined.faults = tuple(faults)
    return joined


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `` (nearest: 'x')`` for the closest known name, or all names if none is close."""
    names = sorted(set(known))
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f" (nearest: '{close[0]}')"
    return f" (known: {', '.join(names)})" if names else ""
