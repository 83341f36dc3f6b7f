"""The log likelihood of a structural model of one day in NumPy: the sampler's density, checked.

Written from the equations of :mod:`~attribution.studies.event.density` and not from its code: laws
of impact come from :mod:`~attribution.mechanics.impact`, notes from interpolation of their
surface,
distributions from SciPy.  What enters: days, a surface and one draw of parameters by name; what
leaves: the log density of each equation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from attribution.mechanics.forced_flow import interval_log_likelihood
from attribution.studies.event.density import response
from attribution.studies.event.flows import (
    SIDES,
    Draw,
    book_scale,
    gamma_flow,
    levels,
    liquidation_flow,
    reach,
    unwinding_flow,
    usual_level,
)
from attribution.studies.event.notes import NoteSurface
from attribution.studies.event.question import EventQuestion
from attribution.studies.event.rows import EventRows


@dataclass(frozen=True)
class Parts:
    """Log densities by equation, and the loop gain of each day.

    Attributes
    ----------
    price : (day,), where forced orders leave a mark on the price, the Jacobian included; minus
        infinity where the gain is one or more, zero where the move is given.
    clean : (day,), the same where they leave none.
    absorbed : prior probability of that, one for all days.
    closed, interval, volatility, basis, creations : sums over days.
    gain : (day,), where they leave a mark.
    """

    price: np.ndarray
    clean: np.ndarray
    absorbed: float
    closed: float
    interval: float
    volatility: float
    basis: float
    creations: float
    gain: np.ndarray

    @property
    def total(self) -> float:
        """Log likelihood."""
        rest = self.closed + self.interval + self.volatility + self.basis + self.creations
        return float(np.logaddexp(*self._accounts) + rest)

    @property
    def chance(self) -> float:
        """Probability that forced orders left no mark, given parameters and data."""
        none, mark = self._accounts
        return float(1.0 / (1.0 + np.exp(mark - none)))

    @property
    def _accounts(self) -> tuple[float, float]:
        """Log prior and density of all moves, without the mark and with it."""
        with np.errstate(divide="ignore"):
            prior = np.log([self.absorbed, 1.0 - self.absorbed])
        return float(prior[0] + self.clean.sum()), float(prior[1] + self.price.sum())


def log_likelihood(
    question: EventQuestion, rows: EventRows, surface: NoteSurface, law: str, draw: Draw
) -> Parts:
    """Evaluate every equation at one draw; whether forced orders leave a mark is integrated out."""
    price, gain = _price(question, rows, surface, law, {**draw, "absorbed": 0.0})
    clean, _ = _price(question, rows, surface, law, {**draw, "absorbed": 1.0})
    return Parts(
        price=price,
        clean=clean,
        absorbed=question.liquidations.absorbed,
        closed=sum(_closed(question, rows, draw, side) for side in SIDES),
        interval=_interval(question, rows, draw),
        volatility=_volatility(rows, draw),
        basis=_basis(question, rows, law, draw),
        creations=_creations(rows, draw),
        gain=gain,
    )


def _notes(rows: EventRows, surface: NoteSurface, draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    """Flow of notes at the day's move, and its derivative along the move with volatility."""
    local = surface.local(rows.move)
    slope = np.where(rows.move < 0.0, draw["vol_down"], draw["vol_up"])
    chi = draw["pass_through"]
    flow, steep = np.zeros(len(rows.days)), np.zeros(len(rows.days))
    for day, rise in enumerate(rows.volatility):
        for share, rate, nodes, value, by_move in (
            (1.0, chi, surface.vol, local.book[day], local.book_slope[day]),
            (draw["overlay"], 1.0, surface.listed, local.overlay[day], local.overlay_slope[day]),
        ):
            x = rate * rise
            cell = np.searchsorted(nodes, x, side="right") - 1
            inside = 0 <= cell < len(nodes) - 1
            by_vol = np.diff(value)[cell] / np.diff(nodes)[cell] if inside else 0.0
            flow[day] += share * np.interp(x, nodes, value)
            steep[day] += share * (np.interp(x, nodes, by_move) + by_vol * rate * slope[day])
    return draw["face"] * flow, draw["face"] * steep


def _price(
    question: EventQuestion, rows: EventRows, surface: NoteSurface, law: str, draw: Draw
) -> tuple[np.ndarray, np.ndarray]:
    r, scale = rows.move, book_scale(question, rows)
    flow, steep = _notes(rows, surface, draw)
    flow[rows.named] += unwinding_flow(draw, draw["unwound"])
    flow += gamma_flow(draw, scale, r)
    height = draw["gross_gamma"] * scale
    steep -= draw["dealer_position"] * height * np.exp(-(r**2) / (2.0 * draw["gamma_width"] ** 2))
    for side, level in levels(question, rows, draw).items():
        answer = liquidation_flow(draw, question.liquidations.reference, {side: level}, r)
        flow += answer
        # a power of the move: its elasticity is the power
        steep += np.where(answer != 0.0, draw[f"power_{side}"] * answer / np.where(r, r, 1.0), 0.0)
    impact = response(question.impact, law, rows, draw)
    moved, gain = impact.move(flow), impact.slope(flow) * steep
    rest = r - moved - draw["mu"] - rows.drivers @ draw["beta"]
    scale = np.exp(draw["s0"] + draw["s1"] * rows.noise)
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.where(gain < 1.0, np.log(np.maximum(1.0 - gain, 1e-12)), -np.inf)
    density = stats.t.logpdf(rest, draw["nu"], scale=scale) + room
    if question.held_out:
        density[rows.named] = 0.0
    return density, gain


def _closed(question: EventQuestion, rows: EventRows, draw: Draw, side: str) -> float:
    """Density of log totals that were published."""
    seen = ~np.isnan(rows.longs) & ~np.isnan(rows.shorts)
    level = usual_level(draw, side, rows.open_interest, rows.funding)
    far = draw[f"base_{side}"] + reach(draw, side, question.liquidations.reference, rows.move)
    gap = np.log(rows.closed(side)[seen]) - np.log(level * far)[seen]
    return float(stats.norm.logpdf(gap, scale=draw[f"tau_{side}"]).sum())


def _interval(question: EventQuestion, rows: EventRows, draw: Draw) -> float:
    at = rows.bounded
    low, high = rows.longs[at] + rows.shorts[at], rows.vanished[at]
    met = draw["liquidation_multiple"] * low
    edge = question.liquidations.edge * high
    return float(interval_log_likelihood(met, low, high, edge).sum()) if len(at) else 0.0


def _volatility(rows: EventRows, draw: Draw) -> float:
    fall, rise = np.minimum(rows.move, 0.0), np.maximum(rows.move, 0.0)
    mean = draw["vol_intercept"] + draw["vol_down"] * fall + draw["vol_up"] * rise
    gap = rows.volatility - mean
    return float(stats.t.logpdf(gap, draw["vol_nu"], scale=draw["vol_sd"]).sum())


def _basis(question: EventQuestion, rows: EventRows, law: str, draw: Draw) -> float:
    mean = draw["basis_intercept"] + draw["basis_move"] * 100.0 * rows.move
    closed = np.zeros(len(rows.move))
    closed[rows.named] = draw["unwound"]
    legs = response(question.impact, law, rows, draw).move(closed)
    mean += 1e4 * (1.0 - draw["arbitrage"]) * (1.0 + draw["leg_ratio"]) * legs
    seen = ~np.isnan(rows.basis)
    gap = (rows.basis - mean)[seen]
    return float(stats.t.logpdf(gap, draw["basis_nu"], scale=draw["basis_sd"]).sum())


def _creations(rows: EventRows, draw: Draw) -> float:
    mean = (
        draw["creation_intercept"]
        + draw["creation_move"] * 100.0 * rows.move
        + draw["creation_before"] * 100.0 * rows.before
    )
    mean[rows.named] -= draw["redeemed"] * draw["unwound"]
    gap = (rows.creations - mean)[~np.isnan(rows.creations) & ~np.isnan(rows.before)]
    return float(stats.t.logpdf(gap, draw["creation_nu"], scale=draw["creation_sd"]).sum())
