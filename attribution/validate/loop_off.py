"""A market that answers nothing in; whether a fit that believes it might says so, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import numpy as np

from attribution.model.event_study import AMPLIFIERS
from attribution.validate.coverage import QUANTILES
from attribution.validate.designs.loop import OFF, Loop, LoopDays
from attribution.validate.task import Record

NEAR = 0.05
"""Log points that count as nothing."""


@dataclass(frozen=True)
class LoopOff:
    """The task of asking for amplifiers on days that had none.

    Everything else is drawn from the prior.  Every effect's truth is zero.  It is also noted what
    is left of an effect beyond 0.05 log points: an effect of known sign without mass at zero could
    hold zero at best at its end.  For forced orders there is such a mass, and its posterior
    probability is noted.
    """

    design: Loop = field(default_factory=lambda: Loop("event-null"))

    @property
    def name(self) -> str:
        """Name of the design."""
        return self.design.name

    @property
    def settings(self) -> Mapping[str, object]:
        """All settings."""
        return {"kind": type(self).__name__, **asdict(self.design), "off": dict(OFF), "near": NEAR}

    def replicate(self, rng: np.random.Generator) -> Record:
        """Draw days without amplifiers, fit them, and note truth and quantiles of every effect."""
        made, fitted = rng.spawn(2)
        told = self.design.answers(self.simulate(made), fitted)
        record = {"chance absorbed": float(told.quantities["absorbed"].mean())}
        for name in AMPLIFIERS:
            effect = told.quantities[f"but for {name}"]
            beyond = np.sign(effect) * np.maximum(np.abs(effect) - NEAR, 0.0)
            for label, value in ((name, effect), (f"{name} beyond {NEAR}", beyond)):
                record[f"truth {label}"] = 0.0
                for level, one in zip(QUANTILES, np.quantile(value, QUANTILES), strict=True):
                    record[f"q{100 * level:02.0f} {label}"] = float(one)
        return record

    def simulate(self, rng: np.random.Generator) -> LoopDays:
        """Draw days whose amplifiers are all off."""
        while True:
            law, point, absorbed = self.design.drawn(rng)
            named = self.design.target(law).named(point[None], absorbed)
            named |= {name: np.array([value]) for name, value in OFF.items()}
            rows = self.design.made(law, named, rng)
            if rows is not None:
                return LoopDays(rows, law)
