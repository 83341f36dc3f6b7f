r"""Where the parameters of a structural model stand in the vectors that are sampled.

Every parameter but those between zero and one is normal or log-normal, so that all are

.. math::
    \theta_i = m_i + s_i z_i \quad\text{or}\quad l_i + e^{m_i + s_i z_i}, \qquad z_i \sim N(0, 1)

which leaves the sampler one scale for everything.  What enters: a standard normal vector and the
shares; what leaves: parameters by name, in their own units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from attribution.studies.event.priors import Beta, Law, LogNormal, Normal
from attribution.studies.event.question import EventQuestion
from attribution.studies.event.rows import EventRows

WIDEST = 300.0
"""Log of the largest parameter, and of one over the smallest: a step of the sampler may ask for
more, and nothing may be divided by zero."""


@dataclass(frozen=True)
class Entry:
    """A parameter: ``size`` numbers, zero for a scalar; ``log`` where it is log-normal."""

    name: str
    mean: float
    sd: float
    log: bool = False
    size: int = 0
    floor: float = 0.0

    @property
    def width(self) -> int:
        """Numbers it takes of the vector."""
        return max(self.size, 1)


@dataclass(frozen=True)
class Layout:
    """Where each parameter stands in the two vectors.

    Attributes
    ----------
    entries : of the standard normal vector, in its order.
    shares : names and priors of what lies between zero and one.
    none, all : dealers' position where its share is zero and one.
    """

    entries: tuple[Entry, ...]
    shares: tuple[tuple[str, Beta], ...]
    none: float
    all: float

    @property
    def size(self) -> int:
        """Length of the standard normal vector."""
        return sum(entry.width for entry in self.entries)

    def unpack(self, z: np.ndarray, shares: np.ndarray) -> dict[str, Any]:
        """Parameters by name from the two vectors, whose last axis is the parameter's."""
        return self.named(self.natural(z), shares)

    def natural(self, z: np.ndarray) -> np.ndarray:
        """Parameters in their own units from the standard normal vector, in its order."""
        mean, sd, floor, log = self._columns
        value = mean + sd * z
        grown = floor + np.exp(np.clip(value, -WIDEST, WIDEST))
        return np.asarray(np.where(log, grown, value))

    def named(self, natural: np.ndarray, shares: np.ndarray) -> dict[str, Any]:
        """Parameters by name from those in their own units; a linear law has exponent one."""
        found = self.views(natural, shares)
        found.setdefault("exponent", np.ones(natural.shape[:-1]))
        found["dealer_position"] = self.none + (self.all - self.none) * found["dealer_position"]
        return found

    def views(self, vector: np.ndarray, shares: np.ndarray) -> dict[str, Any]:
        """Parts of two vectors by the names of the parameters; writing to them writes there."""
        lead = vector.shape[:-1]
        found = {}
        for name, at, size in self._places:
            part = vector[..., at : at + max(size, 1)]
            # a number is an array of no axis, so that it is still a view
            found[name] = part if size else part.reshape(lead)
        for number, (name, _) in enumerate(self.shares):
            found[name] = shares[..., number : number + 1].reshape(lead)
        return found

    def pull_back(
        self, slope: np.ndarray, shares: np.ndarray, natural: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Turn derivatives in the parameters of one draw into those in the two vectors."""
        _, sd, floor, log = self._columns
        width = [self.all - self.none if n == "dealer_position" else 1.0 for n, _ in self.shares]
        return slope * np.where(log, natural - floor, 1.0) * sd, shares * width

    @cached_property
    def _places(self) -> list[tuple[str, int, int]]:
        """Name, first place and size of each parameter; size zero for a number."""
        ends = np.cumsum([0, *(entry.width for entry in self.entries)])
        return [(e.name, int(at), e.size) for e, at in zip(self.entries, ends, strict=False)]

    @cached_property
    def _columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Mean, sd, floor and whether it is log-normal, for each number of the vector."""
        rows = [(e.mean, e.sd, e.floor, e.log) for e in self.entries for _ in range(e.width)]
        mean, sd, floor, log = (np.array(column) for column in zip(*rows, strict=True))
        return mean, sd, floor, log

    def draw(self, size: tuple[int, ...], rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draws from the prior by name; leading axes are ``size``."""
        z = rng.standard_normal((*size, self.size))
        p, q = (np.array([getattr(law, key) for _, law in self.shares]) for key in ("p", "q"))
        return self.unpack(z, rng.beta(p, q, size=(*size, len(p))))


# The parameters of a structural model of one day and their priors.

SIDES = ("long", "short")
POINT = 0.01
"""One log point, or one volatility point."""
DRIFT = LEVEL = 0.01
"""Prior sd of the mean of a day, log units: four daily standard errors over a year."""
NOISE = LogNormal(0.025, 0.5)
"""Scale of the unexplained, log units a day: bitcoin's sd, a factor of e either way."""
HETEROSCEDASTIC = Normal(1.0, 0.5)
"""Elasticity of that scale to implied volatility; one if options price it right."""
TAIL = LogNormal(4.0, 0.8)
"""Degrees of freedom less two: 95 % from 2.8 to 21 in all; daily returns have three to six."""
SPREAD = 0.7
"""Sd of the log scale of an equation about its column's sample sd."""


def layout(question: EventQuestion, rows: EventRows, law: Law) -> Layout:
    """Lay out the parameters of the model under one law of impact."""
    gamma, notes, basis = question.gamma, question.notes, question.basis
    entries = [
        *_price(question, rows, law),
        *_closed(question, rows),
        _positive("gross_gamma", gamma.gross),
        _positive("gamma_width", gamma.width),
        _positive("face", notes.face),
        _positive("pass_through", notes.pass_through),
        Entry("unwound", 0.0, basis.unwound, size=len(rows.named)),
        _positive("leg_ratio", basis.leg_ratio),
        *_answers(question, rows),
    ]
    shares = (
        ("dealer_position", gamma.position),
        ("overlay", notes.overlay),
        ("arbitrage", basis.arbitrage),
        ("redeemed", basis.redeemed),
    )
    return Layout(tuple(entries), shares, gamma.none, gamma.all)


def _positive(name: str, law: LogNormal, *, floor: float = 0.0) -> Entry:
    return Entry(name, math.log(law.median), law.sd, log=True, floor=floor)


def _price(question: EventQuestion, rows: EventRows, law: Law) -> list[Entry]:
    """Drift, drivers, noise and impact."""
    exponent = question.impact.exponent
    power = [Entry("exponent", exponent.mean, exponent.sd)] if law.name == "square_root" else []
    return [
        Entry("mu", 0.0, DRIFT),
        Entry("beta", 0.0, POINT * question.effect, size=len(rows.names)),
        Entry("s0", math.log(NOISE.median), NOISE.sd),
        Entry("s1", HETEROSCEDASTIC.mean, HETEROSCEDASTIC.sd),
        _positive("nu", TAIL, floor=2.0),
        Entry("log_impact", math.log(law.scale.median), law.scale.sd),
        *power,
    ]


def _closed(question: EventQuestion, rows: EventRows) -> list[Entry]:
    """Liquidations by side, and the shocks of named days on which none were published."""
    prior, found = question.liquidations, []
    for side in SIDES:
        found += [
            Entry(f"alpha_{side}", prior.level.mean, prior.level.sd),
            _positive(f"base_{side}", prior.base),
            _positive(f"power_{side}", prior.power),
            _positive(f"tau_{side}", prior.spread),
            Entry(f"funding_{side}", 0.0, prior.funding_effect),
        ]
        if len(rows.latent):
            found.append(Entry(f"zeta_{side}", 0.0, 1.0, size=len(rows.latent)))
    return [*found, _positive("liquidation_multiple", prior.multiple)]


def _answers(question: EventQuestion, rows: EventRows) -> list[Entry]:
    """Regressions of volatility, the basis and net creations."""
    units = rows.units
    per_point = POINT / units.move  # of a column's sd, for a move of one log point
    return [
        Entry("vol_intercept", 0.0, units.volatility),
        Entry("vol_down", 0.0, question.volatility.slope),
        Entry("vol_up", 0.0, question.volatility.slope),
        _positive("vol_sd", LogNormal(units.volatility, SPREAD)),
        _positive("vol_nu", TAIL, floor=2.0),
        Entry("basis_intercept", 0.0, units.basis),
        Entry("basis_move", 0.0, units.basis * per_point),
        _positive("basis_sd", LogNormal(units.basis, SPREAD)),
        _positive("basis_nu", TAIL, floor=2.0),
        Entry("creation_intercept", 0.0, units.creations),
        Entry("creation_move", 0.0, units.creations * per_point),
        Entry("creation_before", 0.0, units.creations * per_point),
        _positive("creation_sd", LogNormal(units.creations, SPREAD)),
        _positive("creation_nu", TAIL, floor=2.0),
    ]
