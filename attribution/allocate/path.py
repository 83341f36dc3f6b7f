"""A smooth model of intensities in; contributions along the path from all off to all on out."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from attribution.allocate.allocation import Allocation, named
from attribution.allocate.simulate import Simulate, outcomes
from attribution.errors import DataError, SpecError

WHERE = "aumann_shapley"
COARSEST = 2
LEVELS = (4, 8)
"""Fewest and most refinements; the last has 256 cells."""


def aumann_shapley(
    simulate: Simulate,
    players: Iterable[str],
    *,
    unit: str,
    observed: float | None = None,
    tolerance: float = 1e-6,
) -> Allocation:
    r"""Return contributions when all mechanisms are turned up together.

    .. math:: \phi_i = \int_0^1 \frac{\partial v}{\partial z_i}(t, \dots, t)\, dt

    No derivative is taken.  The diagonal is cut into m cells; in each, players are turned up one
    by one, in an order and in its reverse,

    .. math:: \phi_i^{(m)} = \tfrac12 \sum_{k=1}^m [\Delta_i(\pi, k) + \Delta_i(\pi', k)]
        = \phi_i + c_1 m^{-2} + c_2 m^{-4} + \dots,

    and the even powers are removed by Richardson's extrapolation (Romberg).  Steps telescope, so
    contributions add up at any m, where a quadrature of derivatives would add up only in the
    limit.  Two pairs of orders are followed; where v jumps they disagree, and the rule refuses.

    It is the Shapley value if v is multilinear in the intensities, or any polynomial of degree
    two; in general it is not, for it also sees what v does between off and on.

    Parameters
    ----------
    simulate : intensities (point, player) in [0, 1] -> (draw, point), in ``unit``.
    players : names.
    unit : of the outcome.
    observed : what was seen; in ``unit``.
    tolerance : largest error, relative to the sum of absolute contributions of the draw.

    Returns
    -------
    Contributions whose ``error``, one for all players of a draw, is the most that the last two
    refinements moved one of them, or half of what the two pairs of orders differ by, if more.
    Where the outcome bends the true error exceeds it in about one draw of a hundred.

    Raises
    ------
    DataError
        If 256 cells are not enough, because v bends or jumps on the path.
    SpecError
        If the tolerance is not above zero, or names cannot be used.

    References
    ----------
    aumann1974; owen1972
    """
    names = named(players, WHERE)
    if not 0 < tolerance < 1:
        raise SpecError(f"{WHERE}: tolerance is {tolerance}; give a number between 0 and 1")
    n = len(names)
    ends = _call(simulate, np.array([[0.0], [1.0]]) * np.ones(n), names)
    row: list[np.ndarray] = []
    best: list[np.ndarray] = []
    for level in range(LEVELS[1]):
        finer = np.stack([_cells(simulate, names, COARSEST << level, turn) for turn in (0, 1)])
        row = _romberg(row, finer)
        best.append(row[-1].mean(0))
        error, scale = _error(best, row[-1]), np.abs(best[-1]).sum(1)
        if level + 1 >= LEVELS[0] and (error <= tolerance * scale).all():
            total = ends[:, 1] - ends[:, 0]
            spread = np.repeat(error[:, None], n, 1)
            return Allocation(
                "aumann-shapley", names, best[-1], ends[:, 0], total, unit, observed, spread
            )
    relative = np.divide(error, scale, out=np.zeros_like(error), where=scale > 0)
    draw = int(np.argmax(relative))
    raise DataError(
        f"{WHERE}: with {COARSEST << level} cells contributions of draw {draw} are known only to"
        f" {error[draw]:.1e} {unit}, because the outcome bends or jumps on the path; allow"
        f" tolerance={1.1 * relative[draw]:.1e} or use shapley"
    )


def _error(best: list[np.ndarray], pair: np.ndarray) -> np.ndarray:
    """Error (draw,): the most that two refinements moved a player, or that two paths differ.

    One refinement may leave a player where it was by chance, where the outcome bends.
    """
    moved = [np.abs(a - b).max(1) for a, b in zip(best[-3:], best[-2:], strict=False)]
    found: np.ndarray = np.maximum.reduce([np.abs(pair[0] - pair[1]).max(1) / 2, *moved])
    return found


def _romberg(row: list[np.ndarray], finer: np.ndarray) -> list[np.ndarray]:
    """Next row of the extrapolation from the last one; its last entry is the best."""
    found = [finer]
    for power, coarse in enumerate(row, start=1):
        found.append(found[-1] + (found[-1] - coarse) / (4.0**power - 1.0))
    return found


def _cells(simulate: Simulate, names: tuple[str, ...], cells: int, turn: int) -> np.ndarray:
    """Contributions (draw, player) over ``cells`` cells, an order and its reverse averaged.

    A cell starts at its lower corner; behind it stand the points of the order, then those of the
    reverse; its upper corner is the lower one of the next.
    """
    n = len(names)
    order = np.roll(np.arange(n), -turn)
    rank = np.argsort(order)
    steps = np.arange(1, n)[:, None]
    raised = np.concatenate((np.zeros((1, n), bool), rank < steps, n - 1 - rank < steps))
    low = np.arange(cells)[:, None, None] / cells
    high = np.arange(1, cells + 1)[:, None, None] / cells
    points = np.where(raised, high, low).reshape(-1, n)
    values = _call(simulate, np.concatenate((points, np.ones((1, n)))), names)
    inner = values[:, :-1].reshape(len(values), cells, -1)
    corner = np.concatenate((inner[:, :, 0], values[:, -1:]), 1)[:, :, None]
    total = np.zeros((len(values), n))
    for path, who in ((inner[:, :, 1:n], order), (inner[:, :, n:], order[::-1])):
        steps_up = np.diff(np.concatenate((corner[:, :-1], path, corner[:, 1:]), 2), axis=2)
        total[:, who] += steps_up.sum(1) / 2
    return total


def _call(simulate: Simulate, points: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Outcomes (draw, point); a point that fails is named by its intensities."""

    def where_on(row: int) -> str:
        pairs = zip(names, points[row], strict=True)
        return ", ".join(f"{player} {share:.4g}" for player, share in pairs)

    return outcomes(simulate, points, where_on, where=WHERE, what="points")
