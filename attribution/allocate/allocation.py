"""Contributions of players by one rule, which exist only if they add up where the rule says so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.allocate.players import named, position
from attribution.errors import nearest
from attribution.posterior import ADDITIVITY, AdditivityError

RULES = {
    "but-for": False,
    "stand-alone": False,
    "shapley": True,
    "owen": True,
    "triggers first": True,
    "aumann-shapley": True,
}
"""Rule -> whether contributions add up to what all players together move."""


@dataclass(frozen=True)
class Allocation:
    r"""What each player contributes, draw by draw, under one rule.

    .. math:: \sum_i \phi_{d,i} = v_d(N) - v_d(\emptyset) \quad \text{under a rule that adds up}

    Attributes
    ----------
    rule : a key of ``RULES``.
    players : names.
    draws : (draw, player); in ``unit``.
    baseline, total : (draw,); all players off, and what all together move; in ``unit``.
    unit : of every number here.
    observed : what was seen, if anything was.
    error : (draw, player), numerical error where the rule is not exact: the standard error of a
        sample of orders, or what the last refinement of a path moved; in ``unit``.

    Raises
    ------
    AdditivityError
        If a rule that adds up misses the total of one draw by more than 1e-10 of its scale.
    """

    rule: str
    players: tuple[str, ...]
    draws: np.ndarray
    baseline: np.ndarray
    total: np.ndarray
    unit: str
    observed: float | None = None
    error: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise ValueError(f"no rule '{self.rule}'{nearest(self.rule, RULES)}")
        named(self.players, "allocation")
        shape = (len(self.total), len(self.players))
        if self.draws.shape != shape or self.baseline.shape != self.total.shape:
            raise ValueError(f"draws have shape {self.draws.shape}, expected {shape}")
        if self.error is not None and (self.error.shape != shape or not (self.error >= 0).all()):
            raise ValueError("an error is a number, at least zero, for each draw and player")
        gap = np.abs(self.draws.sum(1) - self.total)
        scale = np.abs(self.draws).sum(1) + np.abs(self.total) + np.abs(self.baseline)
        if not np.isfinite(scale).all():
            raise AdditivityError(
                f"allocation '{self.rule}': a contribution is not finite; please report this as a"
                " defect"
            )
        if RULES[self.rule] and not (gap <= ADDITIVITY * scale).all():
            draw = int(np.argmax(gap / np.where(scale > 0, scale, 1.0)))
            raise AdditivityError(
                f"allocation '{self.rule}': contributions of draw {draw} miss the total by"
                f" {gap[draw]:.1e} {self.unit}; please report this as a defect"
            )

    @property
    def adds_up(self) -> bool:
        """Whether contributions sum to the total under this rule."""
        return RULES[self.rule]

    @property
    def unattributed(self) -> np.ndarray | None:
        """What was seen less all players on (draw,); none where nothing was seen."""
        return None if self.observed is None else self.observed - self.baseline - self.total

    def of(self, player: str) -> np.ndarray:
        """Contribution (draw,) of one player."""
        return self.draws[:, position(player, self.players, f"allocation '{self.rule}'")]

    def table(self) -> pd.DataFrame:
        """Mean, standard deviation, 5 and 95 per cent quantiles by player; only means add up."""
        low, high = np.quantile(self.draws, (0.05, 0.95), axis=0)
        spread = self.draws.std(0, ddof=1) if len(self.draws) > 1 else np.zeros(len(self.players))
        columns = {"mean": self.draws.mean(0), "sd": spread, "q05": low, "q95": high}
        return pd.DataFrame(columns, pd.Index(self.players, name="player")).assign(unit=self.unit)
