r"""Values of restrictions on every column of a rotation in; accepted, weighted assignments out.

A restriction is a row :math:`r'\Theta_h q \ge 0` on the response, at some horizon, to the shock in
column q of a rotation.  One rotation serves as many candidates as there are ways to name its
columns (``attribution.core.rotations.assign``).

Reduced form and rotation are accepted *jointly*: every reduced-form draw gets the same number of
rotations and keeps what passes.  Retrying until something passes would change the posterior, and
make it depend on the patience of the program.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.core.rotations.assign import named, namings, taken
from attribution.core.rotations.haar import haar
from attribution.core.rotations.holds import Line, narrowed, stack


@dataclass(frozen=True)
class Accepted:
    """What passed.

    Attributes
    ----------
    draw : (accepted,) int; the reduced-form draw.
    columns : (accepted, variable, channel); named columns of the rotation, signs included.
    weight : (accepted,); number of valid namings of the rotation.
    tried : rotations; ``namings`` candidates each.
    namings : signed ways to name the columns of one rotation.
    sole : (row,); candidates for a channel's column that this row alone turned away.
    """

    draw: np.ndarray
    columns: np.ndarray
    weight: np.ndarray
    tried: int
    namings: int
    sole: np.ndarray

    @property
    def rate(self) -> float:
        """Share of candidates that plain rejection would have accepted."""
        return float(self.weight.sum()) / (self.tried * self.namings)

    @property
    def ess(self) -> float:
        r"""Effective size of the weighted sample, :math:`(\sum w)^2 / \sum w^2`."""
        square = float((self.weight**2).sum())
        return float(self.weight.sum()) ** 2 / square if square else 0.0


def accept(
    rows: np.ndarray,
    ends: np.ndarray,
    *,
    rotations: int,
    rng: np.random.Generator,
) -> Accepted:
    r"""Try the same number of rotations on every reduced-form draw and keep all that pass.

    Parameters
    ----------
    rows : (draw, row, variable); restrictions of all channels, stacked, as functionals of a column
        of Q: :math:`r' \Psi_h P` for a row r on the response at horizon h.  Row i passes where
        its value is not negative.
    ends : (channel,) int; where each channel's rows end.
    rotations : per reduced-form draw.

    References
    ----------
    rubioramirez2010; arias2018; chan2026
    """
    draws, count, n = rows.shape
    owner = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
    claims = stack(Line(int(k), i, 1.0, i, 0.0, 0.0) for i, k in enumerate(owner))
    every = np.full((len(ends), 2), (1 << n) - 1)
    kept_draw, kept_columns, kept_weight = [], [], []
    sole = np.zeros(count, dtype=np.int64)
    for _ in range(rotations):
        q = haar(n, draws, rng)
        masks = narrowed(rows, np.arange(draws), q, claims, every)
        weight, order = named(masks, n, rng)
        passed = np.flatnonzero(weight)
        kept_draw.append(passed)
        kept_columns.append(taken(q[passed], order[passed, : len(ends)]))
        kept_weight.append(weight[passed])
        sole += _sole(rows @ q, owner)
    return Accepted(
        draw=np.concatenate(kept_draw),
        columns=np.concatenate(kept_columns),
        weight=np.concatenate(kept_weight),
        tried=draws * rotations,
        namings=namings(len(ends), n),
        sole=sole,
    )


def _sole(values: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Count, for each row, the signed columns that it alone of its channel's rows turns away."""
    channels = owner == np.arange(owner.max(initial=-1) + 1)[:, None]
    counts = np.zeros(len(owner), dtype=np.int64)
    for fails in (values < 0, values > 0):
        number = np.einsum("kr,drc->dkc", channels.astype(np.int64), fails.astype(np.int64))
        counts += (fails & (number[:, owner] == 1)).sum((0, 2))
    return counts


def complete(columns: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add unnamed columns, uniform given the named ones, to a rotation (accepted, n, n)."""
    accepted, n, named = columns.shape
    free = rng.standard_normal((accepted, n, n - named))
    free -= columns @ (columns.swapaxes(1, 2) @ free)
    q, r = np.linalg.qr(free)
    q = q * np.copysign(1.0, np.diagonal(r, axis1=1, axis2=2))[:, None, :]
    return np.concatenate([columns, q], axis=2)
