r"""A prior on rows and a law per shock in; chains of a structural VAR, advanced on demand, out.

.. math:: A_0 y_t = A_+ x_t + \varepsilon_t, \qquad
    \Sigma^{-1} = A_0'A_0 \sim W(S^{-1}, \nu), \qquad
    a_{+k} \mid a_k \sim N(\bar B' a_k,\ P^{-1})

independent over rows: the form in which Sims and Zha write a natural-conjugate prior, for
:math:`a_k'\Sigma a_k = 1`.  With shocks of variance one the posterior of :math:`(B, \Sigma)` is
therefore the closed form of :mod:`attribution.core.niw`, whatever the rotation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import solve_triangular

from attribution.core.laws import structural_gibbs as gibbs
from attribution.core.niw import NormalInverseWishart
from attribution.core.rotations.haar import haar
from attribution.errors import DiagnosticsError

DOF_SHAPE, DOF_RATE = 2.0, 0.1
"""Gamma prior of the degrees of freedom less 2.1: mean 22, a quarter of the mass above 30."""
RATIO_SD = 1.0
"""Prior sd of the log of a regime's variance relative to the first regime's, centred on zero."""
PERSISTENCE = (20.0, 1.5)
"""Beta prior of (1 + φ) / 2, the persistence of a log-variance."""
VOLATILITY_SD = 0.3
"""Scale of the half-normal prior of the sd of a log-variance's innovations."""


@dataclass(frozen=True)
class ShockLaw:
    """The law of every shock's variance, up to hyperparameters of each shock's own.

    Attributes
    ----------
    code : one of the laws of ``structural_gibbs``.
    names : of the hyperparameters, in the order of their last axis.
    prior : constants of their prior.
    spell : (time,) int; regime of each day, from zero; all zero where the law has none.
    dof : given degrees of freedom, where they are.
    """

    code: int
    names: tuple[str, ...]
    prior: tuple[float, float, float]
    spell: np.ndarray
    dof: float | None = None


def unit(days: int) -> ShockLaw:
    """Every shock standard normal."""
    return ShockLaw(gibbs.UNIT, (), (0.0, 0.0, 0.0), np.zeros(days, np.int64))


def independent_t(days: int, dof: float | None = None) -> ShockLaw:
    r"""Every shock a Student t of variance one, with degrees of freedom of its own.

    .. math:: \varepsilon_{kt} \sim \sqrt{(\nu_k - 2) / \nu_k}\; t_{\nu_k}, \qquad
        \nu_k - 2.1 \sim \mathrm{Gamma}(2, 0.1) \text{ unless given}

    References
    ----------
    juarez2010, for the gamma prior
    """
    prior = (DOF_SHAPE, DOF_RATE, 0.0)
    code = gibbs.STUDENT if dof is None else gibbs.STUDENT_FIXED
    return ShockLaw(code, ("dof",), prior, np.zeros(days, np.int64), dof)


def regimes(spell: np.ndarray) -> ShockLaw:
    r"""Variance one in the first regime, :math:`\lambda_{kr}` in each later one.

    :math:`\log \lambda_{kr} \sim N(0, 1)`: a prior to which the order of two regimes is all one,
    as an inverse-gamma is not.
    """
    names = tuple(f"variance_{r}" for r in range(2, int(spell.max()) + 2))
    return ShockLaw(gibbs.REGIMES, names, (RATIO_SD, 0.0, 0.0), spell.astype(np.int64))


def stochastic_volatility(days: int) -> ShockLaw:
    r"""Log-variances that are stationary autoregressions around zero.

    .. math:: h_{kt} = \phi_k h_{k,t-1} + \sigma_k \eta_{kt}, \quad
        \tfrac12(1 + \phi_k) \sim \mathrm{Beta}(20, 1.5), \quad \sigma_k \sim N^+(0, 0.3^2)

    The median variance of a shock is one; its size is in the row.  ``accepted`` is not a
    parameter but says whether the last proposal of its states was accepted.

    References
    ----------
    kim1998; omori2007; kastner2014
    """
    prior = (*PERSISTENCE, VOLATILITY_SD)
    names = ("persistence", "volatility", "accepted")
    return ShockLaw(gibbs.VOLATILITY, names, prior, np.zeros(days, np.int64))


@dataclass(frozen=True)
class RowPrior:
    r"""The prior of the rows :math:`\theta_k = (-a_{+k}, a_k)`, regressors first.

    Attributes
    ----------
    base, tight : (coordinate, coordinate); the quadratic form is base + tight / tightness².
    dof : ν of the Wishart.
    tightness : its value, or where chains start if it is inferred.
    shape, rate : of the gamma prior of the tightness; shape zero keeps it.
    scaled : regressors whose precision the tightness scales.
    """

    base: np.ndarray
    tight: np.ndarray
    dof: float
    tightness: float = 1.0
    shape: float = 0.0
    rate: float = 0.0
    scaled: int = 0

    def moved(self, change: np.ndarray) -> RowPrior:
        r"""Return the prior of :math:`D\theta`, given :math:`D^{-1}`."""
        base, tight = change.T @ self.base @ change, change.T @ self.tight @ change
        return replace(self, base=0.5 * (base + base.T), tight=0.5 * (tight + tight.T))


def row_prior(of: NormalInverseWishart) -> RowPrior:
    """Write a natural-conjugate prior, proper or flat, as a prior of rows."""
    n = len(of.scale)
    base = quadratic(of.mean, of.precision)
    base[-n:, -n:] += of.scale
    return RowPrior(base, np.zeros_like(base), of.dof)


def quadratic(mean: np.ndarray, precision: np.ndarray) -> np.ndarray:
    r"""Return the form of :math:`(b + \bar B a)' P (b + \bar B a)` in (b, a)."""
    both = np.hstack([np.eye(len(mean)), mean])
    form: np.ndarray = both.T @ precision @ both
    return form


@dataclass(frozen=True)
class Kept:
    """Consecutive draws of one chain.

    Attributes
    ----------
    rows : (draw, shock, coordinate), θ.
    precision : (draw, shock, time), single; one over the variance.
    hyper : (draw, shock, hyperparameter).
    tightness : (draw,).
    """

    rows: np.ndarray
    precision: np.ndarray
    hyper: np.ndarray
    tightness: np.ndarray


class Chain:
    """One chain; remembers where it is.

    Parameters
    ----------
    z : (time, regressor + variable); regressors first, in units that make all of order one.
    prior, law : of the rows, and of the shocks.
    rows : (shock, coordinate); where it starts.
    """

    def __init__(
        self,
        z: np.ndarray,
        prior: RowPrior,
        law: ShockLaw,
        rows: np.ndarray,
        rng: np.random.Generator,
    ) -> None:
        self.z, self.prior, self.law, self.rng = np.ascontiguousarray(z), prior, law, rng
        n = len(rows)
        hyper = draw_hyper(law, (n,), rng)
        shared = np.array([prior.tightness])
        self.state = (rows.copy(), np.ones((n, len(z))), hyper, shared)

    def advance(self, draws: int, *, every: int = 1) -> Kept:
        """Keep ``draws`` states, ``every`` sweeps apart.

        Raises
        ------
        DiagnosticsError
            If precisions have run so far apart that a row cannot be drawn.
        """
        prior, n = self.prior, len(self.state[0])
        constants = np.array([*self.law.prior, prior.shape, prior.rate, prior.scaled])
        kept = Kept(
            np.empty((draws, *self.state[0].shape)),
            np.empty((draws, *self.state[1].shape), np.float32),
            np.empty((draws, *self.state[2].shape)),
            np.empty((draws, 1)),
        )
        try:
            gibbs.sweeps(
                self.law.code,
                self.z,
                prior.base,
                prior.tight,
                len(self.z) + prior.dof - n,
                self.law.spell,
                constants,
                self.state,
                every,
                (kept.rows, kept.precision, kept.hyper, kept.tightness),
                self.rng,
            )
        except np.linalg.LinAlgError as error:
            raise DiagnosticsError(
                "a row's posterior has no factor: some days outweigh all others by more than the"
                " digits of a number; shorten the sample, or use law 'gaussian'"
            ) from error
        return replace(kept, tightness=kept.tightness[:, 0])


def draw_hyper(law: ShockLaw, lead: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Draw the hyperparameters of shocks (..., hyperparameter) from their prior."""
    first, second, spread = law.prior
    if law.code == gibbs.STUDENT:
        return gibbs.LEAST_DOF + rng.gamma(first, 1.0 / second, (*lead, 1))
    if law.code == gibbs.STUDENT_FIXED:
        return np.full((*lead, 1), law.dof)
    if law.code == gibbs.REGIMES:
        return np.exp(first * rng.standard_normal((*lead, len(law.names))))
    if law.code == gibbs.VOLATILITY:
        persistence = 2.0 * rng.beta(first, second, lead) - 1.0
        size = np.abs(spread * rng.standard_normal(lead))
        return np.stack([persistence, size, np.ones(lead)], axis=-1)
    return np.empty((*lead, 0))


def scattered_rows(
    coefficients: np.ndarray, covariance: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Rows (shock, coordinate) of a uniform rotation of a reduced form: a dispersed start."""
    n = len(covariance)
    inverse = solve_triangular(np.linalg.cholesky(covariance), np.eye(n), lower=True)
    contemporaneous = haar(n, 1, rng)[0] @ inverse
    return np.hstack([-contemporaneous @ coefficients.T, contemporaneous])
