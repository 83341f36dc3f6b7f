"""A model and the columns at hand in; nothing out, or the claim whose series nobody knows."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from attribution.content import content
from attribution.errors import SpecError, nearest
from attribution.model.claimed import cells_beside
from attribution.model.spec import ModelSpec
from attribution.model.table import read_table


def refuse_unknown_series(spec: ModelSpec, columns: Collection[str]) -> None:
    """Refuse a shared table whose cells name a series that nothing else knows: it is misspelt.

    Cells on a series that the system lacks do not count, if the data have it or a shipped table
    speaks of it.

    Parameters
    ----------
    columns : every column of the data, whether the model reads it or not.

    Raises
    ------
    SpecError
        Naming the table, the series and the nearest name.
    """
    table, variables = spec.identification, spec.system.variables
    odd = [name for name in cells_beside(spec) if name not in columns]
    odd = [name for name in odd if name not in _shipped()] if odd else []
    if table is not None and odd:
        raise SpecError(
            f"{spec.name}: table '{table.name}' restricts '{odd[0]}', which is neither a variable"
            f" nor a column of the data{nearest(odd[0], (*variables, *columns))}; correct it, or"
            " remove its cells"
        )


@cache
def _shipped() -> frozenset[str]:
    """Series that the shipped tables and rivals speak of."""
    paths = sorted((content("models") / "tables").rglob("*.toml"))
    return frozenset(cell.variable for path in paths for cell in read_table(str(path)).cells)
