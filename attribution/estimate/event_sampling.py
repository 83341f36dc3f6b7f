"""A structural model under one law of impact in; its draws and its marginal likelihood out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.special import betaln, expit, log_expit

from attribution import compat
from attribution.core.bridge import log_evidence
from attribution.estimate.event_model import LawModel
from attribution.estimate.warmup import sample_warmed

CHAINS, TUNE, CORES = 4, 500, 2
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
    with compat.one_thread():
        tree = sample_warmed(
            given.model,
            draws=draws,
            tune=tune,
            chains=CHAINS,
            cores=CORES,
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
