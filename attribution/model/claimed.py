"""A model and its table in; nothing out, or the claim about what the model does not know."""

from __future__ import annotations

from dataclasses import replace

from attribution.errors import SpecError, nearest
from attribution.model.faults import fault
from attribution.model.kinds import KINDS
from attribution.model.restriction import OUTCOME, SHOCK, Identification
from attribution.model.spec import ModelSpec


def check_restricted(spec: ModelSpec, table: Identification) -> None:
    """Refuse claims about what is no variable, or is a test."""
    place = f"{spec.name}: table '{table.name}'"
    known = (*spec.system.variables, *spec.system.auxiliary)
    beside = cells_beside(spec)
    for name in _restricted(table):
        if name in spec.system.tests:
            fault(
                SpecError(
                    f"{place} restricts '{name}', which is a test; an assumption cannot be read"
                    " back as a result: remove the cells or the test"
                )
            )
        elif name not in known and name not in beside:
            fault(
                SpecError(
                    f"{place} restricts '{name}', which is not a variable{nearest(name, known)};"
                    " add it to [system]"
                )
            )


def check_table(spec: ModelSpec, table: Identification) -> None:
    """Refuse a table of another outcome or of too many channels, and cells without a unit."""
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
    _check_units(table, variables, place)


def cells_beside(spec: ModelSpec) -> tuple[str, ...]:
    """Series of cells that do not count: those that a system lacks, of a table that models share.

    A table in a file of its own may speak of more series than one system has, where its cells say
    what rotations are accepted and nothing else; in a model's own file each speaks of that model.
    Claims beyond cells compare what the system has, wherever they stand.
    """
    table = spec.identification
    own = table is None or table.path is None or table.path == spec.path
    if table is None or own or not KINDS[spec.kind].accepting:
        return ()
    beyond = _restricted(replace(table, cells=()))
    lacking = {cell.variable for cell in table.cells} - {*spec.system.variables, *beyond}
    return tuple(dict.fromkeys(c.variable for c in table.cells if c.variable in lacking))


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
        *(n.to for n in (*table.narratives, *table.asked) if n.to is not None),
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
