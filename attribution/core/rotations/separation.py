"""Rows of an identification table in; whether the data could ever tell two channels apart out.

A channel's cells bound its elasticities and so cut a convex cone out of the space of impact
columns.  Two channels whose cones share an interior point can trade labels: no amount of data
separates them.  Every question here is a small linear programme.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linprog

Bound = tuple[int, float, float]
"""Index of a variable, lower and upper bound of its elasticity; an infinite end is open."""

INTERIOR = 1e-9
"""A slack below this is zero to the solver's feasibility tolerance."""

NORMALISATION = -1


def cone_rows(
    cells: Sequence[Bound], *, variables: int, outcome: int, direction: int
) -> np.ndarray:
    r"""Turn the cells of one channel into rows :math:`R` with :math:`R h \ge 0`.

    .. math:: d\,h_o \ge 0, \qquad \mathrm{low}\; d\,h_o \le h_v \le \mathrm{high}\; d\,h_o

    Parameters
    ----------
    cells : index of the variable and the bounds of its response, in its own unit, per unit by
        which the shock moves the outcome in ``direction``.
    variables : length of an impact column.
    outcome : index of the outcome, o.
    direction : sign of the outcome's response, d.

    Returns
    -------
    (row, variable); the normalisation first, then the cells in their order (see ``row_cells``).
    """
    rows = [np.zeros(variables)]
    rows[0][outcome] = direction
    for variable, low, high in cells:
        for bound, side in _ends(low, high):
            row = np.zeros(variables)
            row[variable] += side
            row[outcome] -= side * bound * direction
            rows.append(row)
    return np.array(rows)


def row_cells(cells: Sequence[Bound]) -> tuple[int, ...]:
    """Return the index of the cell behind each row of ``cone_rows``; −1 for the normalisation."""
    owners = [NORMALISATION]
    for index, (_, low, high) in enumerate(cells):
        owners += [index] * len(_ends(low, high))
    return tuple(owners)


def slack(*cones: np.ndarray) -> float:
    r"""Return how deep inside all cones at once an impact column can lie.

    .. math:: \max_{h, t} t \quad \text{s.t.}\quad R h \ge t,\ |h| \le 1

    with rows scaled to length one.  A row that occurs with its negative inside *one* cone is an
    equality (a zero restriction) and carries no slack, except the first, the normalisation.

    Returns
    -------
    At most one; not above ``INTERIOR`` if the cones share no interior point.
    """
    width = cones[0].shape[1]
    rows, equal = _stack(cones)
    column = np.where(equal, 0.0, 1.0)
    solution = linprog(
        np.append(np.zeros(width), -1.0),
        A_ub=np.column_stack([-rows, column]),
        b_ub=np.zeros(len(rows)),
        bounds=[(-1.0, 1.0)] * width + [(None, 1.0)],
        method="highs",
    )
    return _value(solution)


def feasible(rows: np.ndarray) -> bool:
    """Whether one channel's cells leave an impact column (relative interior not empty)."""
    return slack(rows) > INTERIOR


def separated(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether no impact column satisfies the rows of both channels with room to spare."""
    return slack(first, second) <= INTERIOR


def touching(*cones: np.ndarray) -> bool:
    """Whether some impact column satisfies all rows exactly, if only on the boundary.

    Cones that are separated but touch (one channel's bound begins where the other's ends) are
    told apart by the bound alone: columns near it fit both channels about equally well.
    """
    rows = np.vstack(cones)
    solution = linprog(
        np.zeros(rows.shape[1]),
        A_ub=-rows,
        b_ub=np.zeros(len(rows)),
        A_eq=rows[:1],  # the normalisation: the shock moves the outcome by one unit
        b_eq=[1.0],
        bounds=(None, None),
        method="highs",
    )
    return bool(solution.status == 0)


def conflict(*cones: np.ndarray) -> tuple[tuple[int, ...], ...]:
    r"""Irreducible set of rows that cannot hold together: the proof of a separation.

    By Gordan's theorem :math:`R h > 0` has no solution exactly if some :math:`y \ge 0`, not zero,
    has :math:`R' y = 0`; the support of a vertex of that set is an irreducible subset (Gleeson
    and Ryan 1990).  A deletion pass removes what rounding may have left.

    Returns
    -------
    For each cone, the indices of its rows in the subset; empty for every cone if the rows can
    hold together.
    """
    rows, equal = _stack(cones)
    if slack(*cones) > INTERIOR:
        return tuple(() for _ in cones)
    ends = np.cumsum([len(cone) for cone in cones])
    cost = np.ones(len(rows))
    cost[ends - [len(cone) for cone in cones]] = 0.0  # the normalisation, before any cell
    keep = [int(row) for row in np.flatnonzero(_certificate(rows, equal, cost))]
    for row in tuple(keep):
        trial = [other for other in keep if other != row]
        if trial and _certificate(rows[trial], equal[trial], cost[trial]).any():
            keep = trial
    return tuple(
        tuple(row - int(end) + len(cone) for row in keep if end - len(cone) <= row < end)
        for cone, end in zip(cones, ends, strict=True)
    )


def masquerade(target: np.ndarray, others: Sequence[np.ndarray]) -> float:
    r"""Slack with which a sum of other channels' columns satisfies a channel (Wolf 2020).

    .. math:: \max t \quad \text{s.t.}\quad R_k \textstyle\sum_j x_j \ge t,\ R_j x_j \ge 0,\
        |x_j| \le 1

    Pairwise separation does not rule this out: two shocks that strike together may look like a
    third.

    Returns
    -------
    At most one; not above ``INTERIOR`` if no such sum exists (also if there is no other channel).
    """
    if not others:
        return 0.0
    width, count = target.shape[1], len(others)
    rows, equal = _stack((target,))
    blocks = [np.column_stack([np.tile(-rows, count), np.where(equal, 0.0, 1.0)])]
    for position, cone in enumerate(others):
        block = np.zeros((len(cone), width * count + 1))
        block[:, position * width : (position + 1) * width] = -_unit(cone)
        blocks.append(block)
    table = np.vstack(blocks)
    solution = linprog(
        np.append(np.zeros(width * count), -1.0),
        A_ub=table,
        b_ub=np.zeros(len(table)),
        bounds=[(-1.0, 1.0)] * (width * count) + [(None, 1.0)],
        method="highs",
    )
    return _value(solution)


def _ends(low: float, high: float) -> list[tuple[float, int]]:
    """Return the finite ends of an interval, each with the sign of its inequality."""
    return [(end, side) for end, side in ((low, 1), (high, -1)) if np.isfinite(end)]


def _unit(rows: np.ndarray) -> np.ndarray:
    """Scale rows to length one; a row of zeros (it repeats the normalisation) stays zero."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: np.ndarray = rows / np.where(length > 0, length, 1.0)
    return unit


def _stack(cones: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Stack the unit rows of all cones, and say which carry no slack: equalities, rows of zeros."""
    units = [_unit(cone) for cone in cones]
    equal = []
    for unit in units:
        opposite = np.isclose(unit @ unit.T, -1.0)
        opposite[0] = opposite[:, 0] = False  # a shock that never moves the outcome is no channel
        equal.append(opposite.any(1) | ~unit.any(1))
    return np.vstack(units), np.concatenate(equal)


def _certificate(rows: np.ndarray, equal: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """Mark the rows with a positive multiplier at a vertex of Gordan's alternative, if any."""
    solution = linprog(
        cost,
        A_eq=np.vstack([rows.T, np.where(equal, 0.0, 1.0)]),
        b_eq=np.append(np.zeros(rows.shape[1]), 1.0),
        method="highs-ds",
    )
    if solution.status == 2:
        return np.zeros(len(rows), dtype=bool)
    positive: np.ndarray = solution.x > INTERIOR
    return positive


def _value(solution: object) -> float:
    """Return the optimal slack of a programme that is feasible at zero by construction."""
    status, fun = getattr(solution, "status", None), getattr(solution, "fun", None)
    if status != 0 or fun is None:
        raise ArithmeticError(f"the linear programme of the table did not solve (status {status})")
    return -float(fun)
