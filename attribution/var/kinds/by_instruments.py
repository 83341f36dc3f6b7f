"""Instruments that tell channels apart in; the posterior, their strength and robust sets out."""

from __future__ import annotations

import numpy as np
import xarray as xr

from attribution import runs
from attribution.model.spec import ModelSpec
from attribution.panel import Panel
from attribution.posterior import StructuralPosterior
from attribution.var.estimate.proxy import ProxyFit, fit_proxy
from attribution.var.estimate.proxy_setup import says_more
from attribution.var.estimate.proxy_strength import LEVELS, Strength
from attribution.var.identify.obey import obeying
from attribution.var.kinds.estimate import Estimate, Groups

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
