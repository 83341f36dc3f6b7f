r"""The log density of the structural model of one day, with its gradient, and its parts.

.. math::
    \ln t_\nu(e; s) = \ln\Gamma\tfrac{\nu+1}2 - \ln\Gamma\tfrac\nu2 - \tfrac12 \ln \nu\pi - \ln s
        - \tfrac{\nu+1}2 \ln\Bigl(1 + \frac{e^2}{\nu s^2}\Bigr)

References: none; a textbook density.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numba import njit
from scipy.special import digamma, gammaln, log_ndtr

from attribution.mechanics.impact import Response, inelastic, invariance, linear, square_root
from attribution.mechanics.inputs import Array
from attribution.studies.event.flows import book_scale
from attribution.studies.event.layout import SIDES, Layout, layout
from attribution.studies.event.loop import SCALARS, Days, Mixed, loop_mixture
from attribution.studies.event.notes import NoteSurface
from attribution.studies.event.priors import ImpactLaws, Law
from attribution.studies.event.question import EventQuestion
from attribution.studies.event.rows import EventRows
from attribution.var.estimate.kernel import operation


@dataclass(frozen=True)
class StudentSlopes:
    """Sum of log densities; ``gap`` is (row,), the derivative in each value, the rest numbers."""

    value: float
    gap: np.ndarray
    scale: float
    nu: float


def constant(nu: float) -> tuple[float, float]:
    """Part of one log density that no value touches, and its derivative in the tail."""
    value = gammaln(0.5 * (nu + 1.0)) - gammaln(0.5 * nu) - 0.5 * np.log(nu * np.pi)
    slope = 0.5 * (digamma(0.5 * (nu + 1.0)) - digamma(0.5 * nu) - 1.0 / nu)
    return float(value), float(slope)


def student(gap: np.ndarray, scale: float, nu: float) -> StudentSlopes:
    """Sum the log densities of values (row,) of one scale and tail."""
    slopes = np.empty(len(gap))
    tail, whole = _sums(gap, scale, nu, slopes)
    each, slope = constant(nu)
    return StudentSlopes(
        value=len(gap) * (each - float(np.log(scale))) - 0.5 * (nu + 1.0) * tail,
        gap=slopes,
        scale=(whole - len(gap)) / scale,
        nu=len(gap) * slope - 0.5 * tail + 0.5 * whole / nu,
    )


@njit(cache=True, nogil=True)
def _sums(gap, scale, nu, slopes):  # type: ignore[no-untyped-def]
    """Sum of logarithms, and of how far each value pulls; the derivative in each value."""
    tail = whole = 0.0
    for t in range(len(gap)):
        square = (gap[t] / scale) ** 2
        pull = (nu + 1.0) / (nu + square)
        tail += math.log1p(square / nu)
        whole += pull * square
        slopes[t] = -pull * gap[t] / (scale * scale)
    return tail, whole


# A law of impact as a scale by day: what one unit of the law's own parameter does to the price.

EVERY = slice(None)


def unit_impact(
    law: str, rows: EventRows, exponent: Array = 1.0, day: int | slice = EVERY
) -> np.ndarray:
    r"""Coefficient of the law at one unit of its parameter, on every day or on one.

    .. math:: I_t(F) = e^a\, b_t\, F\,(F^2 + F_0^2)^{(p-1)/2}

    with b from :mod:`~attribution.mechanics.impact` at one unit; only the square root's depends on
    p.
    """
    if law == "square_root":
        return square_root(1.0, rows.sigma[day], rows.volume[day], exponent).coefficient
    if law == "inelastic":
        return inelastic(1.0, rows.capitalisation[day]).coefficient
    if law == "invariance":
        return invariance(1.0, rows.sigma[day], rows.volume[day]).coefficient
    return np.broadcast_to(linear(1.0).coefficient, np.shape(rows.move[day]))


def response(
    prior: ImpactLaws,
    law: str,
    rows: EventRows,
    draws: Mapping[str, Any],
    day: int | slice = EVERY,
) -> Response:
    """Law of impact of one day under draws of one law, or of every day under one draw.

    Parameters
    ----------
    draws : ``log_impact`` and ``exponent``: of one shape, or numbers where ``day`` is every one.
    day : position in the rows.
    """
    power = np.asarray(draws["exponent"], dtype=float)
    coefficient = np.exp(draws["log_impact"]) * unit_impact(law, rows, power, day)
    return Response(coefficient, power, np.full(power.shape, prior.crossover))


# Days, note surfaces and a law of impact in; everything that no parameter touches, out.

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


# The two vectors of a structural model in; its log likelihood and gradient in them out.

LOG_ROOT = 0.5 * np.log(2.0 * np.pi)


@dataclass(frozen=True)
class EventKernel:
    """Log likelihood of every equation.

    One operation for the whole density keeps PyTensor's graph, and so its compile time, small.

    Attributes
    ----------
    edge : error of the bounds of what was closed, as a share of the upper one.
    absorbed : prior probability that forced orders leave no mark on the price, integrated out.
    """

    plan: Layout
    rows: EventRows
    days: Days
    edge: float
    absorbed: float

    def value_and_gradient(
        self, z: np.ndarray, shares: np.ndarray
    ) -> tuple[float, tuple[np.ndarray, ...]]:
        """Return the log likelihood and its derivatives in the two vectors."""
        value = self.plan.natural(z)
        theta = self.plan.named(value, shares)
        slope, d_shares = np.zeros(len(z)), np.zeros(len(shares))
        slopes = {"exponent": np.zeros(()), **self.plan.views(slope, d_shares)}
        total = self._moves(theta, slopes) + self._interval(theta, slopes)
        if not np.isfinite(total):
            return -np.inf, (np.zeros_like(z), np.zeros_like(shares))
        total += self._volatility(theta, slopes) + self._basis(theta, slopes)
        total += self._creations(theta, slopes)
        return total, self.plan.pull_back(slope, d_shares, value)

    def chance(self, z: np.ndarray, shares: np.ndarray) -> float:
        """Return the probability that forced orders left no mark, given parameters and data."""
        return self._loop(self.plan.named(self.plan.natural(z), shares)).chance

    def _loop(self, theta: dict[str, Any]) -> Mixed:
        known = {**theta, "through": theta["arbitrage"] * theta["leg_ratio"]}
        scalars = np.array([float(known[name]) for name in SCALARS])
        none = np.zeros(0)
        zeta = np.stack([theta.get(f"zeta_{side}", none) for side in SIDES])
        beta, unwound = theta["beta"], theta["unwound"]
        return loop_mixture(scalars, beta, unwound, zeta, self.days, self.absorbed)

    def _moves(self, theta: dict[str, Any], slopes: dict[str, Any]) -> float:
        found = self._loop(theta).slopes
        for name, slope in zip(SCALARS, found.scalars, strict=True):
            if name != "through":
                slopes[name] += slope
        d_through = found.scalars[SCALARS.index("through")]
        slopes["arbitrage"] += d_through * theta["leg_ratio"]
        slopes["leg_ratio"] += d_through * theta["arbitrage"]
        each, slope = constant(float(theta["nu"]))
        priced = int((~self.days.held).sum())
        slopes["nu"] += priced * slope
        slopes["beta"] += found.beta
        slopes["unwound"] += found.unwound
        for number, side in enumerate(SIDES):
            if f"zeta_{side}" in slopes:
                slopes[f"zeta_{side}"] += found.zeta[number]
        return found.value + priced * each

    def _interval(self, theta: dict[str, Any], slopes: dict[str, Any]) -> float:
        """Hold what met the market between what was published and what vanished, softly."""
        low, high = self._bounds
        if not len(low):
            return 0.0
        edge = self.edge * high
        met = float(theta["liquidation_multiple"]) * low
        near, far = (met - low) / edge, (met - high) / edge
        turned = near + far > 0.0
        first = log_ndtr(np.where(turned, -far, near))
        second = log_ndtr(np.where(turned, -near, far))
        log_inside = first + np.log1p(-np.exp(second - first))
        density = [np.exp(-0.5 * x**2 - LOG_ROOT - log_inside) for x in (near, far)]
        slope = ((density[0] - density[1]) * low / edge).sum()
        slopes["liquidation_multiple"] += slope
        return float((log_inside - np.log(high - low)).sum())

    def _volatility(self, theta: dict[str, Any], slopes: dict[str, Any]) -> float:
        fall, rise = self._halves
        mean = theta["vol_intercept"] + theta["vol_down"] * fall + theta["vol_up"] * rise
        found = _answer(self.rows.volatility - mean, "vol", theta, slopes)
        slopes["vol_down"] -= found.gap @ fall
        slopes["vol_up"] -= found.gap @ rise
        return found.value

    def _basis(self, theta: dict[str, Any], slopes: dict[str, Any]) -> float:
        """Change of the basis: both legs' impact, less what arbitrage takes back."""
        seen, closed = self._basis_seen, theta["unwound"]
        at, floor = self.rows.named, self.days.floor
        power, wide = theta["exponent"], closed**2 + floor
        half = 0.5 * np.log(wide)
        log_volume = self.days.log_volume[at]
        unit = np.exp(
            theta["log_impact"] + self.days.log_unit[at] - power * log_volume + (power - 1.0) * half
        )
        legs, gap, ratio = unit * closed, 1.0 - theta["arbitrage"], 1.0 + theta["leg_ratio"]
        mean = theta["basis_intercept"] + 100.0 * theta["basis_move"] * self.rows.move
        mean[at] += 1e4 * gap * ratio * legs
        found = _answer((self.rows.basis - mean)[seen], "basis", theta, slopes)
        whole = np.zeros(len(mean))
        whole[seen] = -found.gap
        slopes["basis_move"] += 100.0 * whole @ self.rows.move
        pull = 1e4 * whole[at]
        d_legs = pull * gap * ratio
        slopes["arbitrage"] -= pull @ legs * ratio
        slopes["leg_ratio"] += pull @ legs * gap
        slopes["log_impact"] += d_legs @ legs
        slopes["exponent"] += d_legs @ (legs * (half - log_volume))
        steep = unit * (power * closed**2 + floor) / wide
        slopes["unwound"] += d_legs * steep
        return found.value

    def _creations(self, theta: dict[str, Any], slopes: dict[str, Any]) -> float:
        """Net creations: what follows moves, less shares redeemed by the unwound trade."""
        rows, seen, at = self.rows, self._creations_seen, self.rows.named
        mean = theta["creation_intercept"] + 100.0 * theta["creation_move"] * rows.move
        mean = mean + 100.0 * theta["creation_before"] * self._before
        mean[at] -= theta["redeemed"] * theta["unwound"]
        found = _answer((rows.creations - mean)[seen], "creation", theta, slopes)
        whole = np.zeros(len(mean))
        whole[seen] = -found.gap
        slopes["creation_move"] += 100.0 * whole @ rows.move
        slopes["creation_before"] += 100.0 * whole @ self._before
        slopes["redeemed"] -= whole[at] @ theta["unwound"]
        slopes["unwound"] -= whole[at] * theta["redeemed"]
        return found.value

    @cached_property
    def _bounds(self) -> tuple[np.ndarray, np.ndarray]:
        at = self.rows.bounded
        return self.rows.longs[at] + self.rows.shorts[at], self.rows.vanished[at]

    @cached_property
    def _halves(self) -> tuple[np.ndarray, np.ndarray]:
        return np.minimum(self.rows.move, 0.0), np.maximum(self.rows.move, 0.0)

    @cached_property
    def _basis_seen(self) -> np.ndarray:
        return np.flatnonzero(~np.isnan(self.rows.basis))

    @cached_property
    def _creations_seen(self) -> np.ndarray:
        return np.flatnonzero(~np.isnan(self.rows.creations) & ~np.isnan(self.rows.before))

    @cached_property
    def _before(self) -> np.ndarray:
        return np.asarray(np.nan_to_num(self.rows.before))


def _answer(
    gap: np.ndarray, name: str, theta: dict[str, Any], slopes: dict[str, Any]
) -> StudentSlopes:
    """Density of a regression's errors; notes the slopes that every regression has."""
    found = student(gap, float(theta[f"{name}_sd"]), float(theta[f"{name}_nu"]))
    slopes[f"{name}_sd"] += found.scale
    slopes[f"{name}_nu"] += found.nu
    slopes[f"{name}_intercept"] -= found.gap.sum()
    return found


# The structural model of one day under one law of impact, as a PyMC model.


@dataclass(frozen=True)
class LawModel:
    r"""A model to be sampled: its likelihood, and where its parameters stand.

    .. math::
        r_t = \mu + \beta' f_t + u_t + I_t\bigl(F_t(r_t)\bigr), \qquad
        F_t(r) = q_t + K_t(r) + G_t(r) + L_t(r)

    with flows q from outside, K of notes, G of listed options, L of liquidations. The move is data,
    so no fixed point is solved: the density of r is that of u at what is left of r after drivers
    and impact, times :math:`1 - g_t`, the Jacobian of the structural map, with loop gain :math:`g_t
    = I_t'(F_t) F_t'(r_t)`. Liquidations and volatility answer r as well; given their own shocks the
    map is triangular, so no other derivative enters. A day whose gain reaches one has no density.
    With a prior probability the market absorbs forced orders on all days, L is then zero, and the
    density is the mixture of both (:mod:`~attribution.studies.event.loop`).
    :mod:`~oracles.event_density` says the same without gradients.

    ``model`` is PyMC's, with variables ``z`` (standard normal) and ``shares`` (beta) which
    ``plan`` turns into parameters.

    References
    ----------
    frey1997; schonbucher2000
    """

    law: Law
    plan: Layout
    kernel: EventKernel
    model: Any


def law_model(question: EventQuestion, rows: EventRows, surface: NoteSurface, law: Law) -> LawModel:
    """Build the model: two random vectors and one potential."""
    import pymc as pm

    plan = layout(question, rows, law)
    days = constants(question, rows, surface, law.name)
    forced = question.liquidations
    kernel = EventKernel(plan, rows, days, forced.edge, forced.absorbed)
    p, q = (np.array([getattr(prior, key) for _, prior in plan.shares]) for key in ("p", "q"))
    with pm.Model() as model:
        z = pm.Normal("z", 0.0, 1.0, shape=plan.size)
        shares = pm.Beta("shares", p, q, shape=len(p))
        pm.Potential("likelihood", operation(kernel)(z, shares)[0])
    return LawModel(law, plan, kernel, model)
