r"""A VAR's data, its instruments and a prior in; draws of the proxy VAR's posterior out.

Each sweep passes once through steps that leave the joint posterior unchanged:

1. missing cells of instruments on days when another was seen, from their normal conditional (days
   without any instrument say nothing of it and do not enter);
2. (μ, β) given the shocks, normal; Ω given its residuals, inverse Wishart;
3. the channels' columns q of Q: elliptical slices on a Gaussian matrix whose Gram-Schmidt basis
   they are, hence uniform a priori (Arias, Rubio-Ramirez and Shin 2025);
4. Σ: a proposal from its inverse Wishart given y and B alone, *with the columns carried along*,
   :math:`q \to \mathrm{qr}(P_*'P'^{-1} q) = (q_*, R)`, :math:`\beta_c \to \beta_c R_{cc}`, so that
   with one channel the fitted instrument does not move however reliable it is; accepted with the
   ratio of the instruments' likelihoods and of the prior of β times the Jacobian

   .. math:: |\det P_*'P'^{-1}|^{C} \prod_c R_{cc}^{-(n + C + 1 - 2c)} \prod_j R_{c(j)c(j)};

5. B: in the coordinates of the structural shocks its columns are independent of one another
   given the channels', whose precision the instruments raise by
   :math:`\beta_c'\Omega^{-1}\beta_c\,X_z'X_z`; the unnamed columns of Q are drawn afresh, uniform.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from attribution.core import niw
from attribution.core.instruments.model import ProxyDraws, ProxyPrior

# Numba kernels of the proxy VAR's Gibbs sampler; ``instrument_gibbs`` says what they draw.

SLICES = 3
"""Slice steps a sweep: the direction mixes slowest where an instrument is weak."""


@njit(cache=True, nogil=True)
def _orthonormal(a):  # type: ignore[no-untyped-def]
    """Gram-Schmidt, twice for the digits: Q with the span of a, and the upper triangle R."""
    n, c = a.shape
    q, r = a.copy(), np.zeros((c, c))
    for j in range(c):
        for _ in range(2):
            for i in range(j):
                along = 0.0
                for v in range(n):
                    along += q[v, i] * q[v, j]
                r[i, j] += along
                for v in range(n):
                    q[v, j] -= along * q[v, i]
        size = 0.0
        for v in range(n):
            size += q[v, j] * q[v, j]
        r[j, j] = math.sqrt(size)
        for v in range(n):
            q[v, j] /= r[j, j]
    return q, r


@njit(cache=True, nogil=True)
def _wishart_root(scale, dof, rng):  # type: ignore[no-untyped-def]
    """Lower Cholesky factor of a draw from IW(scale, dof), by Bartlett (see ``niw``)."""
    n = scale.shape[0]
    lower = np.zeros((n, n))
    for i in range(n):
        lower[i, i] = math.sqrt(rng.chisquare(dof - (n - 1 - i)))
        for j in range(i):
            lower[i, j] = rng.standard_normal()
    return np.linalg.cholesky(scale) @ np.linalg.inv(lower)


@njit(cache=True, nogil=True)
def _back(lower, right):  # type: ignore[no-untyped-def]
    """Solve lower' x = right by substitution."""
    x = right.copy()
    for i in range(x.shape[0] - 1, -1, -1):
        x[i] /= lower[i, i]
        for j in range(i):
            x[j] -= lower[i, j] * x[i]
    return x


@njit(cache=True, nogil=True)
def _normal(precision, right, rng):  # type: ignore[no-untyped-def]
    """Draw from N(precision^-1 right, precision^-1)."""
    size = np.sqrt(np.diag(precision))  # equilibrated: units do not touch the digits
    lower = np.linalg.cholesky(precision / np.outer(size, size))
    x = right / size
    for i in range(x.shape[0]):
        for j in range(i):
            x[i] -= lower[i, j] * x[j]
        x[i] /= lower[i, i]
    for i in range(x.shape[0]):
        x[i] += rng.standard_normal()
    return _back(lower, x) / size


@njit(cache=True, nogil=True)
def _impute(m, missing, fitted, inverse, rng):  # type: ignore[no-untyped-def]
    """Redraw missing cells, each from its conditional given the day's other instruments."""
    for t in range(m.shape[0]):
        for j in range(m.shape[1]):
            if missing[t, j]:
                pull = 0.0
                for i in range(m.shape[1]):
                    if i != j:
                        pull += inverse[j, i] * (m[t, i] - fitted[t, i])
                spread = rng.standard_normal() / math.sqrt(inverse[j, j])
                m[t, j] = fitted[t, j] - pull / inverse[j, j] + spread


@njit(cache=True, nogil=True)
def _measure(m, shocks, of, inverse, center_weight, loading_weight, rng):  # type: ignore[no-untyped-def]
    """Draw (center, loading) of all instruments given the channels' shocks and Ω."""
    days, k = m.shape
    precision, right = np.zeros((2 * k, 2 * k)), np.zeros(2 * k)
    for j in range(k):
        own = shocks[:, of[j]]
        precision[j, j] += center_weight[j]
        precision[k + j, k + j] += loading_weight[j]
        for i in range(k):
            other, w = shocks[:, of[i]], inverse[j, i]
            precision[j, i] += w * days
            precision[j, k + i] += w * other.sum()
            precision[k + j, i] += w * own.sum()
            precision[k + j, k + i] += w * (own * other).sum()
            right[j] += w * m[:, i].sum()
            right[k + j] += w * (own * m[:, i]).sum()
    drawn = _normal(precision, right, rng)
    return drawn[:k].copy(), drawn[k:].copy()


@njit(cache=True, nogil=True)
def _fit(q, loading, of, inverse, second, cross):  # type: ignore[no-untyped-def]
    """Log-likelihood of the instruments, but for what no column touches, in moments of P^-1 u."""
    total = 0.0
    for j in range(of.shape[0]):
        a = loading[j] * q[:, of[j]]
        for i in range(of.shape[0]):
            b = loading[i] * q[:, of[i]]
            total += inverse[j, i] * ((a * cross[:, i]).sum() - 0.5 * (a * (second @ b)).sum())
    return total


@njit(cache=True, nogil=True)
def _slice(g, loading, of, inverse, second, cross, rng):  # type: ignore[no-untyped-def]
    """One elliptical slice on the Gaussian matrix g behind the channels' columns."""
    n, c = g.shape
    other = np.empty((n, c))
    for v in range(n):
        for j in range(c):
            other[v, j] = rng.standard_normal()
    q, _ = _orthonormal(g)
    floor = _fit(q, loading, of, inverse, second, cross) + math.log(1.0 - rng.random())
    angle = 2.0 * math.pi * rng.random()
    low, high = angle - 2.0 * math.pi, angle
    while True:
        moved = math.cos(angle) * g + math.sin(angle) * other
        q, _ = _orthonormal(moved)
        if _fit(q, loading, of, inverse, second, cross) > floor or high - low < 1e-12:
            return moved
        if angle < 0.0:
            low = angle
        else:
            high = angle
        angle = low + (high - low) * rng.random()


@njit(cache=True, nogil=True)
def _transport(factor, q, loading, of, moments, proposal, inverse, loading_weight, rng):  # type: ignore[no-untyped-def]
    """Move Σ to its proposal and the channels' columns with it, or stay."""
    n, c = q.shape
    second, cross = moments
    back, back_new = np.linalg.inv(factor), np.linalg.inv(proposal)
    moved, r = _orthonormal(proposal.T @ (back.T @ q))
    stretched = loading.copy()
    ratio = 0.0
    for v in range(n):
        ratio += c * math.log(proposal[v, v] / factor[v, v])
    for i in range(c):
        ratio -= (n + c - 1 - 2 * i) * math.log(r[i, i])
    for j in range(of.shape[0]):
        stretched[j] *= r[of[j], of[j]]
        ratio += math.log(r[of[j], of[j]])
        ratio -= 0.5 * loading_weight[j] * (stretched[j] ** 2 - loading[j] ** 2)
    ratio += _fit(moved, stretched, of, inverse, back_new @ second @ back_new.T, back_new @ cross)
    ratio -= _fit(q, loading, of, inverse, back @ second @ back.T, back @ cross)
    if math.log(1.0 - rng.random()) < ratio:
        return proposal, moved, stretched, 1.0
    return factor, q, loading, 0.0


@njit(cache=True, nogil=True)
def _coefficients(b, axes, c, loading, of, center, inverse, posterior, seen, m, rng):  # type: ignore[no-untyped-def]
    """Draw B, one column a structural equation; ``axes`` are the rows of H^-1 as columns."""
    mean, precision, root = posterior
    xx, xy, xo = seen
    n, f = axes.shape[0], b @ axes
    targets, answers = mean @ axes, xy @ axes
    for i in range(n):
        if i >= c:
            noise = np.empty(b.shape[0])
            for r in range(b.shape[0]):
                noise[r] = rng.standard_normal()
            f[:, i] = targets[:, i] + _back(root, noise)
            continue
        own = np.where(of == i, loading, 0.0)
        gain = inverse @ own
        pull = xo.T @ ((m - center) @ gain)
        for j in range(c):
            if j != i:
                load = (np.where(of == j, loading, 0.0) * gain).sum()
                pull -= load * (answers[:, j] - xx @ f[:, j].copy())
        weight = (own * gain).sum()
        right = precision @ targets[:, i].copy() - pull + weight * answers[:, i]
        f[:, i] = _normal(precision + weight * xx, right, rng)
    return f @ np.linalg.inv(axes)


@njit(cache=True, nogil=True)
def chain(y, x, days, m, of, prior, relevance, posterior, state, draws, burn_in, thin, rng):  # type: ignore[no-untyped-def]
    """Run sweeps; see ``attribution.core.instruments.gibbs`` for the steps and the arrays.

    Arrays: y (time, variable), x (time, regressor), m (day with one, instrument), q (variable,
    channel) orthonormal, ``of`` (instrument,) the channel of each, ``inverse`` the inverse of the
    instruments' noise covariance, ``second`` and ``cross`` the moments of errors with themselves
    and with centred instruments.
    """
    prior_mean, prior_precision, prior_scale, prior_dof = prior
    center_weight, loading_weight, noise_scale, noise_dof = relevance
    factor, g, b, center, loading, noise = state
    n, c, k, count = y.shape[1], g.shape[1], x.shape[1], m.shape[1]
    xo, m = x[days], m.copy()
    seen = (xo.T @ xo, xo.T @ y[days], xo)
    missing = np.isnan(m)
    for j in range(count):
        m[:, j] = np.where(missing[:, j], center[j], m[:, j])
    impacts, bs = np.empty((draws, n, n)), np.empty((draws, k, n))
    centers, loadings = np.empty((draws, count)), np.empty((draws, count))
    noises, accepted = np.empty((draws, count, count)), 0.0
    sweeps = burn_in + draws * thin
    for sweep in range(sweeps):
        errors = y - x @ b
        struck = errors[days]
        q, upper = _orthonormal(g)
        shocks = struck @ (np.linalg.inv(factor).T @ q)
        inverse = np.linalg.inv(noise)
        fitted = center + loading * shocks[:, of]
        if missing.any():
            _impute(m, missing, fitted, inverse, rng)
        center, loading = _measure(m, shocks, of, inverse, center_weight, loading_weight, rng)
        rest = m - center - loading * shocks[:, of]
        root = _wishart_root(noise_scale + rest.T @ rest, noise_dof + m.shape[0], rng)
        noise = root @ root.T
        inverse = np.linalg.inv(noise)
        moments = (struck.T @ struck, struck.T @ (m - center))
        back = np.linalg.inv(factor)
        second, cross = back @ moments[0] @ back.T, back @ moments[1]
        for _ in range(SLICES):
            g = _slice(g, loading, of, inverse, second, cross, rng)
        q, upper = _orthonormal(g)
        gap = b - prior_mean
        scale = prior_scale + errors.T @ errors + gap.T @ prior_precision @ gap
        proposal = _wishart_root(scale, prior_dof + y.shape[0] + k, rng)
        factor, q, loading, taken = _transport(
            factor, q, loading, of, moments, proposal, inverse, loading_weight, rng
        )
        accepted += taken
        g = q @ upper
        wide = np.empty((n, n))
        wide[:, :c] = q
        for v in range(n):
            for j in range(c, n):
                wide[v, j] = rng.standard_normal()
        wide, _ = _orthonormal(wide)
        axes = np.linalg.inv(factor).T @ wide
        b = _coefficients(b, axes, c, loading, of, center, inverse, posterior, seen, m, rng)
        kept = (sweep - burn_in + 1) // thin - 1
        if sweep >= burn_in and (sweep - burn_in + 1) % thin == 0:
            impacts[kept], bs[kept] = factor @ wide, b
            centers[kept], loadings[kept], noises[kept] = center, loading, noise
    return impacts, bs, centers, loadings, noises, accepted / max(sweeps, 1)


@dataclass(frozen=True)
class ProxyData:
    """What a proxy VAR is estimated from.

    Attributes
    ----------
    response, regressors : (time, variable), (time, regressor).
    instruments : (time, instrument); NaN where not observed.
    """

    response: np.ndarray
    regressors: np.ndarray
    instruments: np.ndarray


def start(prior: ProxyPrior, data: ProxyData, rng: np.random.Generator) -> ProxyDraws:
    """Return one state: the VAR from its posterior without instruments, these from anywhere."""
    posterior = niw.posterior(prior.reduced, data.response, data.regressors)
    n = len(posterior.scale)
    impact = niw.draw_factor(posterior, 1, rng)
    impact = impact @ np.linalg.qr(rng.standard_normal((1, n, n)))[0]
    return ProxyDraws(
        impact=impact,
        coefficients=niw.draw_coefficients(posterior, impact, rng),
        center=np.nanmean(data.instruments, 0)[None],
        loading=prior.relevance * prior.spread * rng.standard_normal((1, len(prior.spread))),
        noise=np.diag(prior.spread**2)[None],
    )


def sample(
    prior: ProxyPrior,
    data: ProxyData,
    state: ProxyDraws,
    *,
    draws: int,
    burn_in: int,
    thin: int,
    rng: np.random.Generator,
) -> tuple[ProxyDraws, float]:
    """Run one chain from the last of the given states.

    Returns
    -------
    The kept draws, and the share of proposals of Σ that were accepted.

    References
    ----------
    caldara2019; arias2021; arias2025; murray2010
    """
    seen = np.isfinite(data.instruments).any(1)
    updated = niw.posterior(prior.reduced, data.response, data.regressors)
    *kept, accepted = chain(
        np.ascontiguousarray(data.response),
        np.ascontiguousarray(data.regressors),
        np.flatnonzero(seen),
        np.ascontiguousarray(data.instruments[seen]),
        np.ascontiguousarray(prior.channel_of, np.int64),
        _reduced(prior),
        _relevance(prior),
        (updated.mean, updated.precision, np.linalg.cholesky(updated.precision)),
        _state(prior, state),
        draws,
        burn_in,
        thin,
        rng,
    )
    return ProxyDraws(*kept), float(accepted)


def _reduced(prior: ProxyPrior) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    reduced = prior.reduced
    return reduced.mean, reduced.precision, reduced.scale, float(reduced.dof)


def _relevance(prior: ProxyPrior) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Precisions of μ and β, scale and degrees of freedom of Ω."""
    center, loading = prior.center * prior.spread, prior.relevance * prior.spread
    return center**-2.0, loading**-2.0, np.diag(prior.spread**2), prior.noise_dof


def _state(prior: ProxyPrior, state: ProxyDraws) -> tuple[np.ndarray, ...]:
    """Return the last state as the kernel wants it: the factor of Σ and the channels' columns."""
    impact = state.impact[-1]
    factor = np.linalg.cholesky(impact @ impact.T)
    columns = np.linalg.solve(factor, impact)[:, : prior.channels]
    last = (state.coefficients, state.center, state.loading, state.noise)
    return (factor, np.ascontiguousarray(columns), *(part[-1].copy() for part in last))
