"""A solved event in; what is saved of it out."""

from __future__ import annotations

import numpy as np
import xarray as xr

from attribution import record
from attribution.study.event_shapes import PROFILE, QUANTILES, SHOCKS, profile_of
from attribution.study.event_solved import Day, Solved
from attribution.study.event_world import LOG_POINTS

DRAW = ("chain", "draw")


def groups_of(solved: Solved) -> dict[str, xr.Dataset]:
    """Draws of parameters and answers; quantiles of the curve and of the profiles."""
    return {
        "/posterior": _posterior(solved),
        **record.coalitions_group(solved.played.game, solved.shape, solved.parts.triggers),
        **_contributions(solved),
        "/prior": _prior(solved),
        "/laws": _laws(solved),
        "/curve": _curve(solved),
        "/profile": _profile(solved),
    }


def _posterior(solved: Solved) -> xr.Dataset:
    """Every draw, those without an answer too."""
    rows, fit = solved.fit.rows, solved.fit
    dims = {"beta": "driver", "unwound": "day", "zeta_long": "latent", "zeta_short": "latent"}
    found = {
        name: ((*DRAW, *([dims.get(name, f"{name}_axis")] if x.ndim == 3 else [])), x)
        for name, x in fit.draws.items()
    }
    found["law"] = (DRAW, fit.law)
    coords = {
        "driver": list(rows.names),
        "day": list(rows.labels),
        "latent": [rows.labels[place] for place in rows.latent],
    }
    used = {dim for dims_of, _ in found.values() for dim in dims_of}
    data = xr.Dataset(found, {name: c for name, c in coords.items() if name in used})
    data.attrs = {"laws": [each.law for each in fit.laws], "kept": solved.played.kept.size}
    return data


def _contributions(solved: Solved) -> dict[str, xr.Dataset]:
    parts, shape = solved.parts, solved.shape
    each, names = (*DRAW, "player"), {"player": list(parts.players)}
    stacked = np.array([x.reshape(*shape, -1) for x in parts.contribution.values()])
    ends = {
        name: (each, x.reshape(*shape, -1))
        for name, x in (("low", parts.orders.low), ("high", parts.orders.high))
    }
    order_flow = parts.order_flow.reshape(*shape, -1)
    unit = {"unit": LOG_POINTS}
    rule = {"rule": list(parts.contribution)}
    return {
        "/allocation": xr.Dataset(
            {"contribution": (("rule", *each), stacked)}, {**rule, **names}, unit
        ),
        "/order_range": xr.Dataset(ends, names, unit),
        "/order_flow": xr.Dataset(
            {"contribution": ((*DRAW, "part"), order_flow)}, {"part": list(parts.players)}, unit
        ),
    }


def _prior(solved: Solved) -> xr.Dataset:
    """But-for effects under the prior, the observed move given."""
    day = solved.prior
    return xr.Dataset(
        {"but_for": (("draw", "player"), day.effect)},
        {"player": list(day.players)},
        {"unit": LOG_POINTS, "left_out": day.played.left_out},
    )


def _laws(solved: Solved) -> xr.Dataset:
    players = solved.parts.players

    def of(day: Day | None) -> np.ndarray:
        """Mean, then quantiles, (number, player)."""
        if day is None:
            return np.full((1 + len(QUANTILES), len(players)), np.nan)
        return np.concatenate([day.effect.mean(0)[None], np.quantile(day.effect, QUANTILES, 0)])

    names = [each.law for each in solved.fit.laws]
    found = np.array([of(solved.laws[name]) for name in names])
    prior = {law.name: law.weight for law in solved.question.impact.laws}
    return xr.Dataset(
        {
            "mean": (("law", "player"), found[:, 0]),
            "q": (("law", "quantile", "player"), found[:, 1:]),
            "prior_weight": ("law", [prior[name] for name in names]),
            "weight": ("law", solved.fit.weight),
            "weight_error": ("law", solved.fit.weight_error),
        },
        {"law": names, "quantile": list(QUANTILES), "player": list(players)},
        {"unit": LOG_POINTS},
    )


def _curve(solved: Solved) -> xr.Dataset:
    """Lay out moves by shock of draws that arrive somewhere at every shock."""
    curve = solved.curve
    moved = curve.move[curve.arrives]
    alone = np.broadcast_to(SHOCKS, (len(QUANTILES), len(SHOCKS)))
    unstable = np.isnan(curve.move).mean(axis=0)
    return xr.Dataset(
        {
            "with_feedback": (("quantile", "shock"), np.quantile(moved, QUANTILES, axis=0)),
            "without_feedback": (("quantile", "shock"), alone),
            "unstable": ("shock", unstable),
        },
        {"quantile": list(QUANTILES), "shock": SHOCKS},
        {"unit": LOG_POINTS, "left_out": 1.0 - float(curve.arrives.mean())},
    )


def _profile(solved: Solved) -> xr.Dataset:
    """USD million that each mechanism trades by move, on the day as it was."""
    flow = np.moveaxis(np.quantile(profile_of(solved.world), QUANTILES, axis=2), 0, -1)
    return xr.Dataset(
        {"flow": (("mechanism", "move", "quantile"), flow)},
        {"mechanism": list(solved.world.amplifiers), "move": PROFILE, "quantile": list(QUANTILES)},
        {"unit": "USD million"},
    )
