"""Records of simulated crashes in; how often intervals and regions held the truth, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from attribution.errors import DataError
from attribution.validate.task import Outcome

SURE = 0.9
"""Posterior probability of the wrong direction at which a test series raises the alarm."""
MIXED = 1.05
"""R-hat of a contribution above which a fit counts as refused, as the command line refuses it."""


@dataclass(frozen=True)
class Score:
    """How one channel fared: shares of replications, and errors in the unit of the outcome."""

    channel: str
    covered_50: float
    covered_90: float
    robust_90: float | None
    bias: float
    rmse: float
    width_90: float
    robust_width: float | None


@dataclass(frozen=True)
class Coverage:
    """Scores of a world.

    Attributes
    ----------
    replications, refused : how many crashes were split, how many the program refused.
    right_largest : mean posterior probability of the truly largest channel; None where the truth
        has none.
    alarm : share of crashes that were refused, or where a test series speaks against a label.
    chances : statement -> its posterior probability, mean over crashes.
    """

    name: str
    replications: int
    refused: int
    scores: tuple[Score, ...]
    right_largest: float | None
    alarm: float
    chances: Mapping[str, float] = field(default_factory=dict)


def score(outcome: Outcome) -> Coverage:
    """Score the records of a coverage task.

    Raises
    ------
    DataError
        If there is none.
    """
    used = ~np.isin(outcome.numbers, list(outcome.refused))
    if not used.any():
        raise DataError(f"{outcome.name}: no crash has been split; run some first")
    column = {name: values[used] for name, values in outcome.columns.items()}
    channels = [name.removeprefix("truth ") for name in column if name.startswith("truth ")]
    loud = np.zeros(used.sum(), bool)
    for name, values in column.items():
        if name.startswith("wrong "):
            loud |= values >= SURE
    if "plausibility" in column:
        loud |= column["plausibility"] < 0.5
    if "rhat" in column:
        loud |= column["rhat"] > MIXED
    largest = column.get("right largest")
    return Coverage(
        name=outcome.name,
        replications=int(used.sum()),
        refused=len(outcome.refused),
        scores=tuple(_score(column, channel) for channel in channels),
        right_largest=float(largest.mean()) if largest is not None else None,
        alarm=float(loud.sum() + len(outcome.refused)) / len(outcome.numbers),
        chances={
            name.removeprefix("chance "): float(values.mean())
            for name, values in column.items()
            if name.startswith("chance ")
        },
    )


def _score(column: Mapping[str, np.ndarray], channel: str) -> Score:
    truth = column[f"truth {channel}"]

    def held(low: str, high: str) -> float:
        inside = (column[f"{low} {channel}"] <= truth) & (truth <= column[f"{high} {channel}"])
        return float(inside.mean())

    def width(low: str, high: str) -> float:
        return float((column[f"{high} {channel}"] - column[f"{low} {channel}"]).mean())

    error, robust = column[f"q50 {channel}"] - truth, f"robust low {channel}" in column
    return Score(
        channel=channel,
        covered_50=held("q25", "q75"),
        covered_90=held("q05", "q95"),
        robust_90=held("robust low", "robust high") if robust else None,
        bias=float(error.mean()),
        rmse=float(np.sqrt((error**2).mean())),
        width_90=width("q05", "q95"),
        robust_width=width("robust low", "robust high") if robust else None,
    )
