"""Acceptance: a typed model file in; nothing out, or the one sentence that says why not."""

from __future__ import annotations

from itertools import combinations, product

from attribution.errors import IdentificationError, SpecError, nearest
from attribution.model.claimed import check_restricted, check_table
from attribution.model.consistent import (
    apart,
    cells_with_direction,
    check_consistent,
    meet,
    mirrored,
    zero_rows,
)
from attribution.model.faults import check, fault, gather
from attribution.model.kinds import KINDS
from attribution.model.offered import check_headline, check_offered, check_scheme
from attribution.model.restriction import Cell, Identification
from attribution.model.spec import ModelSpec

# The channels of a table in; nothing out, or the two that could trade their labels.


def check_distinct(spec: ModelSpec, table: Identification) -> None:
    """Refuse two channels whose claims one shock could satisfy, whichever its sign.

    An exact zero that only one of the two has keeps them apart: the other's response is almost
    surely not zero.  So does a ranking, a share of variance, a narrative or an instrument that
    speaks of one of them alone.

    Raises
    ------
    IdentificationError
        Naming the first such pair.

    References
    ----------
    rubioramirez2010
    """
    cells = {name: cells_with_direction(table, name) for name in table.names}
    for first, other in combinations(table.names, 2):
        if _beyond_cells(spec, table, first) != _beyond_cells(spec, table, other):
            continue
        if zero_rows(cells[first]) != zero_rows(cells[other]):
            continue
        mirror = tuple(mirrored(cell) for cell in cells[other])
        if _kept_apart(cells[first], cells[other]) and _kept_apart(cells[first], mirror):
            continue
        raise IdentificationError(
            f"{spec.name}: table '{table.name}': one shock, or the same shock with its sign turned,"
            f" satisfies every claim on '{first}' and on '{other}', so they could trade labels; add"
            " claims on one variable and horizon that exclude each other, or report the two as one"
        )


def _kept_apart(first: tuple[Cell, ...], other: tuple[Cell, ...]) -> bool:
    return any(meet(one, two) and apart(one, two) for one, two in product(first, other))


def _beyond_cells(spec: ModelSpec, table: Identification, channel: str) -> set[tuple[object, ...]]:
    """Return what else speaks of a channel, in words that two channels may share."""
    found: set[tuple[object, ...]] = {
        ("instrument", instrument.column)
        for instrument in spec.scheme.instruments
        if instrument.channel == channel
    }
    for row in table.narratives:
        if row.channel == channel:
            found.add(("narrative", row.claim, row.start, row.end, row.to, row.low, row.high))
    for share in table.shares:
        if share.channel == channel:
            found.add(("share", share.variable, share.horizon, share.low, share.high))
    for number, ranking in enumerate(table.rankings):
        for side in ("larger", "smaller"):
            if getattr(ranking, side).channel == channel:
                found.add(("ranking", number, side))
    return found


def check_model(spec: ModelSpec) -> None:
    """Refuse names that do not resolve, parts that do not fit together, and claims that cannot.

    Raises
    ------
    SpecError
        Naming the model, the place and the remedy.
    IdentificationError
        If claims contradict each other, or leave two channels exchangeable.
    """
    gather(lambda: _check(spec))


def _check(spec: ModelSpec) -> None:
    """Make every check whose parts could be read."""
    table, event = spec.identification, ("system", "event", "sample")
    check("outcome", ("system", "event"), lambda: _check_outcome(spec))
    check("names", ("system",), lambda: _check_system(spec))
    check("prior", ("system", "prior"), lambda: _check_own_lags(spec))
    check("sample", ("sample",), lambda: _check_sample(spec))
    if spec.event.asked:
        check("event", ("event", "sample"), lambda: _check_event(spec))
    sections = ("identification", "errors", "prior", "structural", "exposures", "expectations")
    check("scheme", (*event, *sections), lambda: check_offered(spec))
    if "scheme" in KINDS[spec.kind].reads:
        check("scheme", (*event, *sections, "scheme"), lambda: check_scheme(spec))
    if table is not None:
        check("claims", ("system", "identification"), lambda: check_restricted(spec, table))
        whole = (*event, "outcome", "identification", "errors", "scheme", "claims")
        check("claims", whole, lambda: check_table(spec, table))
        check("claims", whole, lambda: _check_claims(spec, table))
    check(
        "named",
        ("channels", "keys of identification", "no identification", "scheme"),
        lambda: _check_named_channels(spec),
    )
    check("unnamed", ("system", "event", "structural"), lambda: _check_unnamed(spec))


def _check_claims(spec: ModelSpec, table: Identification) -> None:
    if "scheme" in KINDS[spec.kind].reads:
        check_consistent(spec, table)
        check_distinct(spec, table)
    else:
        check_headline(spec, table)


def _check_unnamed(spec: ModelSpec) -> None:
    variables = (*spec.system.variables, *spec.system.auxiliary)
    for name in spec.structural.unnamed:
        if name not in variables or name == spec.event.outcome:
            fault(
                SpecError(
                    f"{spec.name}: [structural] unnamed '{name}' is not a variable beside the"
                    f" outcome{nearest(name, variables)}; correct it"
                )
            )


def _check_outcome(spec: ModelSpec) -> None:
    outcome, variables = spec.event.outcome, spec.system.variables
    if outcome not in variables:
        raise SpecError(
            f"{spec.name}: [event] outcome '{outcome}' is not among [system] variables"
            f"{nearest(outcome, variables)}; add it or correct it"
        )


def _check_system(spec: ModelSpec) -> None:
    place, system = spec.name, spec.system
    for name in sorted(set(system.auxiliary) & set(system.variables)):
        fault(
            SpecError(
                f"{place}: [system] auxiliary names '{name}', which is among variables; remove one"
            )
        )
    for name in system.levels:
        if name not in system.variables:
            fault(
                SpecError(
                    f"{place}: [system] levels names '{name}', which is not among variables"
                    f"{nearest(name, system.variables)}; correct it"
                )
            )
    for name in sorted(set(system.tests) & {*system.variables, *system.auxiliary}):
        fault(
            SpecError(
                f"{place}: [system] tests names '{name}', which is a variable; a test must stay"
                " outside"
            )
        )


def _check_own_lags(spec: ModelSpec) -> None:
    for name, _ in spec.prior.own_lags:
        if name not in spec.system.variables:
            fault(
                SpecError(
                    f"{spec.name}: [prior] own_lags names '{name}', which is not among [system]"
                    f" variables{nearest(name, spec.system.variables)}; correct it"
                )
            )


def _check_sample(spec: ModelSpec) -> None:
    sample = spec.sample
    if not sample.start < sample.end:
        raise SpecError(
            f"{spec.name}: the sample ends ({sample.end}) before it starts ({sample.start}); swap"
            " the two dates"
        )


def _check_event(spec: ModelSpec) -> None:
    """Refuse an event outside the sample, and a hold-out beside it: it would train the answer."""
    sample, event = spec.sample, spec.event
    if not sample.start < event.start <= event.end <= sample.end:
        raise SpecError(
            f"{spec.name}: the event ({event.start} to {event.end}) is not inside the sample"
            f" ({sample.start} to {sample.end}); extend the sample or move the event"
        )
    first, last = event.hold_out
    if last < first:
        raise SpecError(
            f"{spec.name}: [event] hold_out ends ({last}) before it starts ({first}); swap"
        )
    if not first <= event.start <= event.end <= last:
        raise SpecError(
            f"{spec.name}: [event] hold_out ({first} to {last}) does not hold the windows"
            f" ({event.start} to {event.end}); extend it"
        )


def _check_named_channels(spec: ModelSpec) -> None:
    """Refuse exposures, instruments and expectations of channels that do not exist."""
    place, channels = spec.name, spec.channels
    exposed = [exposure.channel for exposure in spec.exposures]
    for name in sorted({name for name in exposed if exposed.count(name) > 1}):
        raise SpecError(
            f"{place}: [[exposures]] names channel '{name}' twice; keep the one known best before"
            " the day"
        )
    named = [("exposures", name) for name in exposed]
    named += [("instruments", instrument.channel) for instrument in spec.scheme.instruments]
    named += [("expectations", expected.channel) for expected in spec.expectations]
    for section, name in named:
        if name not in channels:
            fault(
                SpecError(
                    f"{place}: [[{section}]] channel '{name}' is unknown"
                    f"{nearest(name, channels)}; correct it"
                )
            )
    for expected in spec.expectations:
        if expected.series not in spec.system.tests:
            fault(
                SpecError(
                    f"{place}: [[expectations]] series '{expected.series}' is not among [system]"
                    f" tests{nearest(expected.series, spec.system.tests)}; add it or correct it"
                )
            )
