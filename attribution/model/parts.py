"""A scheme and its parts in; nothing out, or the part that it lacks or would not read."""

from __future__ import annotations

from attribution.errors import SpecError, nearest
from attribution.model.scheme import ROTATION_INVARIANT
from attribution.model.spec import ModelSpec

ORDERED = ("recursive", "long_run")


def check_parts(spec: ModelSpec) -> None:
    """Refuse what belongs to another scheme, and a scheme without what identifies it."""
    scheme, place = spec.scheme, f"{spec.name}: scheme '{spec.scheme.name}'"
    table = spec.identification
    parts = {
        "order": (bool(scheme.order), ORDERED),
        "instruments": (bool(scheme.instruments), ("proxy",)),
        "breaks": (bool(scheme.breaks), ("heteroskedasticity",)),
        "signs": (bool(scheme.signs), ORDERED),
    }
    for key, (there, home) in parts.items():
        if there and scheme.name not in home:
            raise SpecError(
                f"{place} does not read {key}; remove it or use scheme {' or '.join(home)}"
            )
    if scheme.name == "proxy" and not scheme.instruments:
        raise SpecError(f"{place} needs an instrument; add [[identification.instruments]]")
    if scheme.name == "heteroskedasticity" and not scheme.breaks:
        raise SpecError(f"{place} needs the first day of each new regime; add breaks = [...]")
    told_apart = spec.errors.law not in ROTATION_INVARIANT
    if scheme.name == "restrictions" and table is None and not told_apart:
        raise SpecError(f"{place} needs a table; add [identification.channels] and claims")
    if scheme.name in ORDERED and table is not None:
        raise SpecError(
            f"{place} takes no table: the order identifies the shocks; remove the channels and"
            " claims, or use scheme 'restrictions'"
        )
    if table is not None and scheme.shocks:
        raise SpecError(
            f"{place} has a table and shocks; the channels of the table name the shocks"
        )


def check_order(spec: ModelSpec) -> None:
    """Refuse an order that is not every variable once."""
    variables, order = spec.system.variables, spec.scheme.order
    for name in order:
        if name not in variables:
            raise SpecError(
                f"{spec.name}: [identification] order names '{name}', which is not among [system]"
                f" variables{nearest(name, variables)}; correct it"
            )
    left = [name for name in variables if order and name not in order]
    if left:
        raise SpecError(
            f"{spec.name}: [identification] order leaves out '{left[0]}'; name every variable once"
        )
