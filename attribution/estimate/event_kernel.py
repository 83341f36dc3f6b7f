"""The two vectors of a structural model in; its log likelihood and gradient in them out.

One operation for the whole density keeps PyTensor's graph, and so its compile time, small.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import log_ndtr

from attribution.core.loop_days import SCALARS, Days
from attribution.core.loop_mixture import Mixed, loop_mixture
from attribution.core.student import StudentSlopes, constant, student
from attribution.estimate.event_layout import Layout
from attribution.estimate.event_parameters import SIDES
from attribution.estimate.event_rows import EventRows

LOG_ROOT = 0.5 * np.log(2.0 * np.pi)


@dataclass(frozen=True)
class EventKernel:
    """Log likelihood of every equation.

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
