"""Draws of one quantity and their log weights in; its moments and Monte Carlo error out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution import compat
from attribution.core.quantile import quantile
from attribution.diagnostics import mean_with_error, weight_size

EQUAL = 1e-4
"""Range of log weights within which there is no tail to smooth, and no printed digit moves."""


@dataclass(frozen=True)
class Weighted:
    """Smoothed weights (chain, draw) of mean one, and the k of their tail."""

    weight: np.ndarray
    pareto_k: float

    @classmethod
    def of(cls, log_weight: np.ndarray) -> Weighted:
        """Smooth log weights (chain, draw); equal ones stay equal."""
        if np.ptp(log_weight) < EQUAL:
            return cls(np.ones(np.shape(log_weight)), -np.inf)
        smoothed, k = compat.psis(log_weight)
        return cls(np.exp(smoothed), k)

    @property
    def shown_k(self) -> float:
        """The k of the tail for a table: not a number where equal weights have no tail."""
        return self.pareto_k if np.isfinite(self.pareto_k) else float("nan")

    @property
    def size(self) -> float:
        """Number of equally weighted draws that they are worth."""
        return weight_size(self.weight)

    def mean(self, x: np.ndarray) -> float:
        """Weighted mean of (chain, draw)."""
        return float(np.average(x, weights=self.weight))

    def sd(self, x: np.ndarray) -> float:
        """Weighted standard deviation of (chain, draw)."""
        return float(np.sqrt(np.average((x - self.mean(x)) ** 2, weights=self.weight)))

    def error(self, x: np.ndarray) -> float:
        """Monte Carlo standard error of the mean; zero for a constant."""
        return mean_with_error(x, self.weight)[1]

    def quantiles(self, x: np.ndarray, probability: tuple[float, ...]) -> list[float]:
        """Weighted quantiles of (chain, draw)."""
        found = quantile(x.ravel(), self.weight.ravel(), np.array(probability))
        return [float(value) for value in found]
