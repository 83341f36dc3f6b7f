"""Days, note surfaces and a law of impact in; everything that no parameter touches, out."""

from __future__ import annotations

import numpy as np

from attribution.core.loop_days import Days
from attribution.estimate.event_flows import book_scale
from attribution.estimate.event_impact import unit_impact
from attribution.estimate.event_rows import EventRows
from attribution.estimate.event_surface import NoteSurface
from attribution.model.event_study import EventQuestion

NOWHERE = -690.0
"""Log of a move that is none."""


def constants(question: EventQuestion, rows: EventRows, surface: NoteSurface, law: str) -> Days:
    """Gather the constants of the density of moves under one law of impact."""
    published = ~(np.isnan(rows.longs) | np.isnan(rows.shorts))
    local = surface.local(rows.move)
    parts = (local.book, local.book_slope, local.overlay, local.overlay_slope)
    noted = np.flatnonzero(np.any([(part != 0.0).any(axis=1) for part in parts], axis=0))
    rise = rows.volatility[noted]
    put, put_by_vol = _read(local.overlay[noted], surface.listed, rise)
    put_slope, _ = _read(local.overlay_slope[noted], surface.listed, rise)
    root = law == "square_root"
    held = np.zeros(len(rows.move), dtype=bool)
    held[rows.named] = question.held_out
    size = np.abs(rows.move) / question.liquidations.reference
    total = np.where(published, np.stack([rows.longs, rows.shorts]), 1.0)
    return Days(
        move=rows.move,
        noise=rows.noise,
        funding=rows.funding,
        volatility=rows.volatility,
        drivers=np.ascontiguousarray(rows.drivers),
        log_unit=np.log(rows.sigma if root else unit_impact(law, rows)),
        log_volume=np.log(rows.volume) if root else np.zeros(len(rows.move)),
        floor=question.impact.crossover**2,
        log_size=np.log(size, out=np.full(len(size), NOWHERE), where=size > 0.0),
        log_held=np.log(rows.open_interest),
        total=total,
        published=published,
        held=held,
        named=_places(len(size), rows.named),
        latent=_places(len(size), rows.named[rows.latent]),
        relative=book_scale(question, rows),
        noted=_places(len(size), noted),
        book=np.ascontiguousarray(local.book[noted]),
        book_slope=np.ascontiguousarray(local.book_slope[noted]),
        put=put,
        put_slope=put_slope,
        put_by_vol=put_by_vol,
        vol=np.ascontiguousarray(surface.vol, dtype=float),
    )


def _places(days: int, at: np.ndarray) -> np.ndarray:
    """Give each day its number among those at ``at``, -1 elsewhere."""
    found = np.full(days, -1, dtype=np.int64)
    found[at] = np.arange(len(at))
    return found


def _read(table: np.ndarray, nodes: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Interpolate rows (day, node) at one volatility a day, and the slope there."""
    width, step = np.diff(nodes), np.diff(table, axis=1)
    way = (x[:, None] - nodes[:-1]) / width
    inside = (way >= 0.0) & (way < 1.0)
    value = table[:, 0] + (step * np.clip(way, 0.0, 1.0)).sum(axis=1)
    return value, (step / width * inside).sum(axis=1)
