r"""A conjugate prior, rows and a law of their scales in; a chain that can be swept out.

The chain (``attribution.core.laws.scaled``) runs on rows whitened by the posterior under equal
scales, :math:`L^{-1} x_t` and :math:`\nu^{1/2} C^{-1}(y_t - \bar B' x_t)` with :math:`P = LL'` and
:math:`S = CC'`: units and collinear regressors cost no digits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.linalg import solve_triangular
from scipy.signal import lfilter

from attribution.core import niw

# Whitened rows and a generator in; sweeps of a regression whose rows have own scales out.

LEAST_DOF = 2.1
DOF, SIGMA_OF_STATES, SIGMA_OF_DATA, PHI, LEVEL = range(5)


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _factorise(a):  # type: ignore[no-untyped-def]
    """Cholesky in place, lower."""
    for i in range(a.shape[0]):
        for j in range(i + 1):
            total = a[i, j]
            for m in range(j):
                total -= a[i, m] * a[j, m]
            a[i, j] = math.sqrt(total) if i == j else total / a[j, j]


@njit(cache=True, nogil=True)
def _regress(a, root, turned, dof, rng):  # type: ignore[no-untyped-def]
    """Draw P (``root``) and G = [-B, I]' P^-T (``turned``) from the moments (destroyed).

    With A the factor of the moments and U that of Bartlett in reverse, A'G = [Z, U]'.
    """
    n, k = root.shape[0], a.shape[0] - root.shape[0]
    _factorise(a)
    lower = np.zeros((n, n))  # U'
    for i in range(n):
        lower[i, i] = math.sqrt(2.0 * rng.standard_gamma(0.5 * (dof - (n - 1 - i))))
        for j in range(i):
            lower[i, j] = rng.standard_normal()
    for j in range(n - 1, -1, -1):
        for i in range(j, n):
            total = a[k + i, k + j]
            for m in range(j + 1, i + 1):
                total -= root[i, m] * lower[m, j]
            root[i, j] = total / lower[j, j]
    for j in range(n):
        for r in range(k + n - 1, -1, -1):
            total = lower[j, r - k] if r >= k else rng.standard_normal()
            for m in range(r + 1, k + n):
                total -= a[m, r] * turned[m, j]
            turned[r, j] = total / a[r, r]


@njit(cache=True, nogil=True)
def _log_target(which, x, z, c):  # type: ignore[no-untyped-def]
    """Log conditional of log(ν - 2.1), log σ, ±σ, logit of (1 + φ)/2 or the level's shift."""
    if which == DOF:
        nu, n, total = LEAST_DOF + math.exp(x), c[0], 0.0
        for t in range(len(z)):
            total += math.log1p(z[t] / nu)
        each = math.lgamma(0.5 * (nu + n)) - math.lgamma(0.5 * nu) - 0.5 * n * math.log(nu)
        return len(z) * each - 0.5 * (nu + n) * total + c[1] * x - c[2] * math.exp(x)
    if which == SIGMA_OF_STATES:
        return -c[0] * x - 0.5 * c[1] * math.exp(-2.0 * x) - 0.5 * (math.exp(x) / c[2]) ** 2 + x
    if which == SIGMA_OF_DATA:
        total, days = (x / c[2]) ** 2, len(z) // 2
        for t in range(days):
            state = x * z[days + t]
            total += c[0] * state + z[t] * math.exp(-state)
        return -0.5 * total
    if which == PHI:
        phi = math.tanh(0.5 * x)
        rest = (1.0 - phi * phi) * c[0] + c[1] - 2.0 * phi * c[2] + phi * phi * c[3]
        up, down = math.log1p(phi), math.log1p(-phi)
        return (c[4] + 0.5) * up + (c[5] + 0.5) * down - 0.5 * rest
    return x * c[0] - 0.5 * (c[1] * x * x + 2.0 * c[2] * x) - 0.5 * c[3] * math.exp(x)


@njit(cache=True, nogil=True)
def _slice(which, x, z, c, width, rng):  # type: ignore[no-untyped-def]
    """Neal's slice sampler with stepping out."""
    height = _log_target(which, x, z, c) - rng.standard_exponential()
    low = x - width * rng.random()
    high = low + width
    while _log_target(which, low, z, c) > height:
        low -= width
    while _log_target(which, high, z, c) > height:
        high += width
    while True:
        new = low + (high - low) * rng.random()
        if _log_target(which, new, z, c) > height:
            return new
        if new < x:
            low = new
        else:
            high = new


@njit(cache=True, nogil=True)
def _shrunk(shape, rate, rng):  # type: ignore[no-untyped-def]
    """Draw a gamma variable that is below one, by the envelope that fits."""
    while True:
        if rate < 1.0:
            tau = rng.random() ** (1.0 / shape)
            if rng.standard_exponential() > rate * tau:
                return tau
        elif rate < shape - math.sqrt(shape):
            y = rng.standard_exponential() / (shape - rate)
            if rng.standard_exponential() > rate * (math.expm1(-y) + y):
                return math.exp(-y)
        else:
            tau = rng.standard_gamma(shape) / rate
            if tau <= 1.0:
                return tau


@njit(cache=True, nogil=True)
def _student(z, n, theta, prior, q, rng):  # type: ignore[no-untyped-def]
    """Draw ν with q integrated out, where it is not given, then q."""
    if prior[0] > 0.0:
        c = np.array([float(n), prior[0], prior[1]])
        x = _slice(DOF, math.log(theta[0] - LEAST_DOF), z, c, 0.7, rng)
        theta[0] = LEAST_DOF + math.exp(x)
    for t in range(len(q)):
        q[t] = 0.5 * (theta[0] + z[t]) / rng.standard_gamma(0.5 * (theta[0] + n))


@njit(cache=True, nogil=True)
def _block(h, z, n, phi, sigma, start, end, rng):  # type: ignore[no-untyped-def]
    """Independence step for h[start:end] from the normal law at its mode; returns acceptance."""
    size, days, over = end - start, len(h), 1.0 / (sigma * sigma)
    own, pull = np.full(size, (1.0 + phi * phi) * over), np.full(size, -0.5 * n)
    if start == 0:
        own[0] -= phi * phi * over
    else:
        pull[0] += phi * over * h[start - 1]
    if end == days:
        own[-1] -= phi * phi * over
    else:
        pull[-1] += phi * over * h[end]
    off = -phi * over
    mode, pivot, step = h[start:end].copy(), np.empty(size), np.empty(size)
    for _ in range(100):  # Newton on a concave density, steps held in check
        for i in range(size):
            bend = 0.5 * z[start + i] * math.exp(-mode[i])
            slope = pull[i] - own[i] * mode[i] + bend
            slope -= off * mode[i - 1] if i > 0 else 0.0
            slope -= off * mode[i + 1] if i + 1 < size else 0.0
            pivot[i] = own[i] + bend
            step[i] = slope
            if i > 0:
                ratio = off / pivot[i - 1]
                pivot[i] -= ratio * off
                step[i] -= ratio * step[i - 1]
        largest = 0.0
        for i in range(size - 1, -1, -1):
            step[i] = (step[i] - (off * step[i + 1] if i + 1 < size else 0.0)) / pivot[i]
            largest = max(largest, abs(step[i]))
        mode += step * min(1.0, 2.0 / max(largest, 1e-300))
        if largest < 1e-9:
            break
    else:
        return 0.0  # no mode, no proposal: stay
    gain = 0.0  # what the normal law leaves out of the log density, beyond its second order
    for i in range(size - 1, -1, -1):
        d = rng.standard_normal() - (off * step[i + 1] / pivot[i] ** 0.5 if i + 1 < size else 0.0)
        step[i] = d = d / math.sqrt(pivot[i])
        e, bend = h[start + i] - mode[i], 0.5 * z[start + i] * math.exp(-mode[i])
        gain += bend * (math.expm1(-e) + e - 0.5 * e * e - math.expm1(-d) - d + 0.5 * d * d)
    if rng.standard_exponential() < -gain:
        return 0.0
    h[start:end] = mode + step
    return 1.0


@njit(cache=True, nogil=True)
def _volatility(h, z, n, theta, prior, size, rng):  # type: ignore[no-untyped-def]
    """Update h, φ and σ; returns the share of blocks accepted."""
    days, moved, blocks = len(h), 0.0, 0
    for cut in range(int(rng.random() * size) + 1 - size, days, size):
        moved += _block(h, z, n, theta[1], theta[2], max(cut, 0), min(cut + size, days), rng)
        blocks += 1
    first, square, cross = h[0] * h[0], 0.0, 0.0
    for t in range(1, days):
        square += h[t] * h[t]
        cross += h[t] * h[t - 1]
    before = first + square - h[-1] * h[-1]
    sums = np.array([first, square, cross, before]) / theta[2] ** 2
    c = np.append(sums, prior[2:4])
    theta[1] = math.tanh(0.5 * _slice(PHI, 2.0 * math.atanh(theta[1]), z, c, 1.0, rng))
    phi = theta[1]
    rest = (1.0 - phi * phi) * first + square - 2.0 * phi * cross + phi * phi * before
    c = np.array([float(days), rest, prior[4]])
    theta[2] = math.exp(_slice(SIGMA_OF_STATES, math.log(theta[2]), z, c, 0.3, rng))
    c[0], pairs = n, np.concatenate((z, h / theta[2]))
    sigma = _slice(SIGMA_OF_DATA, theta[2], pairs, c, theta[2], rng)
    h[:] = sigma * pairs[days:]
    theta[2] = abs(sigma)  # h/σ and its mirror image are equally likely
    return moved / blocks


@njit(cache=True, nogil=True)
def _level(h, phi, sigma, root, turned, moments, force, rng):  # type: ignore[no-untyped-def]
    """Move h up and log Σ down by the same amount; the likelihood does not notice."""
    days, over = len(h), 1.0 / (sigma * sigma)
    bend = (1.0 - phi * phi + (days - 1) * (1.0 - phi) ** 2) * over
    lean = (1.0 - phi * phi) * h[0] * over
    lean += (1.0 - phi) * (h[1:] - phi * h[:-1]).sum() * over
    held = (turned * np.dot(moments, turned)).sum()
    shift = _slice(LEVEL, 0.0, h, np.array([force, bend, lean, held]), 0.5, rng)
    h += shift
    root *= math.exp(-0.5 * shift)
    turned *= math.exp(0.5 * shift)


@njit(cache=True, nogil=True)
def sweeps(moments, dof, rows, listed, prior, theta, h, q, tau, thin, size, out, rng):  # type: ignore[no-untyped-def]
    r"""Sweep ``thin`` times for each state in ``out``; the state arrays are left where they end.

    .. math::
        u_t = s_t P \eta_t, \qquad s_t^2 = q_t\, e^{h_t} / \tau_t, \qquad
        q_t \sim IG(\nu/2, \nu/2), \quad h_t = \phi h_{t-1} + \sigma \xi_t, \quad
        \tau_t^{1/2} \sim U(0, 1) \text{ on listed days}

    Infinite ν, zero σ and an empty list each leave one part out. A sweep draws (B, Σ) given all
    scales; then ν with q integrated out, q, τ, h in blocks, φ and σ, σ again with h/σ held fixed;
    at last it moves the level of h and of Σ against each other, along which the likelihood is flat.

    ``moments`` and ``dof`` are those of the prior (k + n, k + n), ``rows`` (time, k + n) the data;
    ``prior`` holds shape and rate of ν - 2.1 (zero shape: ν is given), the two shapes of
    (1 + φ)/2, the scale of σ; ``theta`` is ν, φ, σ.  Returns the share of blocks accepted.
    """
    roots, turns, scales, thetas, outliers = out
    days, m = rows.shape
    n, moved = roots.shape[1], 0.0
    root, turned = np.zeros((n, n)), np.zeros((m, n))
    for s in range(len(roots) * thin):
        calm = np.exp(-h)
        calm[listed] *= tau
        scaled = rows * np.sqrt(calm / q).reshape(days, 1)
        _regress(moments + np.dot(scaled.T, scaled), root, turned, dof + days, rng)
        z = (np.dot(rows, turned) ** 2).sum(axis=1)
        if theta[0] < math.inf:
            _student(z * calm, n, theta, prior, q, rng)
        z /= q
        for i in range(len(listed)):
            t = listed[i]
            tau[i] = _shrunk(0.5 * (n + 1.0), 0.5 * z[t] * math.exp(-h[t]), rng)
            z[t] *= tau[i]
        if theta[2] > 0.0:
            moved += _volatility(h, z, n, theta, prior, size, rng)
            force = 0.5 * n * (dof + m - n)
            _level(h, theta[1], theta[2], root, turned, moments, force, rng)
        if (s + 1) % thin == 0:
            at = s // thin
            roots[at], turns[at], thetas[at] = root, turned, theta
            scales[at] = np.sqrt(q * np.exp(h))
            outliers[at] = 1.0 / np.sqrt(tau)
            scales[at][listed] *= outliers[at]
    return moved / (len(roots) * thin)


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
