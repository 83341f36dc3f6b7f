r"""A local level with regression, exactly: the two variances on a grid, all else in closed form.

.. math::
    y_t = z_t'b + f_t + \varepsilon_t, \qquad f_1 = 0,\ f_{t+1} = f_t + \eta_t

Given :math:`\sigma_\varepsilon` and :math:`\sigma_\eta` everything is Gaussian with covariance
:math:`\sigma_\varepsilon^2 I + \sigma_\eta^2 K`, :math:`K_{ts} = \min(t,s) - 1`, whose eigenvectors
are known sines: after one rotation a grid point costs a product of two vectors.  Arrays enter
and leave, in standardised units; no Monte Carlo error but that of the draws asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import xarray as xr
from scipy.special import logsumexp
from scipy.stats import gamma

from attribution.studies.counterfactual.question import CounterfactualQuestion
from attribution.studies.counterfactual.returns import Counterfactual, chained
from attribution.studies.counterfactual.rows import CounterfactualRows

CONSTANT_SD = 10.0
"""Prior sd of the first level: the constant is as good as free."""
NOISE_DF, NOISE_VARIANCE = 1.0, 0.2
"""Weight, in rows, and guess of the prior on the noise variance: controls explain four fifths."""
COARSE, FINE, DROP = 17, 33, 20.0


@dataclass(frozen=True)
class LevelModel:
    """What the prior says; standardised.

    Attributes
    ----------
    level_sd, level_df : guess of the level's innovation sd and its weight in rows; zero for none.
    slope_sd : of every coefficient; None if subsets are weighed, each with a slab that is worth
        one row.
    expected : number of controls that matter, where subsets are weighed.
    """

    level_sd: float
    level_df: float
    slope_sd: float | None
    expected: float = 1.0


@dataclass(frozen=True)
class LevelDraws:
    """Draws of a local level with regression.

    Attributes
    ----------
    coefficients : (draw, 1 + control); the constant first, zero where a control is out.
    noise, step : (draw,); sd of the noise and of the level's innovations.
    level : (draw,); the level on the last row.
    fitted : (draw, row); what is expected of each row given all of them.
    """

    coefficients: np.ndarray
    noise: np.ndarray
    step: np.ndarray
    level: np.ndarray
    fitted: np.ndarray


def walk_spectrum(rows: int) -> tuple[np.ndarray, np.ndarray]:
    r"""Eigenvalues (row,) and eigenvectors (row, row) of :math:`\min(t,s)-1`, t, s = 1 ... T.

    .. math:: \lambda_k = \tfrac14 \sin^{-2}\!\Big(\frac{(2k-1)\pi}{2(2n+1)}\Big), \quad
        u_k(i) = \frac{2}{\sqrt{2n+1}} \sin\!\Big(\frac{(2k-1)\,i\,\pi}{2n+1}\Big), \quad n = T - 1
    """
    n = rows - 1
    i = np.arange(1, n + 1)
    angle = (2 * i - 1) * np.pi / (2 * n + 1)
    values, vectors = np.zeros(rows), np.zeros((rows, rows))
    vectors[0, 0] = 1.0
    values[1:] = 0.25 / np.sin(angle / 2.0) ** 2
    vectors[1:, 1:] = 2.0 / np.sqrt(2 * n + 1) * np.sin(np.outer(i, angle))
    return values, vectors


def sample_level(
    y: np.ndarray, x: np.ndarray, model: LevelModel, *, draws: int, rng: np.random.Generator
) -> LevelDraws:
    """Draw from the posterior of a local level with regression; draws are independent.

    Parameters
    ----------
    y, x : (row,) and (row, control), standardised.
    """
    problem = Problem.of(y, x, model)
    noise, step, log_weight = problem.grid()
    weight = np.exp(log_weight - logsumexp(log_weight)).ravel()
    chosen = np.sort(rng.choice(weight.size, size=draws, p=weight / weight.sum()))
    subset, point = np.divmod(chosen, len(noise))
    coefficients = np.zeros((draws, x.shape[1] + 1))
    for number in np.unique(subset):
        rows = np.flatnonzero(subset == number)
        own, where = np.unique(point[rows], return_inverse=True)
        columns = problem.subsets[number]
        mean, factor, _ = problem.moments(columns, noise[own], step[own])
        normal = rng.standard_normal((len(rows), len(columns)))
        # the factor is that of the precision: solve with its transpose
        shift = np.linalg.solve(factor[where].swapaxes(1, 2), normal[:, :, None])[:, :, 0]
        coefficients[np.ix_(rows, columns)] = mean[where] + shift
    order = rng.permutation(draws)
    return problem.states(coefficients[order], noise[point[order]], step[point[order]], rng)


def forecast_level(found: LevelDraws, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw the rows after the last: (draw, row), standardised; x is (row, control)."""
    size = (len(found.level), len(x))
    walk = np.cumsum(rng.standard_normal(size), axis=1) * found.step[:, None]
    mean = found.coefficients[:, :1] + found.coefficients[:, 1:] @ x.T
    noise = rng.standard_normal(size) * found.noise[:, None]
    path: np.ndarray = mean + found.level[:, None] + walk + noise
    return path


@dataclass(frozen=True)
class Problem:
    """The data, rotated so that the level's covariance is diagonal, and the prior.

    Attributes
    ----------
    values, vectors : the spectrum of the walk.
    y, z : (row,), (row, 1 + control); outcome and regressors, rotated.
    slab : (control, control); precision of a slab worth one row, per unit of noise variance.
    subsets, log_prior : columns of each subset of controls, the constant first, and its prior.
    """

    values: np.ndarray
    vectors: np.ndarray
    y: np.ndarray
    z: np.ndarray
    slab: np.ndarray
    model: LevelModel
    subsets: list[np.ndarray]
    log_prior: np.ndarray

    @staticmethod
    def of(y: np.ndarray, x: np.ndarray, model: LevelModel) -> Problem:
        """Rotate the data and list the subsets."""
        values, vectors = walk_spectrum(len(y))
        k = x.shape[1]
        if model.slope_sd is None:
            kept = [c for size in range(k + 1) for c in combinations(range(1, k + 1), size)]
            share = min(model.expected / k, 1.0 - 1e-9)
            sizes = np.array([len(c) for c in kept])
            log_prior = sizes * np.log(share) + (k - sizes) * np.log1p(-share)
        else:
            kept, log_prior = [tuple(range(1, k + 1))], np.zeros(1)
        gram = x.T @ x / len(x)  # a slab worth one row, half of it without the correlations
        return Problem(
            values,
            vectors,
            vectors.T @ y,
            vectors.T @ np.column_stack([np.ones(len(x)), x]),
            0.5 * (gram + np.diag(np.diag(gram))),
            model,
            [np.array((0, *c)) for c in kept],
            log_prior,
        )

    def grid(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Grid of both sds (point,) and log weights (subset, point), refined where the mass is."""
        noise = np.linspace(np.log(0.003), np.log(3.0), COARSE)
        step = np.array([-np.inf])
        if self.model.level_sd > 0:
            rate = self.model.level_df * self.model.level_sd**2 / 2.0
            low = 0.5 * np.log(rate / gamma.isf(1e-6, self.model.level_df / 2.0))
            step = np.linspace(min(low, -1.0), 0.0, COARSE)
        for size in (COARSE, FINE, 0):
            one, two = (a.ravel() for a in np.meshgrid(np.exp(noise), np.exp(step), indexing="ij"))
            log_weight = self.log_weight(one, two)
            if size:
                at = np.max(log_weight, 0).reshape(len(noise), len(step))
                near = at > at.max() - DROP
                noise, step = _zoom(noise, near.any(1), size), _zoom(step, near.any(0), size)
        return one, two, log_weight

    def log_weight(self, noise: np.ndarray, step: np.ndarray) -> np.ndarray:
        """Log posterior (subset, point), up to a constant, per unit of the logs of both sds."""
        prior = -NOISE_DF * np.log(noise) - NOISE_DF * NOISE_VARIANCE / (2.0 * noise**2)
        if self.model.level_sd > 0:
            df = self.model.level_df
            prior += -df * np.log(step) - df * self.model.level_sd**2 / (2.0 * step**2)
        found = [
            self.moments(columns, noise, step)[2] + prior + log_prior
            for columns, log_prior in zip(self.subsets, self.log_prior, strict=True)
        ]
        return np.array(found)

    def moments(
        self, columns: np.ndarray, noise: np.ndarray, step: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean, factor of the precision, and log evidence less T/2 log 2 pi, at every point."""
        p = len(columns)
        weight = 1.0 / (noise[:, None] ** 2 + step[:, None] ** 2 * self.values)
        z = self.z[:, columns]
        cross = (z[:, :, None] * z[:, None, :]).reshape(len(z), -1)
        gram = (weight @ cross).reshape(-1, p, p)
        moment = weight @ (z * self.y[:, None])
        precision = self._precision(columns, noise)
        factor = np.linalg.cholesky(gram + precision)
        half = np.linalg.solve(factor, moment[:, :, None])
        mean = np.linalg.solve(factor.swapaxes(1, 2), half)[:, :, 0]
        evidence = 0.5 * np.log(weight).sum(1) + 0.5 * np.linalg.slogdet(precision)[1]
        evidence -= 0.5 * (weight @ self.y**2 - (half[:, :, 0] ** 2).sum(1))
        evidence -= np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(1)
        return mean, factor, evidence

    def _precision(self, columns: np.ndarray, noise: np.ndarray) -> np.ndarray:
        p = len(columns)
        out = np.zeros((len(noise), p, p))
        out[:, 0, 0] = CONSTANT_SD**-2
        if self.model.slope_sd is None:
            own = self.slab[np.ix_(columns[1:] - 1, columns[1:] - 1)]
            out[:, 1:, 1:] = own / noise[:, None, None] ** 2
        else:
            out[:, 1:, 1:] = np.eye(p - 1) / self.model.slope_sd**2
        return out

    def states(
        self, b: np.ndarray, noise: np.ndarray, step: np.ndarray, rng: np.random.Generator
    ) -> LevelDraws:
        """Draw the last level and smooth the others, given everything else."""
        gap = self.y - b @ self.z.T
        signal = step[:, None] ** 2 * self.values
        d = noise[:, None] ** 2 + signal
        smooth = (signal / d * gap) @ self.vectors.T
        variance = (signal * noise[:, None] ** 2 / d) @ self.vectors[-1] ** 2
        level = smooth[:, -1] + np.sqrt(variance) * rng.standard_normal(len(b))
        fitted = b @ self.z.T @ self.vectors.T + smooth
        return LevelDraws(b, noise, step, level, fitted)


def _zoom(axis: np.ndarray, near: np.ndarray, size: int) -> np.ndarray:
    """Lay a grid over the points near the top and one beside them on each side."""
    if len(axis) == 1:
        return axis
    at = np.flatnonzero(near)
    low, high = max(at[0] - 1, 0), min(at[-1] + 1, len(axis) - 1)
    return np.linspace(axis[low], axis[high], size)


# Levels: a local level and static regression; rows in, exact independent draws out.

BAND = 400
"""Draws from which the band of the pre-period is drawn."""


def level_model(question: CounterfactualQuestion) -> LevelModel:
    """Translate the question's prior."""
    slab = question.prior.law == "spike_and_slab"
    return LevelModel(
        level_sd=question.level.sd,
        level_df=question.level.df,
        slope_sd=None if slab else question.prior.sd,
        expected=question.prior.expected,
    )


def counterfactual_level(
    question: CounterfactualQuestion, rows: CounterfactualRows, *, draws: int, seed: int
) -> Counterfactual:
    r"""Predict the level that the controls and the local level before the event imply.

    .. math:: y_t = \mu_t + x_t'\beta + \varepsilon_t, \qquad \mu_{t+1} = \mu_t + \eta_t

    Outcome and controls are standardised by mean and sd of the pre-period.  State, coefficients
    and subsets of controls are integrated out in closed form; the two variances lie on a grid, so
    draws are independent and there is nothing to converge.

    Parameters
    ----------
    draws : a multiple of four.

    References
    ----------
    brodersen2015; scott2014; harvey1989
    """
    n, k = rows.pre, len(question.controls)
    rng = np.random.default_rng(seed)
    y, x = rows.outcome[:n], rows.controls[:n]
    centre, spread = y.mean(), y.std(ddof=1)
    means, sds = x.mean(0), x.std(0, ddof=1)
    found = sample_level(
        (y - centre) / spread, (x - means) / sds, level_model(question), draws=draws, rng=rng
    )
    ahead = (rows.controls[n:] - means) / sds
    predicted = centre + spread * forecast_level(found, ahead, rng)
    b = found.coefficients
    expected = centre + spread * (b[:, :1] + found.level[:, None] + b[:, 1:] @ ahead.T)
    slopes = b[:, 1:] * spread / sds
    moved = rows.controls[n:] - rows.controls[n - 1]
    noise = rng.standard_normal((min(BAND, draws), n)) * found.noise[:BAND, None]
    posterior = xr.Dataset(
        {
            "noise_sd": (("chain", "draw"), chained(found.noise * spread)),
            "level_sd": (("chain", "draw"), chained(found.step * spread)),
            "included": (("chain", "draw", "control"), chained((b[:, 1:] != 0).astype(float))),
        },
        {"control": list(question.controls)},
    )
    if question.prior.law != "spike_and_slab":
        posterior = posterior.drop_vars("included")
    return Counterfactual(
        predicted=chained(predicted),
        expected=chained(expected),
        accounted=chained(slopes[:, None, :] * moved[None]).reshape(*_shape(draws), -1, k),
        fitted=centre + spread * (found.fitted[:BAND] + noise),
        coefficients=chained(slopes),
        posterior=posterior,
    )


def _shape(draws: int) -> tuple[int, int]:
    shape = chained(np.empty(draws)).shape
    return shape[0], shape[1]
