"""Acceptance: a typed model file in; nothing out, or the one sentence that says why not."""

from __future__ import annotations

from attribution.errors import SpecError, nearest
from attribution.model.consistent import check_consistent
from attribution.model.distinct import check_distinct
from attribution.model.offered import check_headline, check_offered, check_scheme
from attribution.model.restriction import OUTCOME, SHOCK, Identification
from attribution.model.spec import ModelSpec


def check_model(spec: ModelSpec) -> None:
    """Refuse names that do not resolve, parts that do not fit together, and claims that cannot.

    Raises
    ------
    SpecError
        Naming the model, the place and the remedy.
    IdentificationError
        If claims contradict each other, or leave two channels exchangeable.
    """
    _check_system(spec)
    if spec.event.asked:
        _check_event(spec)
    check_offered(spec)
    if spec.kind == "svar":
        check_scheme(spec)
    table = spec.identification
    if table is not None:
        _check_table(spec, table)
        if spec.kind == "svar":
            check_consistent(spec, table)
            check_distinct(spec, table)
        else:
            check_headline(spec, table)
    _check_named_channels(spec)
    for name in spec.structural.unnamed:
        variables = (*spec.system.variables, *spec.system.auxiliary)
        if name not in variables or name == spec.event.outcome:
            raise SpecError(
                f"{spec.name}: [structural] unnamed '{name}' is not a variable beside the outcome"
                f"{nearest(name, variables)}; correct it"
            )


def _check_system(spec: ModelSpec) -> None:
    place, system = spec.name, spec.system
    if spec.event.outcome not in system.variables:
        raise SpecError(
            f"{place}: [event] outcome '{spec.event.outcome}' is not among [system] variables"
            f"{nearest(spec.event.outcome, system.variables)}; add it or correct it"
        )
    for name in sorted(set(system.auxiliary) & set(system.variables)):
        raise SpecError(
            f"{place}: [system] auxiliary names '{name}', which is among variables; remove one"
        )
    for name, _ in spec.prior.own_lags:
        if name not in system.variables:
            raise SpecError(
                f"{place}: [prior] own_lags names '{name}', which is not among [system] variables"
                f"{nearest(name, system.variables)}; correct it"
            )
    for name in sorted(set(system.tests) & {*system.variables, *system.auxiliary}):
        raise SpecError(
            f"{place}: [system] tests names '{name}', which is a variable; a test must stay outside"
        )
    if not spec.sample.start < spec.sample.end:
        raise SpecError(
            f"{place}: the sample ends ({spec.sample.end}) before it starts ({spec.sample.start});"
            " swap the two dates"
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


def _check_table(spec: ModelSpec, table: Identification) -> None:
    """Refuse claims about what is no variable, is a test, or has no unit to be measured in."""
    variables, place = spec.system.variables, f"{spec.name}: table '{table.name}'"
    if table.outcome != spec.event.outcome:
        raise SpecError(
            f"{place} speaks of '{table.outcome}', the event of"
            f" '{spec.event.outcome}'; use a table for this outcome"
        )
    if len(table.names) > len(variables):
        raise SpecError(
            f"{spec.name}: {len(table.names)} channels but {len(variables)} variables;"
            " add variables or drop channels"
        )
    # a table in a file of its own may speak of series that this system lacks: such cells do not
    # count where only acceptance is at stake
    borrowed = spec.kind == "svar" and table.path is not None and table.path != spec.path
    loose = spec.kind == "bvar_signs" or borrowed
    known = None if loose else (*variables, *spec.system.auxiliary)
    for name in _restricted(table):
        if name in spec.system.tests:
            raise SpecError(
                f"{place} restricts '{name}', which is a test;"
                " an assumption cannot be read back as a result: remove the cells or the test"
            )
        if known is not None and name not in known:
            raise SpecError(
                f"{place} restricts '{name}', which is not a"
                f" variable{nearest(name, known)}; add it to [system]"
            )
    _check_units(table, variables, place)


def _check_units(table: Identification, variables: tuple[str, ...], place: str) -> None:
    """Refuse a cell that is measured per something without a sign, or per itself."""
    for cell in table.cells:
        where = f"{place}, {cell.channel} on {cell.variable}"
        if cell.per == OUTCOME and not table.direction:
            raise SpecError(
                f"{where}: per = 'outcome' needs a direction of the outcome; add direction, or use"
                " per = 'shock' or the name of a variable"
            )
        if cell.per not in (SHOCK, OUTCOME, *variables):
            raise SpecError(
                f"{where}: per = '{cell.per}' is neither 'shock', 'outcome' nor a variable"
                f"{nearest(cell.per, (SHOCK, OUTCOME, *variables))}; correct it"
            )
        if cell.per in variables and not _signed_on_impact(table, cell.channel, cell.per):
            raise SpecError(
                f"{where}: it is measured per unit of '{cell.per}', whose own response on impact"
                " has no sign; add that sign, or use per = 'shock'"
            )
        if cell.per == cell.variable and cell.first == 0 and not cell.long_run:
            raise SpecError(
                f"{where}: the response on impact, per unit of itself, is one; start its horizons"
                " later or use per = 'shock'"
            )


def _restricted(table: Identification) -> tuple[str, ...]:
    """Every variable that a claim speaks of, each once."""
    names = (
        *(cell.variable for cell in table.cells),
        *(
            side.variable
            for ranking in table.rankings
            for side in (ranking.larger, ranking.smaller)
        ),
        *(share.variable for share in table.shares),
        *(
            narrative.to
            for narrative in (*table.narratives, *table.asked)
            if narrative.to is not None
        ),
    )
    return tuple(dict.fromkeys(names))


def _signed_on_impact(table: Identification, channel: str, variable: str) -> bool:
    """Whether a cell of the channel, or the table's direction, fixes the sign of a variable."""
    if table.direction and variable == table.outcome:
        return True
    return any(
        cell.variable == variable
        and cell.signed
        and cell.per in (SHOCK, OUTCOME)
        and cell.first == 0
        and not cell.long_run
        for cell in table.cells_of(channel)
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
            raise SpecError(
                f"{place}: [[{section}]] channel '{name}' is unknown"
                f"{nearest(name, channels)}; correct it"
            )
    for expected in spec.expectations:
        if expected.series not in spec.system.tests:
            raise SpecError(
                f"{place}: [[expectations]] series '{expected.series}' is not among [system] tests"
                f"{nearest(expected.series, spec.system.tests)}; add it or correct it"
            )
