"""Claims on impact in; a refusal, by linear programming, where no shock can satisfy them."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

from attribution.core.rotations import separation
from attribution.core.rotations.claim_rows import Line
from attribution.errors import IdentificationError
from attribution.var.identify.claims import Claim, Claims


def refuse_infeasible(table: str, claims: Claims) -> None:
    """Refuse a channel whose claims on impact leave no impact column, whatever the data.

    Signs, elasticities, bounds and zeros of the period of the shock count.

    Raises
    ------
    IdentificationError
        Names an irreducible set of claims that cannot hold together.
    """
    for channel, name in enumerate(claims.channels):
        guilty = _no_cone(claims, channel) or _no_point(claims, channel)
        if guilty:
            words = " and ".join(claims.claims[number].words for number in guilty)
            raise IdentificationError(
                f"table '{table}', channel '{name}': no shock can satisfy {words} together; widen"
                " or remove one of them"
            )


def _no_cone(claims: Claims, channel: int) -> list[int]:
    """Claims, by number, whose directions leave no impact column with room to spare."""
    n = len(claims.variables)
    rows, owners = [np.zeros(n)], [-1]
    for number, claim in enumerate(claims.claims):
        own = _rows(claim, channel, n)
        rows += own
        owners += [number] * len(own)
    cone = np.array(rows)
    if separation.feasible(cone):
        return []
    return sorted({owners[row] for row in separation.conflict(cone)[0]} - {-1})


def _no_point(claims: Claims, channel: int) -> list[int]:
    """Claims, by number, that no impact column satisfies: an irreducible set of them."""
    n = len(claims.variables)
    kept = [k for k, claim in enumerate(claims.claims) if _rows(claim, channel, n)]
    if not _impossible([claims.claims[k] for k in kept], channel, n):
        return []
    for number in tuple(kept):
        trial = [k for k in kept if k != number]
        if _impossible([claims.claims[k] for k in trial], channel, n):
            kept = trial
    return kept


def _impossible(some: list[Claim], channel: int, n: int) -> bool:
    lines = [line for claim in some for line in _lines(claim, channel, n)]
    zeros = [z for claim in some for z in _impact_zeros(claim, channel)]
    if not any(line.offset > 0 for line in lines):
        return False  # no response at all satisfies the rest
    solution = linprog(
        np.zeros(n),
        A_ub=-np.array([_row(line, n) for line in lines]),
        b_ub=-np.array([line.offset for line in lines]),
        A_eq=np.eye(n)[zeros] if zeros else None,
        b_eq=np.zeros(len(zeros)) if zeros else None,
        bounds=(None, None),
        method="highs",
    )
    return bool(solution.status == 2)


def _rows(claim: Claim, channel: int, n: int) -> list[np.ndarray]:
    """Rows r with r'h >= 0 that a claim implies for the channel's impact column."""
    # a negative offset is an open interval around zero and implies no direction
    rows = [_row(line, n) for line in _lines(claim, channel, n) if line.offset >= 0]
    for variable in _impact_zeros(claim, channel):
        rows += [np.eye(n)[variable], -np.eye(n)[variable]]
    return rows


def _row(line: Line, n: int) -> np.ndarray:
    row = np.zeros(n)
    row[line.at] += line.gain
    row[line.base] += line.base_gain
    return row


def _lines(claim: Claim, channel: int, n: int) -> list[Line]:
    """Half-spaces of the channel's impact column."""
    lines = [part for part in claim.parts if isinstance(part, Line)]
    return [line for line in lines if line.channel == channel and max(line.functionals) < n]


def _impact_zeros(claim: Claim, channel: int) -> list[int]:
    """Variables that the channel's shock leaves alone on impact."""
    return [z.variable for z in claim.zeros if z.channel == channel and z.horizon == 0]
