"""Days and one law of impact in; the posterior's log density, and its parameters by name, out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import expit, log_expit

from attribution.errors import DiagnosticsError
from attribution.sampling.modes import Mode, mode_above
from attribution.studies.event.density import EventKernel, constants
from attribution.studies.event.layout import Layout, layout
from attribution.studies.event.notes import NoteSurface
from attribution.studies.event.question import EventQuestion
from attribution.studies.event.rows import EventRows

TRIES = 40


@dataclass(frozen=True)
class Target:
    """The density that a fit samples, without bounds: normal coordinates, then logits of shares.

    Attributes
    ----------
    law : position among the question's laws.
    """

    question: EventQuestion
    rows: EventRows
    surface: NoteSurface
    law: int

    @cached_property
    def plan(self) -> Layout:
        """Where each parameter stands."""
        return layout(self.question, self.rows, self.question.impact.laws[self.law])

    @cached_property
    def kernel(self) -> EventKernel:
        """Its likelihood, the one that is shipped."""
        name = self.question.impact.laws[self.law].name
        days = constants(self.question, self.rows, self.surface, name)
        forced = self.question.liquidations
        return EventKernel(self.plan, self.rows, days, forced.edge, forced.absorbed)

    @cached_property
    def _beta(self) -> tuple[np.ndarray, np.ndarray]:
        p, q = (np.array([getattr(law, key) for _, law in self.plan.shares]) for key in ("p", "q"))
        return p, q

    def log_likelihood(self, point: np.ndarray) -> float:
        """Log likelihood at one point (dimension,)."""
        size = self.plan.size
        return float(self.kernel.value_and_gradient(point[:size], expit(point[size:]))[0])

    def density(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """Log posterior density up to a constant, and its gradient (dimension,)."""
        (p, q), size = self._beta, self.plan.size
        z, logit = point[:size], point[size:]
        share = expit(logit)
        value, (by_z, by_share) = self.kernel.value_and_gradient(z, share)
        prior = -0.5 * z @ z + (p * log_expit(logit) + q * log_expit(-logit)).sum()
        by_logit = by_share * share * (1.0 - share) + p * (1.0 - share) - q * share
        return float(value + prior), np.concatenate([by_z - z, by_logit])

    def prior(self, rng: np.random.Generator) -> np.ndarray:
        """One point (dimension,) from the prior."""
        share = rng.beta(*self._beta)
        return np.concatenate([rng.standard_normal(self.plan.size), np.log(share / (1.0 - share))])

    def absorbed(self, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw, given points (draw, dimension), whether forced orders left no mark (draw,)."""
        size = self.plan.size
        chance = [self.kernel.chance(point[:size], expit(point[size:])) for point in points]
        return (rng.random(len(points)) < chance).astype(int)

    def named(self, points: np.ndarray, absorbed: np.ndarray) -> dict[str, np.ndarray]:
        """Parameters by name (draw, ...) of points (draw, dimension) and what goes with them.

        Parameters
        ----------
        absorbed : (draw,), 1 where forced orders leave no mark, else 0.
        """
        size = self.plan.size
        found = self.plan.unpack(points[:, :size], expit(points[:, size:]))
        return {name: np.asarray(value) for name, value in found.items()} | {"absorbed": absorbed}

    def top(self) -> Mode:
        """Climb from the prior's centre; where a day is unstable there, impact is lowered first.

        Raises
        ------
        DiagnosticsError
            If no start has a density above zero.
        """
        start = np.zeros(self.plan.size + len(self.plan.shares))
        ends = np.cumsum([0, *(entry.width for entry in self.plan.entries)])
        names = [entry.name for entry in self.plan.entries]
        scale = int(ends[names.index("log_impact")])
        for _ in range(TRIES):
            if np.isfinite(self.density(start)[0]):
                return mode_above(self.density, start)
            start[scale] -= 1.0
        raise DiagnosticsError(
            "event: even the smallest impact leaves some day without a density; reject these days"
        )
