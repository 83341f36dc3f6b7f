"""An identification table in; the cones of its channels over the variables of a system out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from attribution.core import niw
from attribution.core.rotations import cone_gibbs, separation
from attribution.errors import DiagnosticsError, IdentificationError, SpecError
from attribution.model.restriction import Cell
from attribution.model.spec import ModelSpec
from attribution.var.estimate.conjugate import CHAINS

BURN_IN, THIN = 2000, 80
"""Sweeps before the first kept draw of a chain, and between two."""


@dataclass(frozen=True)
class Cones:
    """Rows of all channels, stacked in table order.

    Attributes
    ----------
    channels : names.
    rows : (row, variable); an impact column h is admissible where R h >= 0.
    ends : (channel,) int; where each channel's rows end.
    cells : the table's cells on the system's variables.
    owner : (row,) int; index of the cell behind each row, −1 for the normalisation.
    """

    channels: tuple[str, ...]
    rows: np.ndarray
    ends: np.ndarray
    cells: tuple[Cell, ...]
    owner: np.ndarray

    def without(self, cell: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows and ends with one cell left out."""
        kept: np.ndarray = self.owner != cell
        return self.rows[kept], np.cumsum(kept)[self.ends - 1]

    def start(self, spread: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw an impact matrix (variable, shock) whose named columns lie inside their cones.

        Each is a random point on a random chord through the deepest point of its cone.
        """
        n = len(spread)
        impact: np.ndarray = rng.standard_normal((n, n)) * spread[:, None]
        for k, rows in enumerate(np.split(self.rows, self.ends[:-1])):
            impact[:, k] = spread * _inside(rows * spread, rng)
        return impact


def table_cones(spec: ModelSpec) -> Cones:
    """Turn the cells on the system's variables into cones; a cell on another series does not count.

    Raises
    ------
    SpecError
        If the model has no table, or names more channels than variables.
    IdentificationError
        If a channel's cells leave no impact column at all; names an irreducible set of them.
    """
    table, variables = spec.identification, spec.system.variables
    if table is None:
        raise SpecError(
            f"{spec.name}: kind 'bvar_signs' needs an identification table; add [identification]"
        )
    if len(table.names) > len(variables):
        raise SpecError(
            f"{spec.name}: {len(table.names)} channels but {len(variables)} variables; add"
            " variables or drop channels"
        )
    stacked, owner = [], []
    cells: list[Cell] = []
    for name in table.names:
        own = [cell for cell in table.cells_of(name) if cell.variable in variables]
        bounds = [(variables.index(cell.variable), cell.low, cell.high) for cell in own]
        rows = separation.cone_rows(
            bounds,
            variables=len(variables),
            outcome=variables.index(table.outcome),
            direction=table.direction,
        )
        place = np.array(separation.row_cells(bounds))
        _refuse_infeasible(table.name, name, rows, place, own)
        owner.append(np.where(place < 0, -1, place + len(cells)))
        stacked.append(rows)
        cells += own
    return Cones(
        channels=table.names,
        rows=np.concatenate(stacked),
        ends=np.cumsum([len(rows) for rows in stacked]),
        cells=tuple(cells),
        owner=np.concatenate(owner),
    )


def cone_chains(
    reduced: niw.NormalInverseWishart,
    cones: Cones,
    draws: int,
    rng: np.random.Generator,
    *,
    place: str,
) -> np.ndarray:
    """Return impact matrices (chain, draw, variable, shock) from independent starts.

    Raises
    ------
    DiagnosticsError
        If a chain degenerates; ``place`` names the model.
    """
    spread = np.sqrt(np.diag(reduced.scale) / reduced.dof)
    chains = [
        cone_gibbs.sample(
            cones.start(spread, own),
            reduced.scale,
            reduced.dof,
            cones.rows,
            cones.ends,
            draws=draws,
            burn_in=BURN_IN,
            thin=THIN,
            rng=own,
        )
        for own in rng.spawn(CHAINS)
    ]
    found = np.array(chains)
    if not np.isfinite(found).all():
        raise DiagnosticsError(
            f"{place}: a chain met a singular impact matrix within its cones and lost its"
            " numbers; use another seed, or drop cells that make two columns alike"
        )
    return found


def _refuse_infeasible(
    table: str, channel: str, rows: np.ndarray, place: np.ndarray, own: list[Cell]
) -> None:
    if separation.feasible(rows):
        return
    guilty = sorted({int(place[row]) for row in separation.conflict(rows)[0]} - {-1})
    claims = ", ".join(f"{own[i].variable} {own[i].claim}" for i in guilty)
    raise IdentificationError(
        f"table '{table}', channel '{channel}': no shock can satisfy {claims} together; widen or"
        " remove one of them"
    )


def _inside(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a random point of a cone (variable,); rows are over variables of unit spread."""
    n = rows.shape[1]
    length = np.linalg.norm(rows, axis=1)
    unit = rows[length > 0] / length[length > 0][:, None]
    deepest = linprog(
        np.append(np.zeros(n), -1.0),
        A_ub=np.column_stack([-unit, np.ones(len(unit))]),
        b_ub=np.zeros(len(unit)),
        bounds=[(-1.0, 1.0)] * n + [(None, 1.0)],
        method="highs",
    )
    center = deepest.x[:n]
    chord = rng.standard_normal(n)
    depth, pace = unit @ center, unit @ chord
    with np.errstate(divide="ignore"):
        reach = -depth / pace
    low = max(np.max(reach, where=pace > 0, initial=-1.0), -1.0)
    high = min(np.min(reach, where=pace < 0, initial=1.0), 1.0)
    point: np.ndarray = center + rng.uniform(0.9 * low, 0.9 * high) * chord
    return point
