"""Simulation-based calibration: ranks of the truth among posterior draws, and their verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any, Protocol

import numpy as np
from calibration import uniformity

from attribution.errors import DataError
from attribution.validate.runner import Outcome, Record


@dataclass(frozen=True)
class World:
    """Parameters drawn from the prior, and what they made.

    Attributes
    ----------
    truth : quantity -> its true value.
    data : what the fit may see.
    """

    truth: Mapping[str, float]
    data: Any


@dataclass(frozen=True)
class Drawn:
    """Posterior draws of the same quantities.

    Attributes
    ----------
    quantities : quantity -> (draw,).
    weight : (draw,); non-negative; all alike if None.
    """

    quantities: Mapping[str, np.ndarray]
    weight: np.ndarray | None = None


class Design(Protocol):
    """A prior that can be drawn from, and the posterior that is to be calibrated.

    Draws must be independent, or thinned until they are nearly so.
    """

    @property
    def name(self) -> str:
        """Name of its folder."""
        ...

    def simulate(self, rng: np.random.Generator) -> World:
        """Draw parameters from the prior and data from the parameters."""
        ...

    def fit(self, data: Any, rng: np.random.Generator) -> Drawn:
        """Draw the posterior given the data alone."""
        ...


def placement(
    truth: float, draws: np.ndarray, weight: np.ndarray | None, rng: np.random.Generator
) -> float:
    r"""Return the share of the posterior below the truth, ties and the truth itself at random.

    .. math::
        u = \frac{\sum_i w_i 1\{x_i < x^*\} + V\,(\bar w + \sum_i w_i 1\{x_i = x^*\})}
                 {\bar w + \sum_i w_i}, \qquad \bar w = \frac{\sum_i w_i^2}{\sum_i w_i},
        \quad V \sim U(0, 1)

    The truth counts as one effective draw.  With draws that weigh alike u is exactly uniform under
    a right computation, whatever their number; cut into L + 1 cells it is the rank among L.

    Parameters
    ----------
    draws, weight : (draw,); weight is None where all weigh alike.

    Raises
    ------
    ValueError
        If a value is not finite, or a weight is negative or all are zero.

    References
    ----------
    talts2018; modrak2025
    """
    w = np.ones(len(draws)) if weight is None else np.asarray(weight, float)
    if not (np.isfinite(truth) and np.isfinite(draws).all()):
        raise ValueError("a quantity to be ranked is not finite")
    if w.shape != draws.shape or not (w >= 0).all() or not w.sum() > 0:
        raise ValueError("weights must be one a draw, non-negative and not all zero")
    own = float((w * w).sum() / w.sum())
    below, tied = float(w[draws < truth].sum()), float(w[draws == truth].sum())
    return (below + rng.random() * (tied + own)) / (float(w.sum()) + own)


def rank(place: np.ndarray, ranks: int) -> np.ndarray:
    """Cut placements in [0, 1) into ranks 0 ... ``ranks``."""
    cut: np.ndarray = np.minimum((place * (ranks + 1)).astype(int), ranks)
    return cut


RANKS = 99
LIMIT = 0.005
"""Family-wise level: a design fails if a p-value is below this over the number of quantities."""
NOMINAL = (0.5, 0.9)


@dataclass(frozen=True)
class Calibration:
    """The task of ranking the truth of a design among its posterior draws.

    References
    ----------
    talts2018; modrak2025
    """

    design: Design

    @property
    def name(self) -> str:
        """Name of the design."""
        return self.design.name

    @property
    def settings(self) -> Mapping[str, object]:
        """Settings of the design."""
        assert is_dataclass(self.design) and not isinstance(self.design, type)
        return {"kind": type(self.design).__name__, **asdict(self.design)}

    def replicate(self, rng: np.random.Generator) -> Record:
        """Place every quantity of one world among its posterior draws."""
        made, fitted, ties = rng.spawn(3)
        world = self.design.simulate(made)
        drawn = self.design.fit(world.data, fitted)
        if set(world.truth) != set(drawn.quantities):
            odd = sorted(set(world.truth) ^ set(drawn.quantities))
            raise ValueError(f"{self.name}: {', '.join(odd)} is not on both sides")
        return {
            name: placement(true, np.asarray(drawn.quantities[name]), drawn.weight, ties)
            for name, true in world.truth.items()
        }


@dataclass(frozen=True)
class Verdict:
    """One quantity of one design.

    Attributes
    ----------
    ranks : (replication,) int, 0 ... 99.
    p_value : of uniformity.
    mean, spread : of the placement over its uniform value, 0.5 and 0.289; a mean away from one is a
        bias, a spread below one intervals that are too wide, above one too narrow.
    covered : nominal level -> share of central intervals that hold the truth.
    """

    quantity: str
    ranks: np.ndarray
    p_value: float
    mean: float
    spread: float
    covered: Mapping[float, float]


@dataclass(frozen=True)
class Verdicts:
    """All quantities of a design, and the limit that their p-values must exceed."""

    name: str
    replications: int
    refused: int
    rows: tuple[Verdict, ...]
    limit: float

    @property
    def smallest(self) -> Verdict:
        """The quantity with the smallest p-value."""
        return min(self.rows, key=lambda row: row.p_value)

    @property
    def holds(self) -> bool:
        """Whether no quantity departs from uniformity and no data were refused."""
        return not self.refused and self.smallest.p_value >= self.limit


def judge(outcome: Outcome) -> Verdicts:
    """Test each quantity of a calibration for uniform ranks.

    Raises
    ------
    DataError
        If there is no replication to be judged.
    """
    used = ~np.isin(outcome.numbers, list(outcome.refused))
    if not used.any():
        raise DataError(f"{outcome.name}: no replication has been saved; run some first")
    rows = []
    for name, column in outcome.columns.items():
        place = column[used]
        ranks = rank(place, RANKS)
        rows.append(
            Verdict(
                quantity=name,
                ranks=ranks,
                p_value=uniformity.p_value(ranks, RANKS + 1),
                mean=float(place.mean()) / 0.5,
                spread=float(np.sqrt(((place - 0.5) ** 2).mean() * 12)),
                covered={
                    level: float((np.abs(place - 0.5) <= 0.5 * level).mean()) for level in NOMINAL
                },
            )
        )
    return Verdicts(
        name=outcome.name,
        replications=int(used.sum()),
        refused=len(outcome.refused),
        rows=tuple(rows),
        limit=LIMIT / len(rows),
    )
