"""Acceptance: a typed model file in; nothing out, or the one sentence that says why not."""

from __future__ import annotations

from attribution.errors import SpecError, nearest
from attribution.model.spec import Identification, ModelSpec


def check_model(spec: ModelSpec) -> None:
    """Refuse names that do not resolve, and a restriction on a series that is a test.

    Raises
    ------
    SpecError
        Naming the model, the place and the remedy.
    """
    place, system, table = spec.name, spec.system, spec.identification
    variables = (*system.variables, *system.auxiliary)
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
    for name in sorted(set(system.tests) & set(variables)):
        raise SpecError(
            f"{place}: [system] tests names '{name}', which is a variable; a test must stay outside"
        )
    if not spec.sample.start < spec.event.start <= spec.event.end <= spec.sample.end:
        raise SpecError(
            f"{place}: the event ({spec.event.start} to {spec.event.end}) is not inside the sample"
            f" ({spec.sample.start} to {spec.sample.end}); extend the sample or move the event"
        )
    _check_hold_out(spec)
    if spec.kind == "var" and table is not None:
        raise SpecError(f"{place}: kind 'var' is recursive; remove [identification]")
    if spec.kind != "var" and table is None:
        raise SpecError(f"{place}: kind '{spec.kind}' needs a table; add [identification]")
    if table is not None:
        _check_table(spec, table, variables)
    channels = spec.channels
    exposed = [exposure.channel for exposure in spec.exposures]
    for name in sorted({name for name in exposed if exposed.count(name) > 1}):
        raise SpecError(
            f"{place}: [[exposures]] names channel '{name}' twice; keep the one known best before"
            " the day"
        )
    for exposure in spec.exposures:
        if exposure.channel not in channels:
            raise SpecError(
                f"{place}: [[exposures]] channel '{exposure.channel}' is unknown"
                f"{nearest(exposure.channel, channels)}; correct it"
            )
    for expected in spec.expectations:
        if expected.channel not in channels:
            raise SpecError(
                f"{place}: [[expectations]] channel '{expected.channel}' is unknown"
                f"{nearest(expected.channel, channels)}; correct it"
            )
        if expected.series not in system.tests:
            raise SpecError(
                f"{place}: [[expectations]] series '{expected.series}' is not among [system] tests"
                f"{nearest(expected.series, system.tests)}; add it or correct it"
            )
    for name in spec.structural.unnamed:
        if name not in variables or name == spec.event.outcome:
            raise SpecError(
                f"{place}: [structural] unnamed '{name}' is not a variable beside the outcome"
                f"{nearest(name, variables)}; correct it"
            )


def _check_table(spec: ModelSpec, table: Identification, variables: tuple[str, ...]) -> None:
    if table.outcome != spec.event.outcome:
        raise SpecError(
            f"{spec.name}: table '{table.name}' speaks of '{table.outcome}', the event of"
            f" '{spec.event.outcome}'; use a table for this outcome"
        )
    if len(table.names) > len(spec.system.variables):
        raise SpecError(
            f"{spec.name}: {len(table.names)} channels but {len(spec.system.variables)} variables;"
            " add variables or drop channels"
        )
    for cell in table.cells:
        if cell.variable in spec.system.tests:
            raise SpecError(
                f"{spec.name}: table '{table.name}' restricts '{cell.variable}', which is a test;"
                " an assumption cannot be read back as a result: remove the cells or the test"
            )
        if cell.variable not in variables and spec.kind == "bvar":
            raise SpecError(
                f"{spec.name}: table '{table.name}' restricts '{cell.variable}', which is not a"
                f" variable{nearest(cell.variable, variables)}; add it to [system]"
            )


def _check_hold_out(spec: ModelSpec) -> None:
    """Refuse a hold-out beside the event: the question would train the answer."""
    first, last = spec.event.hold_out
    if last < first:
        raise SpecError(
            f"{spec.name}: [event] hold_out ends ({last}) before it starts ({first}); swap"
        )
    if not first <= spec.event.start <= spec.event.end <= last:
        raise SpecError(
            f"{spec.name}: [event] hold_out ({first} to {last}) does not hold the windows"
            f" ({spec.event.start} to {spec.event.end}); extend it"
        )
