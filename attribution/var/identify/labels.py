"""Impact matrices whose columns carry no names in; columns named by a table or by likeness out.

Where the likelihood pins the columns of H down (a law per shock), it does so up to their order and
signs, and a Gibbs sampler wanders among the :math:`2^n n!` copies of each answer, or stays in one
of them by accident.  Summaries before naming mean nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from attribution.core.rotations.naming import anchored, match, name_uniformly, reordered
from attribution.errors import IdentificationError

STARTS, ROUNDS, MOST = 8, 10, 500
"""Draws tried as first reference; rounds of matching and averaging; draws that choose it."""
CLEAR = 0.5
"""Lead over the second best naming below which a draw is ambiguous; 2 is an exact match."""
AMBIGUOUS = 0.1
"""Largest share of ambiguous draws with which shocks still count as told apart."""

Fits = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Claims as a function: impact (draw, variable, column) and lag coefficients (draw, lag, variable,
regressor) in; (draw, channel, column) out, bit 1 where the column satisfies all of the channel's
claims as it is, bit 2 where it does with its sign turned."""
Pairs = tuple[np.ndarray, Fits]
"""Claims on two channels: (pair, 2) channels, and a function to (draw, pair, column, column) with
bit 2 t + s (s, t: the first, the second column turned) where all of the pair's claims hold."""


@dataclass(frozen=True)
class Naming:
    """Names for the columns of every draw.

    Attributes
    ----------
    order : (chain, draw, shock) int; the column of each shock, one-based, negative where turned.
        Named shocks first; unnamed columns follow in the order in which they came.
    weight : (chain, draw); number of valid namings, zero where there is none.  By likeness, one.
    channels : how many of the shocks are named.
    """

    order: np.ndarray
    weight: np.ndarray
    channels: int

    @property
    def rate(self) -> float:
        """Share of signed orders of the columns that satisfy the claims, over all draws."""
        n = self.order.shape[-1]
        namings = 2.0**self.channels * np.prod(np.arange(n - self.channels + 1.0, n + 1))
        return float(self.weight.mean()) / float(namings)

    @property
    def kept(self) -> float:
        """Share of draws that some naming satisfies."""
        return float((self.weight > 0).mean())

    @property
    def ess(self) -> float:
        r"""Effective size of independent draws with these weights, :math:`(\sum w)^2/\sum w^2`."""
        square = float((self.weight.astype(float) ** 2).sum())
        return float(self.weight.sum()) ** 2 / square if square else 0.0

    def columns(self, array: np.ndarray) -> np.ndarray:
        """Reorder the last axis of (chain, draw, ..., column) and turn signs: impact, shocks."""
        return np.asarray(self.reordered(array) * np.sign(self._spread(array)))

    def reordered(self, array: np.ndarray) -> np.ndarray:
        """Reorder the last axis, signs left: scales, hyperparameters, shares."""
        return np.asarray(np.take_along_axis(array, np.abs(self._spread(array)) - 1, axis=-1))

    def accepted(self) -> np.ndarray:
        """Return draws with a valid naming (chain, kept), as many of every chain, earliest first.

        Raises
        ------
        IdentificationError
            If a chain has none.
        """
        valid = self.weight > 0
        count = int(valid.sum(1).min())
        if count == 0:
            raise IdentificationError(
                f"no naming of the shocks satisfies the table in any of the {valid.shape[1]} draws"
                " of some chain: the claims contradict what the error law says of the shocks; widen"
                " them or drop a channel"
            )
        first = np.argsort(~valid, axis=1, kind="stable")[:, :count]
        return first

    def _spread(self, array: np.ndarray) -> np.ndarray:
        lead = self.order.shape[:2]
        middle = (1,) * (array.ndim - 3)
        return self.order.reshape(*lead, *middle, -1)


@dataclass(frozen=True)
class Likeness:
    """Columns named by likeness to a reference.

    Attributes
    ----------
    naming : the names.
    reference : (variable, shock); unit of the variable.
    ambiguous : share of draws whose best naming hardly beats the second best.
    """

    naming: Naming
    reference: np.ndarray
    ambiguous: float


def name_by_table(
    impact: np.ndarray,
    lag_coefficients: np.ndarray,
    fits: Fits,
    *,
    rng: np.random.Generator,
    pairs: Pairs | None = None,
) -> Naming:
    r"""Name the columns of every draw by the claims of the channels.

    The posterior under the claims is the posterior without, restricted: the prior and the
    likelihood are invariant to signed permutations of the shocks, so a draw stands for all its
    copies.  One valid copy is taken uniformly, and the number of valid ones is the draw's weight.

    Parameters
    ----------
    impact : (chain, draw, variable, column).
    lag_coefficients : (chain, draw, lag, variable, regressor).
    fits, pairs : claims on one channel each, and on two; see ``Fits`` and ``Pairs``.

    Returns
    -------
    Naming
        Weight zero where no naming is valid: such draws are outside the posterior.

    References
    ----------
    chan2026, Proposition 1
    """
    lead, n = impact.shape[:2], impact.shape[-1]
    flat = impact.reshape(-1, n, n)
    lags = lag_coefficients.reshape(-1, *lag_coefficients.shape[2:])
    bits = fits(flat, lags)
    index = np.empty((0, 2), np.int64) if pairs is None else pairs[0]
    none = np.empty((len(flat), 0, n, n), np.int64)
    together = none if pairs is None else pairs[1](flat, lags)
    weight, chosen = name_uniformly(bits, index, together, rng.random(len(flat)))
    order = _completed(chosen, n)
    return Naming(order.reshape(*lead, n), weight.reshape(lead), chosen.shape[1])


def name_by_likeness(impact: np.ndarray, reference: np.ndarray | None = None) -> Likeness:
    """Name the columns of every draw by likeness to a reference; see ``likeness``.

    Raises
    ------
    IdentificationError
        If more than a tenth of the draws could as well be named otherwise.
    """
    found = likeness(impact, reference)
    if found.ambiguous > AMBIGUOUS:
        raise IdentificationError(
            f"the shocks cannot be told apart: {100 * found.ambiguous:.0f} % of the draws could as"
            " well be named otherwise; the error law identifies too little here, so name the shocks"
            " by a table or use another scheme"
        )
    return found


def likeness(impact: np.ndarray, reference: np.ndarray | None = None) -> Likeness:
    r"""Match the columns of every draw to those of a reference, of the draws' own making.

    The distance is :math:`\lVert H_{ref}^{-1} H P - I \rVert`, which knows no units.  Without a
    reference, matching and averaging alternate from several draws, and the reference that the
    draws are closest to is kept; its columns are ordered by the variable whose impact variance
    they explain, one each, and move it up.

    Parameters
    ----------
    impact : (chain, draw, variable, column).
    reference : (variable, column).

    References
    ----------
    stephens2000
    """
    lead, n = impact.shape[:2], impact.shape[-1]
    flat = impact.reshape(-1, n, n)
    center = _center(flat) if reference is None else reference
    order, lead_of = match(np.linalg.solve(center, flat))
    naming = Naming(order.reshape(*lead, n), np.ones(lead, np.int64), n)
    return Likeness(naming, center, float((lead_of < CLEAR).mean()))


def _completed(chosen: np.ndarray, n: int) -> np.ndarray:
    """Append the columns that no channel took, in order of their number."""
    draws, named = chosen.shape
    free = np.ones((draws, n + 1), bool)
    np.put_along_axis(free, np.abs(chosen), False, axis=1)
    free[:, 0] = False
    late = np.argsort(~free, axis=1, kind="stable")[:, : n - named]
    order = np.concatenate([chosen, late], axis=1)
    invalid = (chosen == 0).any(1)
    order[invalid] = np.arange(1, n + 1)
    return np.asarray(order)


def _center(flat: np.ndarray) -> np.ndarray:
    """Find the impact matrix to which signed permutations bring the draws closest."""
    some = flat[np.linspace(0, len(flat) - 1, min(MOST, len(flat))).astype(int)]
    found = []
    for start in some[np.linspace(0, len(some) - 1, STARTS).astype(int)]:
        center = start
        for _ in range(ROUNDS):
            order, _ = match(np.linalg.solve(center, some))
            center = reordered(some, order).mean(0)
        order, _ = match(np.linalg.solve(center, some))
        gap = np.linalg.solve(center, reordered(some, order)) - np.eye(len(center))
        found.append((float((gap**2).sum((1, 2)).mean()), center))
    best: np.ndarray = min(found, key=lambda pair: pair[0])[1]
    return anchored(best)
