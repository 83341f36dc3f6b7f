"""Every calibration of the engine, by name, with the replications that it is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
from calibration.conjugate import Conjugate
from calibration.focus_fund import FocusFund
from calibration.loop import OFF, Loop, LoopDays
from calibration.own_laws import OwnLaw
from calibration.proxied import Proxied
from calibration.ranks import Calibration, Design
from calibration.restricted import ALIKE, Restricted, Swept
from calibration.tabled import Tabled

from attribution.errors import SpecError, nearest
from attribution.studies.event.question import AMPLIFIERS
from attribution.validate.coverage import QUANTILES
from attribution.validate.runner import Record, Task

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


FEW, SMALL, LARGE = 200, 500, 2000
SHIPPED: tuple[tuple[Design, int], ...] = (
    (Conjugate(), LARGE),
    (Conjugate("held-out", crash=6.0), LARGE),
    (Restricted(), LARGE),
    (Restricted("namings", variables=5, table=ALIKE), LARGE),
    (Swept(), LARGE),
    (OwnLaw("independent-t"), LARGE),
    (OwnLaw("regimes", "regimes"), LARGE),
    (OwnLaw("stochastic-volatility", "stochastic_volatility", thin=60), SMALL),
    (Proxied(), LARGE),
    (FocusFund(), LARGE),
    (Tabled("rotated"), SMALL),
    (Tabled("narrative-unconditional", reading="unconditional"), SMALL),
    (Tabled("narrative-conditional", reading="conditional", share=0.2, draws=2000), SMALL),
    (Tabled("student-t", law="student_t", draws=2000, every=20), SMALL),
    (Tabled("common-volatility", law="common_volatility", draws=2000, every=20), SMALL),
    (Tabled("outliers", outliers=(3, 7), draws=2000, every=20), SMALL),
    (Loop(), FEW),
)

QUIET = 100


def chosen(names: Sequence[str]) -> tuple[tuple[Task, int], ...]:
    """Return the tasks of these names, all calibrations if none is named.

    Days without amplifiers, ``event-null``, are asked for by name: they take hours.

    Raises
    ------
    SpecError
        If a name is not that of a design.
    """
    calibrations = tuple((Calibration(design), size) for design, size in SHIPPED)
    known: dict[str, tuple[Task, int]] = {task.name: (task, size) for task, size in calibrations}
    off = LoopOff()
    known[off.name] = off, QUIET
    for name in names:
        if name not in known:
            raise SpecError(f"validate: no design '{name}'{nearest(name, known)}; correct it")
    return tuple(known[name] for name in names) if names else calibrations
