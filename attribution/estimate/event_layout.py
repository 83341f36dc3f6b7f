r"""Where the parameters of a structural model stand in the vectors that are sampled.

Every parameter but those between zero and one is normal or log-normal, so that all are

.. math::
    \theta_i = m_i + s_i z_i \quad\text{or}\quad l_i + e^{m_i + s_i z_i}, \qquad z_i \sim N(0, 1)

which leaves the sampler one scale for everything.  What enters: a standard normal vector and the
shares; what leaves: parameters by name, in their own units.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from attribution.model.event_priors import Beta

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
