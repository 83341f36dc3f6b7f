r"""A conjugate prior, rows and a law of their scales in; a chain that can be swept out.

The chain (``attribution.core.scale_gibbs``) runs on rows whitened by the posterior under equal
scales, :math:`L^{-1} x_t` and :math:`\nu^{1/2} C^{-1}(y_t - \bar B' x_t)` with :math:`P = LL'` and
:math:`S = CC'`: units and collinear regressors cost no digits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular
from scipy.signal import lfilter

from attribution.core import niw
from attribution.core.scale_gibbs import LEAST_DOF, sweeps

BLOCK = 50
"""Days of volatility that are moved at once; long enough to mix, short enough to be accepted."""


@dataclass(frozen=True)
class ScaleLaw:
    r"""The law of the scales, :math:`s_t^2 = q_t e^{h_t}`.

    Attributes
    ----------
    dof : :math:`q_t \sim IG(\nu/2, \nu/2)`; infinite: one for all days; None: inferred.
    dof_prior : shape and rate of the gamma law of ν - 2.1.
    persistence_prior : shapes of the beta law of (1 + φ) / 2.
    volatility_scale : σ is half-normal of this scale; zero: h is zero.
    """

    dof: float | None = np.inf
    dof_prior: tuple[float, float] = (2.0, 0.1)
    persistence_prior: tuple[float, float] = (20.0, 1.5)
    volatility_scale: float = 0.0

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Draw ν, φ and σ from the prior (3,)."""
        dof = self.dof
        if dof is None:
            dof = LEAST_DOF + rng.gamma(self.dof_prior[0], 1.0 / self.dof_prior[1])
        persistence = 2.0 * rng.beta(*self.persistence_prior) - 1.0
        return np.array([dof, persistence, self.volatility_scale * abs(rng.standard_normal())])

    def draw_scales(
        self, parameters: np.ndarray, days: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw h and q (time,) given ν, φ and σ."""
        dof, phi, sigma = parameters
        steps = sigma * rng.standard_normal(days)
        steps[:1] /= np.sqrt(1.0 - phi**2)
        log_variance = lfilter([1.0], [1.0, -phi], steps)
        mixing = np.ones(days) if np.isinf(dof) else 0.5 * dof / rng.gamma(0.5 * dof, size=days)
        return log_variance, mixing


@dataclass(frozen=True)
class Whitened:
    """Rows and prior in units of their own, and the way back."""

    moments: np.ndarray
    dof: float
    rows: np.ndarray
    center: np.ndarray
    across: np.ndarray
    unit: np.ndarray

    def restore(self, roots: np.ndarray, turns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return P (draw, variable, variable) and B (draw, regressor, variable)."""
        factor: np.ndarray = self.unit @ roots
        slopes = turns[:, : len(self.center)] @ factor.swapaxes(1, 2)
        return factor, self.center - self.across @ slopes


def whiten(
    prior: niw.NormalInverseWishart, response: np.ndarray, regressors: np.ndarray
) -> Whitened:
    """Whiten prior and rows by the posterior under equal scales."""
    after = niw.posterior(prior, response, regressors)
    lower = np.linalg.cholesky(after.precision)
    unit = np.linalg.cholesky(after.scale) / np.sqrt(after.dof)
    k, n = after.mean.shape
    x = solve_triangular(lower, regressors.T, lower=True)
    y = solve_triangular(unit, (response - regressors @ after.mean).T, lower=True)
    half = solve_triangular(lower, prior.precision, lower=True)
    precision = solve_triangular(lower, half.T, lower=True)
    moved = lower.T @ solve_triangular(unit, (prior.mean - after.mean).T, lower=True).T
    scale = solve_triangular(unit, prior.scale, lower=True)
    moments = np.empty((k + n, k + n))
    moments[:k, :k] = 0.5 * (precision + precision.T)
    moments[:k, k:] = moments[:k, :k] @ moved
    moments[k:, :k] = moments[:k, k:].T
    moments[k:, k:] = solve_triangular(unit, scale.T, lower=True) + moved.T @ moments[:k, k:]
    return Whitened(
        moments,
        float(prior.dof),
        np.ascontiguousarray(np.concatenate([x, y]).T),
        after.mean,
        solve_triangular(lower, np.eye(k), lower=True).T,
        unit,
    )


@dataclass(frozen=True)
class Swept:
    """States of one chain; ``turns`` is what ``Whitened.restore`` asks for.

    ``scales`` (draw, time) holds s, ``parameters`` (draw, 3) ν, φ and σ, ``outlier_scales``
    (draw, day) what listed days have of their own, ``accepted`` the share of blocks that moved.
    """

    roots: np.ndarray
    turns: np.ndarray
    scales: np.ndarray
    parameters: np.ndarray
    outlier_scales: np.ndarray
    accepted: float


class ScaleChain:
    """A chain that goes on where it stopped; starts at a draw of the scales from their prior.

    Parameters
    ----------
    listed : positions of the days with a scale s of their own, Pr(s > x) = 1/x.

    References
    ----------
    chan2020; kastner2014; lenza2022; liu1999; neal2003
    """

    def __init__(
        self, days: int, law: ScaleLaw, listed: np.ndarray, rng: np.random.Generator
    ) -> None:
        self.law, self.rng = law, rng
        self.listed = np.asarray(listed, np.int64)
        self.parameters = law.draw(rng)
        self.log_variance, self.mixing = law.draw_scales(self.parameters, days, rng)
        self.shrunk = rng.uniform(0.1, 1.0, len(self.listed)) ** 2

    def sweep(self, data: Whitened, draws: int, *, thin: int = 1) -> Swept:
        """Advance by ``draws`` times ``thin`` sweeps and keep every ``thin``-th state."""
        days, m = data.rows.shape
        n = len(data.unit)
        out = (
            np.zeros((draws, n, n)),
            np.zeros((draws, m, n)),
            np.zeros((draws, days)),
            np.zeros((draws, 3)),
            np.zeros((draws, len(self.listed))),
        )
        law = self.law
        dof_prior = law.dof_prior if law.dof is None else (0.0, 0.0)
        accepted = sweeps(
            data.moments,
            data.dof,
            data.rows,
            self.listed,
            np.array([*dof_prior, *law.persistence_prior, law.volatility_scale]),
            self.parameters,
            self.log_variance,
            self.mixing,
            self.shrunk,
            thin,
            BLOCK,
            out,
            self.rng,
        )
        return Swept(*out, accepted)
