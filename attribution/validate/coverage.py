"""Simulated crashes in; what a shipped model says of each, beside the truth, out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from attribution.core import propagate
from attribution.decompose import decompose
from attribution.errors import SpecError, nearest
from attribution.model.spec import ModelSpec
from attribution.sampling.diagnostics import rhat
from attribution.validate.crash import TEST_SIGNS, Crash, crash, question
from attribution.validate.task import Record
from attribution.var.estimate.bvar import fit_bvar
from attribution.var.estimate.bvar_signs import fit_bvar_signs
from attribution.var.estimate.event_shocks import event_shocks
from attribution.var.estimate.loadings import loadings, past_shocks

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
