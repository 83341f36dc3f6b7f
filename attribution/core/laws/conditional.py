r"""Structural shocks of a day given its errors, where there are more shocks than variables.

Under the mixture of ``core.laws.overcomplete`` the law of :math:`e_t` given :math:`u_t = H e_t` is
drawn exactly: first the state (which shock jumps, if any), then the day's volatility
:math:`\lambda_t`, then the Gaussian shocks, conditioned on the errors (Matheron's rule):

.. math:: e = e^* + V H' (H V H')^{-1} (u - H e^*), \qquad e^* \sim N(0, V)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, logsumexp

NODES, BLOCKS = 96, 16
"""Nodes of the quadrature over a day's own log scale, and the blocks in which they are taken."""
WIDEST = 8.0
"""Largest own log scale: a day 3,000 times as volatile as it should be."""


@dataclass(frozen=True)
class Law:
    """The law of one day's shocks, one entry a draw.

    Attributes
    ----------
    impact : (draw, variable, shock); rows of the observed variables only.
    calm : (draw, shock); variances when nothing jumps.
    extra : (draw, jumper); what a jump adds to the variance of its shock.
    log_state : (draw, 1 + jumper).
    jumpers : (jumper,) int.
    log_scale : (draw,).
    dof : (draw,); above two.
    """

    impact: np.ndarray
    calm: np.ndarray
    extra: np.ndarray
    log_state: np.ndarray
    jumpers: np.ndarray
    log_scale: np.ndarray
    dof: np.ndarray

    @property
    def columns(self) -> np.ndarray:
        """Impact columns of the shocks that may jump (draw, variable, jumper)."""
        return self.impact[:, :, self.jumpers]


@dataclass(frozen=True)
class Squares:
    """Squared lengths of the errors under each state, before the day's scale, and half log dets.

    Attributes
    ----------
    length, half_log_det : (draw, state).
    solved : (draw, variable, 1 + jumper); calm scale matrix inverse times errors and columns.
    along : (draw, jumper); projection of the solved errors on each jumper's column.
    room : (draw, jumper); growth of the determinant when the jumper jumps.
    """

    length: np.ndarray
    half_log_det: np.ndarray
    solved: np.ndarray
    along: np.ndarray
    room: np.ndarray


def squares(law: Law, errors: np.ndarray) -> Squares:
    """Mahalanobis lengths of errors (draw, variable) under every state, by rank-one updates."""
    scale = (law.impact * law.calm[:, None]) @ law.impact.swapaxes(1, 2)
    columns = law.columns
    solved = np.linalg.solve(scale, np.concatenate([errors[..., None], columns], axis=2))
    base = np.einsum("dv,dv->d", errors, solved[..., 0])
    along = np.einsum("dvj,dv->dj", columns, solved[..., 0])
    room = 1.0 + law.extra * np.einsum("dvj,dvj->dj", columns, solved[..., 1:])
    half = 0.5 * np.linalg.slogdet(scale)[1]
    length = base[:, None] - law.extra / room * along**2
    growth = np.concatenate([np.zeros((len(base), 1)), 0.5 * np.log(room)], axis=1)
    return Squares(
        length=np.concatenate([base[:, None], length], axis=1),
        half_log_det=half[:, None] + growth,
        solved=solved,
        along=along,
        room=room,
    )


def log_density(law: Law, errors: np.ndarray, found: Squares, own: np.ndarray) -> np.ndarray:
    """Joint log density of errors and state (draw, node, state) at own log scales (node,)."""
    m = errors.shape[1]
    log_scale = law.log_scale[:, None] + own
    dof = law.dof[:, None, None]
    length = found.length[:, None] * np.exp(-2.0 * log_scale)[..., None]
    value: np.ndarray = (
        law.log_state[:, None]
        - found.half_log_det[:, None]
        - m * log_scale[..., None]
        + gammaln(0.5 * (dof + m))
        - gammaln(0.5 * dof)
        - 0.5 * m * np.log(np.pi * (dof - 2.0))
        - 0.5 * (dof + m) * np.log1p(length / (dof - 2.0))
    )
    return value


def evidence(law: Law, errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log density of a day's errors (draw,): at its usual scale, and with a scale of its own.

    The own log scale is exponential with mean one and integrated out by Gauss-Legendre nodes;
    Gauss-Laguerre nodes are too sparse where many errors of a violent day pin its scale down.
    """
    found = squares(law, errors)
    node, weight = np.polynomial.legendre.leggauss(NODES)
    node = 0.5 * WIDEST * (node + 1.0)
    weight = 0.5 * WIDEST * weight * np.exp(-node)
    usual = logsumexp(log_density(law, errors, found, np.zeros(1)), axis=(1, 2))
    spread = np.full(len(errors), -np.inf)
    for part in np.split(np.arange(NODES), BLOCKS):  # bounds the memory, not the accuracy
        some = log_density(law, errors, found, node[part]) + np.log(weight[part])[:, None]
        spread = np.logaddexp(spread, logsumexp(some, axis=(1, 2)))
    return usual, spread


def draw_shocks(
    law: Law, errors: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the shocks of a day given its errors.

    Parameters
    ----------
    errors : (draw, variable); of the observed variables.

    Returns
    -------
    Shocks (draw, shock), with ``impact @ shocks == errors``, and the probability of each state
    given the errors (draw, state).
    """
    draws, m = errors.shape
    found = squares(law, errors)
    odds = log_density(law, errors, found, np.zeros(1))[:, 0]
    chance = np.exp(odds - logsumexp(odds, axis=1, keepdims=True))
    state = (chance.cumsum(1) < rng.random((draws, 1))).sum(1).clip(max=chance.shape[1] - 1)
    rows = np.arange(draws)
    length = found.length[rows, state] * np.exp(-2.0 * law.log_scale)
    volatility = 0.5 * (law.dof - 2.0 + length) / rng.gamma(0.5 * (law.dof + m))
    variance = law.calm.copy()
    struck = state > 0
    which = state[struck] - 1
    variance[rows[struck], law.jumpers[which]] += law.extra[rows[struck], which]
    variance *= (volatility * np.exp(2.0 * law.log_scale))[:, None]
    return condition(law.impact, variance, errors, rng), chance


def condition(
    impact: np.ndarray, variance: np.ndarray, errors: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draw Gaussian shocks (draw, shock) given errors (draw, variable), by Matheron's rule.

    Parameters
    ----------
    impact : (draw, variable, shock).
    variance : (draw, shock); of the shocks before the errors are known.
    """
    shocks: np.ndarray = np.sqrt(variance) * rng.standard_normal(variance.shape)
    gain = variance[:, :, None] * impact.swapaxes(1, 2)
    scale = impact @ gain
    for _ in range(2):  # the second pass removes the rounding of the first
        gap = errors - np.einsum("dvk,dk->dv", impact, shocks)
        shocks = shocks + np.einsum(
            "dkv,dv->dk", gain, np.linalg.solve(scale, gap[..., None])[..., 0]
        )
    return shocks


def expected_shocks(law: Law, errors: np.ndarray) -> np.ndarray:
    r"""Mean of a day's shocks given its errors, over states, (draw, shock).

    .. math:: E[e \mid u] = \sum_z P(z \mid u)\, V_z H' (H V_z H')^{-1} u

    Parameters
    ----------
    errors : (draw, variable); of the observed variables.
    """
    found = squares(law, errors)
    odds = log_density(law, errors, found, np.zeros(1))[:, 0]
    chance = np.exp(odds - logsumexp(odds, axis=1, keepdims=True))[:, 1:]
    taken = chance * law.extra * found.along / found.room
    pulled = found.solved[..., 0] - np.einsum("dvj,dj->dv", found.solved[..., 1:], taken)
    mean: np.ndarray = law.calm * np.einsum("dvk,dv->dk", law.impact, pulled)
    mean[:, law.jumpers] += taken
    return mean
