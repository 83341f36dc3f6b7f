"""Coverage: a shipped model splits simulated crashes; how often its intervals held the truth."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from attribution.core import propagate
from attribution.decompose import decompose
from attribution.errors import DataError, SpecError, nearest
from attribution.model.spec import ModelSpec
from attribution.sampling.diagnostics import rhat
from attribution.validate.crash import TEST_SIGNS, WORLDS, Crash, crash, question
from attribution.validate.runner import Outcome, Record
from attribution.var.estimate.bvar import fit_bvar
from attribution.var.estimate.bvar_signs import fit_bvar_signs
from attribution.var.estimate.loadings import event_shocks, loadings, past_shocks

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Covered:
    """The task of splitting simulated crashes by one shipped model.

    ``bvar_signs`` takes about a second a crash, ``bvar`` minutes.
    """

    model: str = "bvar_signs"
    world: str = "right"
    days: int = 400
    draws: int = 400
    robust_draws: int = 40

    def __post_init__(self) -> None:
        if self.model not in ENGINES:
            raise SpecError(
                f"coverage: no simulated crash for model '{self.model}'"
                f"{nearest(self.model, ENGINES)}; correct it"
            )

    @property
    def name(self) -> str:
        """Model and world."""
        return f"{self.model}-{self.world}"

    @property
    def settings(self) -> Mapping[str, object]:
        """All settings."""
        return {"kind": type(self).__name__, **asdict(self)}

    def replicate(self, rng: np.random.Generator) -> Record:
        """Draw a crash, fit it, and note truth, quantiles, robust region and alarms."""
        spec = question(self.model, self.days)
        made = crash(spec, self.world, self.days, rng)
        split = ENGINES[self.model](self, spec, made, rng)
        record = dict(split.alarms)
        for k, channel in enumerate(spec.channels):
            record[f"truth {channel}"] = float(made.contribution[k])
            for level, value in zip(
                QUANTILES, np.quantile(split.parts[:, k], QUANTILES), strict=True
            ):
                record[f"q{100 * level:02.0f} {channel}"] = float(value)
            if split.robust is not None:
                record[f"robust low {channel}"] = float(split.robust[0][k])
                record[f"robust high {channel}"] = float(split.robust[1][k])
        largest = int(made.contribution.argmin())
        record["right largest"] = float((split.parts.argmin(1) == largest).mean())
        return record


@dataclass(frozen=True)
class Split:
    """What a model says of a crash.

    Attributes
    ----------
    parts : (draw, channel); contributions, unit of the outcome.
    robust : lower and upper ends (channel,) of the robust 90 % region, where the model has one.
    alarms : name -> number; see ``score``.
    """

    parts: np.ndarray
    robust: tuple[np.ndarray, np.ndarray] | None
    alarms: Mapping[str, float]


def _signs(task: Covered, spec: ModelSpec, made: Crash, rng: np.random.Generator) -> Split:
    fit = fit_bvar_signs(
        spec,
        made.values,
        draws=task.draws,
        seed=np.random.SeedSequence(int(rng.integers(2**63))),
        event_in="in" if task.world == "event-in" else "out",
        robust_draws=task.robust_draws,
    )
    split = decompose(fit.posterior, made.values, spec.event.windows[0])
    post, days, series = fit.posterior, len(fit.time), made.values.to_numpy()
    errors = propagate.residuals(
        post.lag_coefficients, post.intercept, series[:1], series[1 : days + 1]
    )
    shocks = np.linalg.solve(post.impact, errors.swapaxes(-1, -2))
    # shocks have variance one and no correlation: the slope on one is the mean of the product
    slope = (shocks * made.test[:days]).mean(-1).reshape(-1, len(post.shocks))
    ends = fit.robust.lower[:, :, 0], fit.robust.upper[:, :, 0]
    low, high = (
        np.quantile(end.reshape(-1, end.shape[-1]), level, axis=0)
        for end, level in zip(ends, (QUANTILES[0], QUANTILES[-1]), strict=True)
    )
    parts = split.cumulated(spec.event.outcome)[0][..., : len(spec.channels)]
    return Split(
        parts.reshape(-1, len(spec.channels)),
        (low, high),
        {"plausibility": fit.acceptance.plausibility} | _wrong(slope, spec.channels),
    )


def _headline(task: Covered, spec: ModelSpec, made: Crash, rng: np.random.Generator) -> Split:
    fit = fit_bvar(
        spec,
        made.values,
        draws=task.draws,
        tune=task.draws,
        chains=HEADLINE_CHAINS,
        cores=1,
        seed=int(rng.integers(2**31)),
        event_in="in" if task.world == "event-in" else "out",
    )
    event = event_shocks(spec, fit, rng)
    split = decompose(event.posterior, made.values, spec.event.windows[0])
    parts = split.cumulated(spec.event.outcome)[0][..., : len(spec.channels)]
    test = pd.Series(made.test, made.values.index[1:])
    slope = loadings(fit, spec.channels, past_shocks(fit), test).draw(rng)
    worst = float(max(rhat(parts[..., k]) for k in range(parts.shape[-1])))
    return Split(
        parts.reshape(-1, len(spec.channels)),
        None,
        {"rhat": worst} | _wrong(slope, spec.channels),
    )


def _wrong(slope: np.ndarray, channels: tuple[str, ...]) -> dict[str, float]:
    """Posterior probability that a named shock moves the test series the wrong way."""
    return {
        f"wrong {name}": float((slope[..., channels.index(name)] * sign < 0).mean())
        for name, sign in TEST_SIGNS.items()
    }


Engine = Callable[[Covered, ModelSpec, Crash, np.random.Generator], Split]
ENGINES: Mapping[str, Engine] = {"bvar_signs": _signs, "bvar": _headline}
HEADLINE_CHAINS = 2
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


def covered(found: Coverage) -> str:
    """One line for the screen."""
    worst = min(found.scores, key=lambda row: row.covered_90)
    named = found.right_largest
    right = "" if named is None else f" right largest {named:.2f},"
    return (
        f"{found.name:<26} covers {found.replications:>5} crashes; worst 90 % interval holds"
        f" {worst.covered_90:.2f} ({worst.channel}),{right} alarm {found.alarm:.2f}"
    )


CALIBRATION, COVERAGE = "calibration.json", "coverage.json"


def finish(outcome: Outcome, folder: Path) -> tuple[bool, str]:
    """Score a coverage, write its numbers, and say what came out.

    Coverage is published, not judged: it holds whatever it is.
    """
    scored = score(outcome)
    body = {"settings": dict(outcome.settings), "seed": outcome.seed, **asdict(scored)}
    _save(folder / COVERAGE, body)
    return True, covered(scored)


def collect(folder: Path) -> str:
    """Gather the verdicts and scores below a folder into its ``calibration.json``.

    Returns
    -------
    Its text: designs and coverage, each name -> numbers.
    """
    designs, crashes = (
        {
            path.parent.name: json.loads(path.read_text(encoding="utf-8"))
            for path in sorted(folder.glob(f"*/{name}"))
        }
        for name in (CALIBRATION, COVERAGE)
    )
    return _save(folder / CALIBRATION, {"designs": designs, "coverage": crashes})


def _save(path: Path, body: Mapping[str, object]) -> str:
    text = json.dumps(body, indent=1) + "\n"
    path.write_text(text, encoding="utf-8")
    return text


CRASHES = 200
SHIPPED: Mapping[str, Covered] = {
    task.name: task for task in (Covered(model, world) for model in ENGINES for world in WORLDS)
}
OF_THE_ENGINE = (
    "conjugate",
    "held-out",
    "signs",
    "namings",
    "cones",
    "independent-t",
    "regimes",
    "stochastic-volatility",
    "proxy",
    "focus-fund",
    "rotated",
    "narrative-unconditional",
    "narrative-conditional",
    "student-t",
    "common-volatility",
    "outliers",
    "event",
    "event-null",
)
"""Designs that calibrate the computations, not a model; they stand with the tests."""


def chosen(names: Sequence[str]) -> tuple[tuple[Covered, int], ...]:
    """Return the tasks of these names, all worlds of ``bvar_signs`` if none is named.

    A crash takes ``bvar_signs`` about a second and ``bvar`` minutes.

    Raises
    ------
    SpecError
        If a name is that of no design.
    """
    for name in names:
        if name in OF_THE_ENGINE:
            raise SpecError(
                f"validate: '{name}' examines the engine and no model; run python"
                f" tests/calibration/run.py {name} in a copy of the source"
            )
        if name not in SHIPPED:
            raise SpecError(f"validate: no design '{name}'{nearest(name, SHIPPED)}; correct it")
    picked = names or [name for name, task in SHIPPED.items() if task.model == "bvar_signs"]
    return tuple((SHIPPED[name], CRASHES) for name in picked)
