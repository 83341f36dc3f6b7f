"""What belongs to a run and not to a model."""

from __future__ import annotations

from dataclasses import dataclass
from types import NoneType

from attribution.errors import SpecError, nearest
from attribution.estimate.design import EVENT_IN
from attribution.limits import LEAST_DRAWS, shown, whole_number
from attribution.model.kinds import KINDS
from attribution.model.spec import ModelSpec

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

    def __post_init__(self) -> None:
        if self.draws is not None:
            object.__setattr__(self, "draws", whole_number(self.draws, "draws", least=LEAST_DRAWS))
        object.__setattr__(self, "seed", whole_number(self.seed, "seed"))
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
