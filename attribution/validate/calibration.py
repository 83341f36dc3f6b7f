"""A design in; ranks of the truth among posterior draws, and whether they are uniform, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass

import numpy as np

from attribution.errors import DataError
from attribution.validate import uniformity
from attribution.validate.placement import placement, rank
from attribution.validate.task import Design, Outcome, Record

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
