"""A PyMC model in; a metric and dispersed starts for its sampler out.

The first metric is the curvature at the mode; short pilot chains from overdispersed starts then
measure the covariance of the posterior itself.  Neither touches the target, only the pace.  A pilot
chain that ended in a mode of little mass, which it would not leave in time, begins again from
another: its share of the draws would be many times the mode's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from attribution.sampling import engine
from attribution.sampling.modes import masses_above, mode_above

DISPERSION = 2.0
NEGLIGIBLE = -3.0
"""Log mass, relative to the heaviest, below which a mode is not given a chain of its own: one in
twenty at most, of which one chain in four would make a quarter of all draws."""


@dataclass(frozen=True)
class Warm:
    """Where to start and at what pace.

    Attributes
    ----------
    metric : (parameter, parameter); covariance of the unconstrained parameters.
    starts : one dictionary of starting values a chain.
    begun_again : chains that did not start where their pilot ended.
    """

    metric: np.ndarray
    starts: list[dict[str, Any]]
    begun_again: int


def sample_warmed(
    model: Any,
    *,
    draws: int,
    tune: int,
    chains: int,
    cores: int | None = None,
    seed: int,
    progress: bool,
    sampler: str,
    target_accept: float = 0.85,
) -> xr.DataTree:
    """Sample a model by NUTS; of the warm-up four fifths are pilot chains.

    A sampler with a metric of its own (nutpie) warms up by itself.  A higher ``target_accept``
    shortens the steps, for posteriors with a corner.
    """
    first, second = (int(s) for s in np.random.SeedSequence(seed).generate_state(2))
    share, begun_again = 4 * tune // 5, 0
    if sampler == "pymc":
        warm = warm_up(
            model, chains=chains, cores=cores, iterations=share, seed=first, progress=progress
        )
        metric, starts, begun_again = warm.metric, warm.starts, warm.begun_again
    else:
        metric, starts, share = None, None, 0
    tree = engine.sample(
        model,
        draws=draws,
        tune=tune - share,
        chains=chains,
        cores=cores,
        seed=second,
        target_accept=target_accept,
        progressbar=progress,
        sampler=sampler,
        metric=metric,
        initvals=starts,
    )
    tree["sample_stats"].attrs["begun_again"] = begun_again
    return tree


def warm_up(
    model: Any, *, chains: int, cores: int | None = None, iterations: int, seed: int, progress: bool
) -> Warm:
    """Find the mode, disperse the starts around it, and learn the metric from pilot chains.

    Parameters
    ----------
    iterations : of each pilot chain; the second half is kept.
    """
    rng = np.random.default_rng(seed)
    density, start = engine.log_density(model)
    top = mode_above(density, start)
    size, factor = len(start), np.linalg.cholesky(top.covariance)
    scattered = top.place + DISPERSION * rng.standard_normal((chains, size)) @ factor.T
    scattered = np.stack([_within(density, top.place, point) for point in scattered])
    constrain = _constrain(model)
    pilot = engine.sample(
        model,
        draws=iterations - iterations // 2,
        tune=iterations // 2,
        chains=chains,
        cores=cores,
        seed=int(rng.integers(2**31)),
        metric=top.covariance,
        initvals=[constrain(point) for point in scattered],
        progressbar=progress,
        stage="pilot chains",
        unconstrained=True,
    )
    draws = _unconstrained(model, pilot)
    mass = masses_above(density, draws[:, -1], top)
    kept = mass - mass.max() > NEGLIGIBLE
    flat = draws[kept].reshape(-1, size)
    # the pilot is short: what it says is shrunk to the curvature, one pilot draw a parameter
    share = len(flat) / (len(flat) + size)
    return Warm(
        metric=share * np.cov(flat.T) + (1.0 - share) * top.covariance,
        starts=[constrain(point) for point in begin(draws, kept)],
        begun_again=int((~kept).sum()),
    )


def _within(density: engine.Density, inside: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Halve the way to a point inside until the density is above zero there."""
    while not np.isfinite(density(point)[0]):
        point = 0.5 * (point + inside)
    return point


def begin(draws: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Return where each chain starts (chain, parameter): where its pilot ended, if that is kept.

    A chain that is not kept starts half-way through the pilot of one that is, each in its turn.

    Parameters
    ----------
    draws : of the pilots (chain, draw, parameter).
    kept : (chain,).
    """
    starts = draws[:, -1].copy()
    donors, lost = np.flatnonzero(kept), np.flatnonzero(~kept)
    starts[lost] = draws[donors[np.arange(len(lost)) % len(donors)], draws.shape[1] // 2]
    return starts


def _constrain(model: Any) -> Any:
    """Return the map from an unconstrained vector to starting values by name."""
    backward = engine.backward(model)
    names = [variable.name for variable in model.unobserved_value_vars]
    wanted = {variable.name for variable in model.free_RVs}

    def constrain(point: np.ndarray) -> dict[str, Any]:
        found = dict(zip(names, backward(point), strict=True))
        return {name: np.asarray(found[name]) for name in wanted}

    return constrain


def _unconstrained(model: Any, tree: xr.DataTree) -> np.ndarray:
    """Pilot draws (chain, draw, parameter) in the order of the model's value variables."""
    groups = [tree[name] for name in ("unconstrained_posterior", "posterior") if name in tree]
    columns = []
    for variable in model.value_vars:
        name = variable.name
        array = next(group[name] for group in groups if name in group.data_vars).to_numpy()
        columns.append(array.reshape(*array.shape[:2], -1))
    return np.concatenate(columns, axis=2)
