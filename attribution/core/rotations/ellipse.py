r"""A standard normal vector and a set of small probability in; draws inside the set out.

Sets that uniform proposals almost never hit are reached by levels: of many particles the best part
is kept, copied and moved without leaving the level, until the level is the set itself.  The moves
are elliptical slices, which need neither a step size nor a gradient and never reject; the product
of the parts kept estimates the probability of the set.

.. math::
    z \sim N(0, I), \qquad S_\ell = \{z : v(z) \le \ell\}, \qquad
    P(S_0) = \prod_j P(S_{\ell_j} \mid S_{\ell_{j-1}})
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import gammainccinv, gammaincinv, ndtr

from attribution.core.niw import NormalInverseWishart
from attribution.errors import IdentificationError

Violation = Callable[[np.ndarray], np.ndarray]
KEPT = 0.2
"""Part of the particles that survives a level."""
MOST_LEVELS = 60
MOST_SHRINKS = 200


@dataclass(frozen=True)
class Inside:
    """Draws inside the set.

    Attributes
    ----------
    states : (particle, draw, coordinate).
    log_probability : of the set under the standard normal, estimated.
    levels : of the violation, on the way in; the last is zero.
    """

    states: np.ndarray
    log_probability: float
    levels: tuple[float, ...]


def draw_inside(
    violation: Violation,
    blocks: Sequence[int],
    *,
    particles: int,
    draws: int,
    sweeps: int,
    rng: np.random.Generator,
) -> Inside:
    """Reach the set by levels, then sample it.

    Parameters
    ----------
    violation : v; states (particle, coordinate) in, (particle,) out; the set is where it is not
        positive.  It should fall steadily towards the set.
    blocks : sizes of consecutive blocks of coordinates that are moved one after another.
    particles : chains that run side by side.
    draws : kept states of each particle.
    sweeps : passes over all blocks at each level, and between two kept states.

    Raises
    ------
    IdentificationError
        If the levels do not reach the set.

    References
    ----------
    murray2010, on elliptical slices; au2001, on levels; arias2025, on rotations
    """
    states = rng.standard_normal((particles, sum(blocks)))
    found = violation(states)
    log_probability, levels = 0.0, []
    while True:
        level = max(float(np.quantile(found, KEPT, method="lower")), 0.0)
        inside = found <= level
        log_probability += float(np.log(inside.mean()))
        levels.append(level)
        chosen = rng.choice(np.flatnonzero(inside), size=particles)
        chosen[: inside.sum()] = np.flatnonzero(inside)
        states, found = states[chosen], found[chosen]
        for _ in range(sweeps):
            states, found = sweep(violation, states, found, blocks, level, rng)
        if level == 0.0:
            break
        if len(levels) >= MOST_LEVELS or (len(levels) > 1 and level >= levels[-2]):
            raise IdentificationError(
                f"the claims are violated by {level:.2g} at least in all of {particles} searches"
                f" after {len(levels)} levels; they contradict the data: widen or remove some"
            )
    kept = np.empty((particles, draws, states.shape[1]))
    for draw in range(draws):
        for _ in range(sweeps):
            states, found = sweep(violation, states, found, blocks, 0.0, rng)
        kept[:, draw] = states
    return Inside(kept, log_probability, tuple(levels))


def sweep(
    violation: Violation,
    states: np.ndarray,
    found: np.ndarray,
    blocks: Sequence[int],
    level: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Move every block of every particle along an ellipse without leaving the level."""
    states, found = states.copy(), found.copy()
    ends = np.cumsum(blocks)
    for first, last in zip(ends - np.asarray(blocks), ends, strict=True):
        _slice(violation, states, found, slice(int(first), int(last)), level, rng)
    return states, found


def _slice(
    violation: Violation,
    states: np.ndarray,
    found: np.ndarray,
    block: slice,
    level: float,
    rng: np.random.Generator,
) -> None:
    """Shrink the bracket of angles of each particle until its proposal is inside the level."""
    here = states[:, block].copy()
    other = rng.standard_normal(here.shape)
    angle = rng.uniform(0.0, 2 * np.pi, len(here))
    low, high = angle - 2 * np.pi, angle.copy()
    open_ = np.arange(len(here))
    for _ in range(MOST_SHRINKS):
        turned = np.cos(angle)[:, None] * here[open_] + np.sin(angle)[:, None] * other[open_]
        proposed = states[open_]
        proposed[:, block] = turned
        value = violation(proposed)
        passed = value <= level
        states[open_[passed]] = proposed[passed]
        found[open_[passed]] = value[passed]
        left = ~passed
        open_ = open_[left]
        if not len(open_):
            return
        angle, low, high = angle[left], low[left], high[left]
        low = np.where(angle < 0, angle, low)
        high = np.where(angle >= 0, angle, high)
        angle = rng.uniform(low, high)


# Standard normal vectors in; draws of (B, Σ, Q) from a conjugate posterior out, as a fixed map.


def rotation(normals: np.ndarray) -> np.ndarray:
    """Orthogonal matrices (draw, n, n), uniform on O(n), from (draw, n n) normals.

    The map lets any set of draws be reached by moving a normal vector about: Q is the orthogonal
    factor of a matrix of normals, the squared diagonal of Bartlett's triangle is the quantile
    function of a chi-square at the normal's probability, and the coefficients are linear in the
    rest.
    """
    draws, size = normals.shape
    n = round(float(np.sqrt(size)))
    q, r = np.linalg.qr(normals.reshape(draws, n, n))
    turned: np.ndarray = q * np.copysign(1.0, np.diagonal(r, axis1=1, axis2=2))[:, None, :]
    return turned


def factor(of: NormalInverseWishart, normals: np.ndarray) -> np.ndarray:
    r"""Lower factors P of Σ (draw, n, n) from (draw, n (n + 1) / 2) normals, diagonal first.

    With :math:`\Sigma^{-1} = C^{-\prime} U U' C^{-1}`, C the factor of the scale and U upper
    triangular by Bartlett, :math:`P = C U^{-\prime}`.

    References
    ----------
    bartlett1933
    """
    n = len(of.scale)
    half = 0.5 * (of.dof - np.arange(n)[::-1])
    z = normals[:, :n]
    # each tail by the function that keeps its digits
    above, below = gammainccinv(half, ndtr(-z)), gammaincinv(half, ndtr(z))
    transposed = np.zeros((len(normals), n, n))
    transposed[:, np.arange(n), np.arange(n)] = np.sqrt(2.0 * np.where(z > 0, above, below))
    rows, columns = np.tril_indices(n, -1)
    transposed[:, rows, columns] = normals[:, n:]
    root = np.linalg.cholesky(of.scale)
    solved: np.ndarray = np.linalg.solve(
        transposed.swapaxes(1, 2), np.broadcast_to(root.T, transposed.shape)
    ).swapaxes(1, 2)
    return solved


def coefficients(of: NormalInverseWishart, root: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Coefficients (draw, regressor, n) from (draw, regressor n) normals and roots of Σ."""
    draws, n = root.shape[:2]
    k = len(of.mean)
    noise = normals.reshape(draws, k, n) @ root.swapaxes(1, 2)
    stacked = noise.transpose(1, 0, 2).reshape(k, draws * n)
    spread = solve_triangular(np.linalg.cholesky(of.precision), stacked, lower=True, trans="T")
    drawn: np.ndarray = of.mean + spread.reshape(k, draws, n).transpose(1, 0, 2)
    return drawn
