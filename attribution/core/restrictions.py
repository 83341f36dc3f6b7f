r"""Values of restrictions on every column of a rotation in; accepted, weighted assignments out.

A restriction is a row :math:`r'\Theta_h q \ge 0` on the response, at some horizon, to the shock in
column q of a rotation.  Haar measure is invariant under signed permutations of columns, so one
rotation serves as many candidates as there are ways to name its columns: take one valid naming
uniformly, with the number of valid namings as its weight, and the posterior is that of plain
rejection (Chan, Matthes and Yu 2026, Proposition 1).

Reduced form and rotation are accepted *jointly*: every reduced-form draw gets the same number of
rotations and keeps what passes.  Retrying until something passes would change the posterior, and
make it depend on the patience of the program.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from attribution.core.rotations import haar


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
    bounds = np.concatenate([[0], ends]).astype(np.int64)
    channels = len(bounds) - 1
    kept_draw, kept_columns, kept_weight = [], [], []
    sole = np.zeros(count, dtype=np.int64)
    for _ in range(rotations):
        q = haar(n, draws, rng)
        weight, naming = _name_columns(rows @ q, bounds, rng.random(draws), sole)
        passed = np.flatnonzero(weight)
        chosen = naming[passed]
        columns = np.take_along_axis(q[passed], np.abs(chosen)[:, None, :] - 1, axis=2)
        kept_draw.append(passed)
        kept_columns.append(columns * np.sign(chosen)[:, None, :])
        kept_weight.append(weight[passed])
    return Accepted(
        draw=np.concatenate(kept_draw),
        columns=np.concatenate(kept_columns),
        weight=np.concatenate(kept_weight).astype(float),
        tried=draws * rotations,
        namings=2**channels * int(np.prod(np.arange(n - channels + 1, n + 1))),
        sole=sole,
    )


def horizon_rows(
    rows: np.ndarray, horizons: int, lag_coefficients: np.ndarray, factor: np.ndarray
) -> np.ndarray:
    r"""Impose each row at horizons 0 ... ``horizons``: :math:`r' \Psi_h P`.

    Parameters
    ----------
    rows : (row, variable); on the response.
    lag_coefficients : (draw, lag, variable, regressor).
    factor : (draw, variable, variable), P.

    Returns
    -------
    (draw, (horizons + 1) rows, variable).
    """
    from attribution.core.propagate import responses

    theta = responses(lag_coefficients, factor, horizons)
    stacked = rows @ theta
    return np.ascontiguousarray(stacked.reshape(len(theta), -1, factor.shape[-1]))


def complete(columns: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add unnamed columns, uniform given the named ones, to a rotation (accepted, n, n)."""
    accepted, n, named = columns.shape
    free = rng.standard_normal((accepted, n, n - named))
    free -= columns @ (columns.swapaxes(1, 2) @ free)
    q, r = np.linalg.qr(free)
    q = q * np.copysign(1.0, np.diagonal(r, axis1=1, axis2=2))[:, None, :]
    return np.concatenate([columns, q], axis=2)


@njit(cache=True, nogil=True)
def _name_columns(values, bounds, uniform, sole):  # type: ignore[no-untyped-def]
    """Count valid namings of each rotation and pick one: signed, one-based columns, 0 if none."""
    draws, _, n = values.shape
    channels = bounds.shape[0] - 1
    weight = np.zeros(draws, dtype=np.int64)
    naming = np.zeros((draws, channels), dtype=np.int64)
    fits = np.zeros((channels, n), dtype=np.int64)
    for d in range(draws):
        for k in range(channels):
            for c in range(n):
                below, above, last_below, last_above = 0, 0, 0, 0
                for r in range(bounds[k], bounds[k + 1]):
                    if values[d, r, c] < 0.0:
                        below += 1
                        last_below = r
                    elif values[d, r, c] > 0.0:
                        above += 1
                        last_above = r
                fits[k, c] = 1 if below == 0 else (-1 if above == 0 else 0)
                if below == 1:
                    sole[last_below] += 1
                if above == 1:
                    sole[last_above] += 1
        weight[d] = _walk(fits, -1, naming[d])
        if weight[d] > 0:
            _walk(fits, int(uniform[d] * weight[d]), naming[d])
    return weight, naming


@njit(cache=True, nogil=True)
def _walk(fits, stop, out):  # type: ignore[no-untyped-def]
    """Count assignments of distinct columns to channels; write the one with number ``stop``."""
    channels, n = fits.shape
    at = np.full(channels, -1)
    used = np.zeros(n, dtype=np.bool_)
    found, k = 0, 0
    while k >= 0:
        if at[k] >= 0:
            used[at[k]] = False
        c = at[k] + 1
        while c < n and (used[c] or fits[k, c] == 0):
            c += 1
        if c == n:
            at[k] = -1
            k -= 1
            continue
        at[k] = c
        used[c] = True
        if k + 1 < channels:
            k += 1
        else:
            if found == stop:
                for m in range(channels):
                    out[m] = fits[m, at[m]] * (at[m] + 1)
                return found
            found += 1
    return found
