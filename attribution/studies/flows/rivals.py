"""Accounts of net creations beside a baseline: their scores, and what the scores add up to.

``studies.flows.evidence`` makes them; tables and findings are drawn from them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.studies.flows.focus_fit import Score, difference
from attribution.studies.flows.leave_future_out import Foreseen
from attribution.studies.flows.question import Mechanism

PANELS = ("held", "free")
"""The two baselines: the event's rows read as most rows before it, and read as the rows say."""
BAR = 2.0
"""Log score, number of accounts taken off, above which an account counts."""


@dataclass(frozen=True)
class Rival:
    """One account under one baseline.

    Attributes
    ----------
    mechanism : the account; ``panel`` the baseline's dating.
    score, peak : target -> log density of the held-out rows, and the most that a shift could reach.
    foreseen, alone, shape : one-step predictions; leave-one-out densities (row,) and their k.
    contribution : (draw, event row), what its terms add, USD million; None without terms.
    slope : (draw, term), effect of a term of its usual size, USD million; None without terms.
    previous : (event row,), probability that the row stands for the day before.
    imputed : term -> share of days on which it is missing.
    """

    mechanism: Mechanism
    panel: str
    score: dict[str, Score]
    peak: dict[str, Score]
    foreseen: Foreseen
    alone: np.ndarray
    shape: np.ndarray
    contribution: np.ndarray | None
    slope: np.ndarray | None
    previous: np.ndarray
    imputed: dict[str, float]
    diagnostics: dict[str, float]


@dataclass(frozen=True)
class Sensitivity:
    """Event evidence of one account after a change of the prior or of the baseline."""

    mechanism: str
    panel: str
    change: str
    gain: Score
    ceiling: Score


@dataclass(frozen=True)
class FlowEvidence:
    """What the event's rows and all others say of each account.

    Attributes
    ----------
    targets : the held-out rows with a flow, by date, and ``all`` of them where there are several.
    reading : of the rows of the event under ``held``.
    rivals : the baseline first, by panel.
    weights : panel -> stacking weights in the order of its rivals, event excluded.
    tried : accounts beside the baseline.
    """

    targets: dict[str, np.ndarray]
    reading: str
    rivals: dict[str, tuple[Rival, ...]]
    weights: dict[str, np.ndarray]
    sensitivity: tuple[Sensitivity, ...]
    tried: int

    @property
    def whole(self) -> str:
        """The target that holds every event row."""
        return list(self.targets)[-1]

    @property
    def days(self) -> tuple[str, ...]:
        """Dates of the event's rows."""
        return tuple(name for name, rows in self.targets.items() if rows.sum() == 1)

    @property
    def penalty(self) -> float:
        """Log of the number of accounts tried."""
        return float(np.log(max(self.tried, 1)))

    def gain(self, rival: Rival, target: str) -> Score:
        """Log score of the event's rows over that of the baseline."""
        if rival.mechanism.baseline:
            return Score(0.0, 0.0)
        return difference(rival.score[target], self.rivals[rival.panel][0].score[target])

    def ceiling(self, panel: str, target: str) -> Score:
        """Return the most that any shift of the baseline's mean could gain."""
        base = self.rivals[panel][0]
        return difference(base.peak[target], base.score[target])

    def foresight(self, rival: Rival) -> Score:
        """Difference of the one-step log scores to the baseline's; error over rows and draws."""
        base = self.rivals[rival.panel][0]
        if rival is base:
            return Score(0.0, 0.0)
        gap = rival.foreseen.density - base.foreseen.density
        rows = float(gap.std(ddof=1) * np.sqrt(len(gap)))
        draws = np.hypot(rival.foreseen.error, base.foreseen.error)
        return Score(float(gap.sum()), float(np.hypot(rows, draws)))

    def counts(self, rival: Rival) -> bool:
        """Whether the account counts: evidence above the bar, foresight no worse."""
        ahead, gain = self.foresight(rival), self.gain(rival, self.whole)
        return gain.value - self.penalty > BAR and ahead.value > -2.0 * ahead.error
