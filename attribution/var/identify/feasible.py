"""Claims on impact in; a refusal, by linear programming, where no shock can satisfy them.

A table names a column in every draw anew.  Where its claims fit several of the columns that the
law tells apart, the name goes from one to the next, and what is summed under it is a mixture of
different shocks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from attribution.core.rotations import separation
from attribution.core.rotations.holds import Line
from attribution.errors import IdentificationError
from attribution.finding import SURE, Finding
from attribution.sampling.diagnostics import mean_with_error
from attribution.var.identify.claims import Claim, Claims
from attribution.var.identify.labels import likeness


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


@dataclass(frozen=True)
class Carriers:
    """Columns told apart by likeness, without names, and the names that they carry.

    Attributes
    ----------
    share : (name, column); share of draws, weights honoured, in which the column carries the name.
        Column i is the one that explains most of variable i's impact variance, one each.
    surest, error : (name,); the largest share of one column one way up, and its Monte Carlo error.
    impact : (variable, column); posterior mean, each column moving its variable up.
    ambiguous : share of draws whose columns could as well be matched otherwise.
    """

    share: np.ndarray
    surest: np.ndarray
    error: np.ndarray
    impact: np.ndarray
    ambiguous: float


def carriers(impact: np.ndarray, weight: np.ndarray, names: int) -> Carriers:
    """Match the columns of named draws among themselves, whatever they are called.

    Parameters
    ----------
    impact : (chain, draw, variable, shock); the named shocks first.
    weight : (chain, draw).
    names : how many shocks are named.

    References
    ----------
    stephens2000
    """
    found = likeness(impact)
    order = found.naming.order[..., None, :]
    called = np.arange(1, names + 1)[:, None]
    ways = np.stack([order == called, order == -called])  # (way up, chain, draw, name, column)
    held = np.einsum("wcdkj,cd->wkj", ways.astype(float), weight / weight.sum())
    best = [np.unravel_index(held[:, k].argmax(), held[:, k].shape) for k in range(names)]
    chances = [
        mean_with_error(ways[way, ..., k, column].astype(float), weight)
        for k, (way, column) in enumerate(best)
    ]
    surest, error = (np.array(values) for values in zip(*chances, strict=True))
    matched = found.naming.columns(impact)
    mean = np.einsum("cdvj,cd->vj", matched, weight / weight.sum())
    return Carriers(held.sum(0), surest, error, mean, found.ambiguous)


def names_finding(
    found: Carriers, names: tuple[str, ...], variables: tuple[str, ...], obeyed: str
) -> Finding:
    """Ask whether each name stands for one and the same shock.

    Parameters
    ----------
    obeyed : how many draws obey the table, in words.
    """
    worst = int(found.surest.argmin())
    p, error = float(found.surest[worst]), float(found.error[worst])
    said = "; ".join(
        f"{name} is carried by the shock of "
        + ", ".join(f"{variables[i]} in {row[i]:.2f}" for i in np.argsort(-row) if row[i] >= 0.005)
        + f" of the draws, by one of them one way up in {sure:.2f}"
        for name, row, sure in zip(names, found.share, found.surest, strict=True)
    )
    sure = p - 2.0 * error >= SURE
    lost = p + 2.0 * error < SURE
    return Finding(
        name="names",
        question="Does each name stand for one and the same of the shocks that the law finds?",
        evidence=(
            f"{obeyed}; {said}"
            + (
                ""
                if sure
                else ": what is reported under such a name is a mixture of different shocks; group"
                " columns holds the shocks without names; add claims that only one of them obeys"
            )
        ),
        verdict="holds" if sure else "fails" if lost else "undecided",
        probability=p,
        error=error,
    )
