"""A structural VAR assembled from parts; the part that instruments tell apart.

The law of the errors decides what a rotation of the shocks means.  Where it leaves the likelihood
alone, a reduced form is estimated and a scheme chooses among its rotations; where it does not,
the likelihood has chosen and a table only names.  Instruments are part of the likelihood.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import xarray as xr

from attribution import runs
from attribution.errors import SpecError
from attribution.finding import Finding
from attribution.model.kinds import SEARCHES
from attribution.model.scheme import ROTATION_INVARIANT
from attribution.model.spec import ModelSpec
from attribution.panel import Panel
from attribution.posterior import StructuralPosterior
from attribution.sampling.diagnostics import mean_with_error
from attribution.var.estimate.proxy import ProxyFit, fit_proxy
from attribution.var.estimate.proxy_setup import says_more
from attribution.var.estimate.proxy_strength import LEVELS, Strength
from attribution.var.identify.fits import on_columns
from attribution.var.identify.obey import obeying, violation
from attribution.var.kinds.by_law import by_law
from attribution.var.kinds.by_rotations import by_order, by_restrictions
from attribution.var.kinds.shape import Estimate, Groups, Sampling, claims_of

STAGE = ("f", "f_hc0", "f_hc1", "r2", "r2_adjusted", "f_effective", "f_critical", "observations")
SETS = ("response", "se", "delta_low", "delta_high", "robust_low", "robust_high", "robust_shape")


def by_instruments(spec: ModelSpec, panel: Panel, draws: int, seed: int, event_in: str) -> Estimate:
    """Estimate with the instruments in the likelihood; further claims of the table must hold."""
    table = spec.identification

    def keep(posterior: StructuralPosterior) -> np.ndarray:
        assert table is not None
        return obeying(
            posterior,
            table,
            panel.values,
            constant=spec.system.constant,
            levels=spec.system.levels,
        )

    fitted = fit_proxy(
        spec,
        panel.values,
        draws=draws,
        seed=seed,
        event_in=event_in,
        keep=keep if says_more(spec) else None,
    )
    columns = [strength.column for strength in fitted.instruments]
    return Estimate(
        posterior=fitted.posterior,
        parameters={
            "loading": xr.DataArray(
                fitted.parameters["loading"],
                dims=("chain", "draw", "instrument"),
                coords={"instrument": columns},
            )
        },
        findings=tuple(strength.finding() for strength in fitted.instruments),
        notes=dict(fitted.notes),
        extra={**_groups(spec, fitted), **_point(spec, panel, fitted)},
    )


def _point(spec: ModelSpec, panel: Panel, fitted: ProxyFit) -> Groups:
    """Make group ``/point`` where one instrument stands for one channel."""
    if fitted.point is None:
        return {}
    system = spec.system
    return runs.point(fitted.point, panel.units, system.horizons, system.cumulated)


def _groups(spec: ModelSpec, fitted: ProxyFit) -> Groups:
    """Make groups ``/instruments`` (first stages) and ``/weak_instruments`` (robust sets)."""
    own = fitted.instruments
    stage = {
        name: ("instrument", np.array([float(getattr(s.first_stage, name)) for s in own]))
        for name in STAGE
    }
    stage["slope"] = ("instrument", np.array([float(s.first_stage.slope[0]) for s in own]))
    stage["t_robust"] = ("instrument", np.array([float(s.first_stage.t_robust[0]) for s in own]))
    stage["wald"] = ("instrument", np.array([s.wald for s in own]))
    coords = {"instrument": [s.column for s in own]}
    data = xr.Dataset(stage, coords).assign(
        reliability=(("chain", "draw", "instrument"), np.stack([s.reliability for s in own], -1))
    )
    groups = {"/instruments": data, "/weak_instruments": _sets(spec, own)}
    if spec.event.asked:
        groups["/weak_instruments_event"] = _event(spec, own)
    return groups


def _sets(spec: ModelSpec, own: tuple[Strength, ...]) -> xr.Dataset:
    shape = (len(LEVELS), spec.system.horizons + 1, len(spec.system.variables))
    dims = ("instrument", "level", "horizon", "variable")
    data: dict[str, tuple[tuple[str, ...], np.ndarray]] = {
        name: (dims, np.stack([s.responses[name].to_numpy().reshape(shape) for s in own]))
        for name in SETS
    }
    scales = list(own[0].impact.columns)
    data["impact"] = (
        ("instrument", "variable", "scaling"),
        np.stack([s.impact.reindex(columns=scales).to_numpy(float) for s in own]),
    )
    coords = {
        "instrument": [s.column for s in own],
        "level": list(LEVELS),
        "horizon": np.arange(shape[1]),
        "variable": list(spec.system.variables),
        "scaling": scales,
        "unit_of": ("instrument", [s.unit for s in own]),
    }
    found = xr.Dataset(data, coords)
    found["robust_shape"] = found["robust_shape"].astype(str)
    return found


def _event(spec: ModelSpec, own: tuple[Strength, ...]) -> xr.Dataset:
    windows = [window.name for window in spec.event.windows]
    found = [[s.contributions[name] for name in windows] for s in own]
    dims = ("instrument", "window")

    def each(read: str, end: str) -> np.ndarray:
        return np.array([[getattr(getattr(e.estimate, read), end) for e in row] for row in found])

    return xr.Dataset(
        {
            "contribution": (dims, np.array([[e.estimate.value for e in row] for row in found])),
            "delta_low": (dims, each("delta", "low")),
            "delta_high": (dims, each("delta", "high")),
            "robust_low": (dims, each("robust", "low")),
            "robust_high": (dims, each("robust", "high")),
            "silent": (dims, np.array([[e.silent for e in row] for row in found])),
        },
        {"instrument": [s.column for s in own], "window": windows},
    )


# Named draws and narratives that were not imposed in; the share that violates each out.

TOGETHER = "all together"


def with_asked(spec: ModelSpec, panel: Panel, found: Estimate) -> Estimate:
    """Ask the draws about every narrative that the table does not impose.

    Adds a finding for each, which holds where nine draws in ten agree, and the shares to the notes.
    """
    asked = violated(spec, panel, found.posterior)
    if not asked:
        return found
    weight = found.posterior.weight
    means = {words: mean_with_error(fails, weight) for words, fails in asked.items()}
    findings = tuple(
        Finding.by_chance(
            f"narrative: {words}",
            f"Do the draws agree: {words}?",
            f"{100 * share:.3g} % of the draws violate it",
            probability=1.0 - share,
            error=error,
        )
        for words, (share, error) in means.items()
    )
    return replace(
        found,
        findings=(*found.findings, *findings),
        notes={
            **found.notes,
            "narratives_violated": {words: share for words, (share, _) in means.items()},
        },
    )


def violated(
    spec: ModelSpec, panel: Panel, posterior: StructuralPosterior
) -> dict[str, np.ndarray]:
    """Whether each draw violates each narrative that is asked (chain, draw), by its words."""
    table = spec.identification
    if table is None or not table.asked:
        return {}
    alone = replace(
        table, direction=0, cells=(), rankings=(), shares=(), narratives=table.asked,
        reading="unconditional",
    )  # fmt: skip
    claims = claims_of(spec, alone, panel)
    lead, n = posterior.impact.shape[:2], len(posterior.variables)
    order = [posterior.shocks.index(name) for name in claims.channels]
    order += [j for j in range(n) if j not in order]
    impact = posterior.impact.reshape(-1, n, n)[:, :, order]
    slopes = posterior.lag_coefficients.reshape(-1, *posterior.lag_coefficients.shape[2:])
    columns = on_columns(claims, impact, slopes, posterior.intercept.reshape(-1, n))
    unit = np.broadcast_to(np.eye(n), impact.shape)
    found = {
        claim.words: (violation(replace(claims, claims=(claim,)), columns, unit) > 0).reshape(lead)
        for claim in claims.claims
    }
    if len(found) > 1:
        found[TOGETHER] = np.any(list(found.values()), axis=0)
    return found


Scheme = Callable[[ModelSpec, Panel, int, int, str], Estimate]


def svar(spec: ModelSpec, panel: Panel, how: Sampling) -> Estimate:
    """Estimate a structural VAR by the law and the scheme that its file names.

    Raises
    ------
    SpecError
        If the sampler does not go with the scheme.
    """
    scheme, search = spec.scheme.name, how.sampler or SEARCHES[0]
    per_shock = spec.errors.law not in ROTATION_INVARIANT
    if search != SEARCHES[0] and (scheme != "restrictions" or per_shock):
        raise SpecError(
            f"--sampler {search}: model '{spec.name}' has scheme '{scheme}' and law"
            f" '{spec.errors.law}', and no rotations to search; leave it out"
        )
    if scheme == "restrictions" and not per_shock:
        found = by_restrictions(spec, panel, how.draws, how.seed, how.event_in, search)
    else:
        estimate = _way_of(scheme, per_shock=per_shock)
        found = estimate(spec, panel, how.draws, how.seed, how.event_in)
    return with_asked(spec, panel, found)


def _way_of(scheme: str, *, per_shock: bool) -> Scheme:
    """Name what estimates a scheme that leaves no rotation to search."""
    if scheme == "proxy":
        return by_instruments
    if per_shock or scheme in ("heteroskedasticity", "non_gaussian"):
        return by_law
    return by_order
