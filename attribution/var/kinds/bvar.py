"""Draws of the headline model in; its event, its prior, its ledger and its findings out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from attribution.finding import Finding
from attribution.model.spec import ModelSpec
from attribution.panel import Panel
from attribution.posterior import StructuralPosterior
from attribution.sampling import engine
from attribution.sampling.diagnostics import PARETO_K
from attribution.sampling.judge import begun_again
from attribution.sampling.pareto import power_scaling, recentred
from attribution.var.check.companion import expectations
from attribution.var.check.separation import profiles_differ
from attribution.var.estimate.bvar import BvarFit, fit_bvar
from attribution.var.estimate.loadings import (
    EventShocks,
    event_shocks,
    loadings,
    past_shocks,
    prior_shocks,
)
from attribution.var.kinds.shape import REWEIGHTED, Estimate, Groups, Sampling

PRIOR_DRAWS = 2000


def bvar(spec: ModelSpec, panel: Panel, how: Sampling) -> Estimate:
    """Sample the headline model and ask it its questions."""
    fit = fit_bvar(spec, panel.values, **how.nuts())
    return headline(spec, panel, fit, how.rng(), how.event_in)


def headline(
    spec: ModelSpec, panel: Panel, fit: BvarFit, rng: np.random.Generator, event_in: str
) -> Estimate:
    """Draw the event's shocks, weigh the priors, and ask the fitted model its questions."""
    event = event_shocks(spec, fit, rng)
    posterior = fit.tree["posterior"].to_dataset()
    stats = fit.tree["sample_stats"].to_dataset()
    known = {
        name: _named(spec, fit, posterior[name])
        for name in ("share", "slope", "state")
        if name in posterior
    }
    known["dof"] = (2.1 + posterior["tail"]).rename("dof")
    parts = {
        "elasticities": [posterior[name] for name in ("signed", "banded") if name in posterior],
        "noise": [posterior[name] for name in ("own", "reach") if name in posterior],
    }
    logs = {
        name: sum(-0.5 * (x.to_numpy() ** 2).reshape(*fit.lead, -1).sum(2) for x in arrays)
        for name, arrays in parts.items()
    }
    k, weights = _event_in(event)

    def groups(contribution: xr.DataArray, of: StructuralPosterior) -> Groups:
        found: Groups = {
            "/ledger": prior_ledger(contribution, logs, posterior["share"].to_numpy()),
            "/sample_stats": stats.drop_attrs(),
            "/log_prior": log_priors(logs),
        }
        if event_in == "out":
            found["/event_in"] = xr.Dataset(
                {
                    "log_weight": (("event_in", "chain", "draw"), weights),
                    "pareto_k": ("event_in", k),
                },
                {"event_in": ["out", "scale", "in"]},
            )
        return found

    return Estimate(
        posterior=event.posterior,
        prior=prior_shocks(spec, fit, min(PRIOR_DRAWS, fit.lead[0] * fit.lead[1]), rng),
        stats={name: stats[name].to_numpy() for name in ("diverging", "energy") if name in stats},
        parameters=known,
        findings=(
            *_expectations(spec, panel, fit, rng),
            *_profiles(spec, fit),
            set_aside(event.jump, spec.channels),
            *_reweighting(event_in, k),
            *begun_again(stats.attrs["begun_again"], fit.lead[0]),
        ),
        notes={
            "probability_of_jump": {
                f"{day:%Y-%m-%d}": {name: round(float(p), 4) for name, p in row.items()}
                for day, row in event.jump.iterrows()
            }
        },
        groups=groups,
    )


def _profiles(spec: ModelSpec, fit: BvarFit) -> tuple[Finding, ...]:
    """Ask whether the exposures alone would tell every two channels apart."""
    if not spec.exposures:
        return ()
    k = len(spec.channels)
    slope = fit.kernel.full_slope(fit.parameters.slope)[:, :k]
    return (profiles_differ(spec.channels, slope, fit.design.rows.exposure[:, :k]),)


def prior_ledger(
    contribution: xr.DataArray, logs: Mapping[str, np.ndarray], share: np.ndarray
) -> xr.Dataset:
    """Measure what each part of the prior does to each contribution (window, channel)."""
    draws = contribution.to_numpy()
    moved = {name: power_scaling(draws, log) for name, log in logs.items()}
    moved["recentred"] = recentred(draws, share[..., :-1])
    return xr.Dataset(
        {name: (("window", "channel"), values) for name, values in moved.items()},
        {name: contribution[name] for name in ("window", "channel")},
    )


def log_priors(logs: Mapping[str, np.ndarray]) -> xr.Dataset:
    """Lay out the log density of the parts of the prior that the ledger scales."""
    names = {"elasticities": "elasticity_priors", "noise": "noise_priors"}
    return xr.Dataset(
        {names[part]: (("chain", "draw"), log) for part, log in logs.items() if np.ndim(log)}
    )


def _event_in(event: EventShocks) -> tuple[np.ndarray, np.ndarray]:
    """Pareto k and log weights (event_in, chain, draw) of ``out``, ``scale`` and ``in``."""
    smoothed = [engine.psis(log) for log in (event.log_scale, event.log_in)]
    k = np.array([np.nan, *(found[1] for found in smoothed)])
    return k, np.stack([np.zeros_like(event.log_in), *(found[0] for found in smoothed)])


def _reweighting(event_in: str, k: np.ndarray) -> tuple[Finding, ...]:
    if event_in != "out":
        return ()
    worst = float(np.nanmax(k))
    return (
        Finding(
            name=REWEIGHTED,
            question="Can the draws be reweighted to the event's own evidence without a new fit?",
            evidence=(
                f"Pareto k {k[1]:.2f} with the event on its own scale, {k[2]:.2f} with the event in"
                + (
                    f"; above {PARETO_K} the comparison is not to be trusted: fit each with"
                    " --event-in all"
                    if worst > PARETO_K
                    else ""
                )
            ),
            verdict="fails" if worst > PARETO_K else "holds",
        ),
    )


def set_aside(jump: pd.DataFrame, channels: tuple[str, ...]) -> Finding:
    """Name the series whose own shock jumped on a day of the event: what they say is set aside."""
    own = jump.drop(columns=list(channels))
    struck = [
        f"{shock} on {day:%Y-%m-%d} ({own.loc[day, shock]:.2f})"
        for day in own.index
        for shock in own.columns
        if own.loc[day, shock] > 0.5
    ]
    return Finding(
        name="series set aside",
        question="Did the channels, and not a shock of some series' own, move the series?",
        evidence=(
            "a jump of its own, not a channel, is the likelier account of: "
            + ", ".join(struck)
            + "; a model without such shocks books the move to a channel"
            if struck
            else "no shock of a series' own is likelier than not to have jumped"
        ),
        verdict="undecided" if struck else "holds",
    )


def _expectations(
    spec: ModelSpec, panel: Panel, fit: BvarFit, rng: np.random.Generator
) -> tuple[Finding, ...]:
    if not spec.expectations:
        return ()
    shocks = past_shocks(fit)
    return expectations(
        spec, panel, rng, lambda series: loadings(fit, spec.channels, shocks, series)
    )


def _named(spec: ModelSpec, fit: BvarFit, array: xr.DataArray) -> xr.DataArray:
    """Give the sampler's vectors the names of what they describe."""
    shocks = fit.design.prior.shocks
    labels = {
        "share": ("importance", [*spec.channels, "rest"]),
        "slope": ("exposed", [shocks[i] for i in fit.kernel.exposed]),
        "state": ("jumped", ["none", *(shocks[j] for j in fit.design.prior.jumpers)]),
    }
    dim, names = labels[str(array.name)]
    values = array.to_numpy()
    return xr.DataArray(values, dims=("chain", "draw", dim), coords={dim: names}, name=array.name)
