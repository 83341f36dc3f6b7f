"""Draws named by a table in; which of the columns that the law finds carry each name, out.

A table names a column in every draw anew.  Where its claims fit several of the columns that the
law tells apart, the name goes from one to the next, and what is summed under it is a mixture of
different shocks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.finding import SURE, Finding
from attribution.sampling.diagnostics import mean_with_error
from attribution.var.identify.labels import likeness


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
