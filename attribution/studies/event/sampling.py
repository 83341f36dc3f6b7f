"""Draws from an unnormalised density in; the logarithm of its integral, with its error, out.

A normal fitted to half of the draws stands at the other end of the bridge. The density is first
warped towards it: centred, scaled and made even, which leaves its integral what it was, so that
skewness costs no precision. The same estimator serves every law of a model, so differences of two
results are log Bayes factors.

References: meng1996; meng2002; gronau2017; fruhwirth2004.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.special import betaln, expit, log_expit, logsumexp

from attribution.errors import DiagnosticsError
from attribution.sampling import engine
from attribution.sampling.diagnostics import effective_size
from attribution.sampling.warmup import sample_warmed
from attribution.studies.event.density import LawModel

SWEEPS, CLOSE = 1000, 1e-12
ENOUGH = 10
"""Draws a dimension below which no covariance is fitted."""

LogDensity = Callable[[np.ndarray], np.ndarray]
"""(draw, dimension) to (draw,): logarithms on the whole space, minus infinity allowed."""


@dataclass(frozen=True)
class Evidence:
    """A log marginal likelihood.

    Attributes
    ----------
    log : of the integral.
    error : Monte Carlo standard deviation of the integral relative to itself, which for small
        values is the standard deviation of ``log``.
    size : effective number of the posterior draws on the bridge.
    """

    log: float
    error: float
    size: float


def log_evidence(draws: np.ndarray, log_density: LogDensity, rng: np.random.Generator) -> Evidence:
    r"""Estimate :math:`\log \int q(\theta)\,d\theta` from draws in proportion to q.

    With g the normal, :math:`s_1, s_2` the shares of effective draws from q and of draws from g,

    .. math::
        \hat z = \frac{n_2^{-1} \sum_j q(\tilde\theta_j) / \{s_1 q(\tilde\theta_j) + s_2 \hat z
        g(\tilde\theta_j)\}}{n_1^{-1} \sum_i g(\theta_i) / \{s_1 q(\theta_i) + s_2 \hat z
        g(\theta_i)\}}

    iterated until it stands still, the choice that has the least relative error.

    Parameters
    ----------
    draws : (chain, draw, dimension), on a space without bounds, Jacobians in the density.
    log_density : log q; called with (n, dimension).
    rng : for the draws from the normal.

    Returns
    -------
    Evidence; its error counts the autocorrelation of the chains, not that of the fitted normal.

    Raises
    ------
    DiagnosticsError
        Too few draws to fit a normal, draws of density zero, or an iteration that does not settle.

    References
    ----------
    meng1996; meng2002; gronau2017; fruhwirth2004
    """
    half = draws.shape[1] // 2
    center, root = _fitted(draws[:, :half])
    here = draws[:, half:]
    chains, length, size = here.shape
    lever = np.asarray(np.linalg.solve(root, (here.reshape(-1, size) - center).T)).T
    there = rng.standard_normal(lever.shape)
    posterior = _warped(lever, center, root, log_density) - _normal(lever)
    if not np.isfinite(posterior).all():
        raise DiagnosticsError(
            "bridge sampling: posterior draws have a density that is not finite; give the draws "
            "and the density of one model"
        )
    proposal = _warped(there, center, root, log_density) - _normal(there)
    worth = float(effective_size(posterior.reshape(chains, length, 1))[0])
    worth = len(posterior) if np.isnan(worth) else worth  # a ratio that never moves is exact
    log = _iterated(posterior, proposal, worth)
    return Evidence(log, _error(posterior - log, proposal - log, worth, chains), worth)


def _fitted(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and Cholesky factor of the covariance of draws."""
    flat = draws.reshape(-1, draws.shape[-1])
    if len(flat) < ENOUGH * flat.shape[1]:
        raise DiagnosticsError(
            f"bridge sampling: {len(flat)} draws are too few to fit a normal in {flat.shape[1]} "
            f"dimensions; draw at least {2 * ENOUGH * flat.shape[1]}"
        )
    try:
        return flat.mean(0), np.linalg.cholesky(np.atleast_2d(np.cov(flat, rowvar=False)))
    except np.linalg.LinAlgError:
        raise DiagnosticsError(
            "bridge sampling: the draws lie in a plane; leave out what another dimension implies"
        ) from None


def _normal(points: np.ndarray) -> np.ndarray:
    """Log density of independent standard normals, (draw,)."""
    size = points.shape[1]
    return np.asarray(-0.5 * (points**2).sum(1) - 0.5 * size * np.log(2.0 * np.pi))


def _warped(
    points: np.ndarray, center: np.ndarray, root: np.ndarray, log_density: LogDensity
) -> np.ndarray:
    """Log density of the standardised and evened-out parameter, whose integral is that of q."""
    step = points @ root.T
    both = np.stack([log_density(center + step), log_density(center - step)])
    if np.isnan(both).any():
        raise DiagnosticsError(
            "bridge sampling: the density is not a number somewhere; let it be minus infinity there"
        )
    volume = np.log(np.diag(root)).sum() - np.log(2.0)
    return np.asarray(np.logaddexp(*both) + volume)


def _iterated(posterior: np.ndarray, proposal: np.ndarray, worth: float) -> float:
    """Find the fixed point of the optimal bridge, from log ratios of density to normal."""
    first = np.log(worth / (worth + len(proposal)))
    second = np.log(len(proposal) / (worth + len(proposal)))
    log = float(np.median(posterior))
    for _ in range(SWEEPS):
        above = proposal - np.logaddexp(first + proposal, second + log)
        below = -np.logaddexp(first + posterior, second + log)
        new = float(logsumexp(above) - np.log(len(above)) - logsumexp(below) + np.log(len(below)))
        if abs(new - log) < CLOSE * max(1.0, abs(new)):
            return new
        log = new
    raise DiagnosticsError(
        "bridge sampling: the estimate does not settle; draw more, the normal hardly meets the "
        "posterior"
    )


def _error(posterior: np.ndarray, proposal: np.ndarray, worth: float, chains: int) -> float:
    """Relative standard error, from log ratios of normalised density to normal (fruhwirth2004)."""
    first, second = worth / (worth + len(proposal)), len(proposal) / (worth + len(proposal))
    above = 1.0 / (first + second * np.exp(-proposal))
    below = np.exp(-np.logaddexp(np.log(first) + posterior, np.log(second)))
    slow = effective_size(below.reshape(chains, -1, 1))[0]
    slow = np.inf if np.isnan(slow) else slow
    square = above.var() / above.mean() ** 2 / len(above) + below.var() / below.mean() ** 2 / slow
    return float(np.sqrt(square))


# A structural model under one law of impact in; its draws and its marginal likelihood out.

CHAINS, TUNE = 4, 500
ACCEPT = 0.95
"""Short steps: a loop gain of one is a wall, and what was unwound times a share is a corner."""
LOG_ROOT = 0.5 * np.log(2.0 * np.pi)


@dataclass(frozen=True)
class LawFit:
    """Posterior under one law of impact.

    Attributes
    ----------
    law : its name.
    draws : name -> (chain, draw, ...), in the units of the question; ``absorbed`` is 1 in draws in
        which forced orders leave no mark on the price, else 0.
    chance : (chain, draw), probability of that given the draw's parameters.
    log_evidence : log marginal likelihood; ``evidence_error`` its Monte Carlo standard error.
    stats : ``diverging``, ``energy`` and ``n_steps`` (chain, draw).
    point : (chain, draw, dimension), what was sampled, without bounds.
    """

    law: str
    draws: Mapping[str, np.ndarray]
    chance: np.ndarray
    log_evidence: float
    evidence_error: float
    stats: Mapping[str, np.ndarray]
    point: np.ndarray = field(default_factory=lambda: np.empty(0))


def fit_law(
    given: LawModel, *, draws: int, seed: np.random.SeedSequence, progress: bool, tune: int = TUNE
) -> LawFit:
    """Sample one law, integrate its density, and draw what was integrated out.

    Parameters
    ----------
    draws : kept draws a chain.
    """
    first, second, third = seed.spawn(3)
    with engine.one_thread():
        tree = sample_warmed(
            given.model,
            draws=draws,
            tune=tune,
            chains=CHAINS,
            seed=int(first.generate_state(1)[0]),
            progress=progress,
            sampler="pymc",
            target_accept=ACCEPT,
        )
    posterior, stats = tree["posterior"], tree["sample_stats"]
    z, shares = posterior["z"].to_numpy(), posterior["shares"].to_numpy()
    point = np.concatenate([z, np.log(shares) - np.log1p(-shares)], axis=-1)
    evidence = log_evidence(point, lambda x: log_posterior(given, x), np.random.default_rng(second))
    chance = chances(given, z, shares)
    found = {name: np.asarray(value) for name, value in given.plan.unpack(z, shares).items()}
    found["absorbed"] = (np.random.default_rng(third).random(chance.shape) < chance).astype(int)
    return LawFit(
        law=given.law.name,
        draws=found,
        chance=chance,
        log_evidence=evidence.log,
        evidence_error=evidence.error,
        stats={name: stats[name].to_numpy() for name in ("diverging", "energy", "n_steps")},
        point=point,
    )


def chances(given: LawModel, z: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Probability, draw by draw (...,), that forced orders left no mark, given parameters."""
    rows = zip(z.reshape(-1, z.shape[-1]), shares.reshape(-1, shares.shape[-1]), strict=True)
    return np.array([given.kernel.chance(a, b) for a, b in rows]).reshape(z.shape[:-1])


def log_posterior(given: LawModel, points: np.ndarray) -> np.ndarray:
    """Log density of points without bounds (n, dimension), prior normalised, Jacobian included."""
    size, kernel = given.plan.size, given.kernel
    z, logit = points[:, :size], points[:, size:]
    p, q = (np.array([getattr(law, key) for _, law in given.plan.shares]) for key in ("p", "q"))
    prior = -0.5 * (z**2).sum(axis=1) - size * LOG_ROOT
    prior = prior + (p * log_expit(logit) + q * log_expit(-logit) - betaln(p, q)).sum(axis=1)
    shares = expit(logit)
    each = [kernel.value_and_gradient(a, b)[0] for a, b in zip(z, shares, strict=True)]
    return np.asarray(prior + np.array(each))
