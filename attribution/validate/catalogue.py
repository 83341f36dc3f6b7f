"""Every validation that ships, by name, with the replications that it is worth."""

from __future__ import annotations

from collections.abc import Sequence

from attribution.errors import SpecError, nearest
from attribution.validate.calibration import Calibration
from attribution.validate.coverage import Covered
from attribution.validate.crash import WORLDS
from attribution.validate.designs.conjugate import Conjugate
from attribution.validate.designs.focus_fund import FocusFund
from attribution.validate.designs.loop import Loop
from attribution.validate.designs.own_laws import OwnLaw
from attribution.validate.designs.proxied import Proxied
from attribution.validate.designs.restricted import ALIKE, Restricted, Swept
from attribution.validate.designs.tabled import Tabled
from attribution.validate.loop_off import LoopOff
from attribution.validate.task import Design, Task

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


CRASHES, QUIET = 200, 100
MODELS = ("bvar_signs", "bvar")


def chosen(names: Sequence[str]) -> tuple[tuple[Task, int], ...]:
    """Return the tasks of these names, all calibrations if none is named.

    Coverage on simulated crashes is asked for by name, ``bvar_signs-right`` or ``bvar-noise``:
    it takes minutes or days.  So is that of days without amplifiers, ``event-null``.

    Raises
    ------
    SpecError
        If a name is not that of a design.
    """
    calibrations = tuple((Calibration(design), size) for design, size in SHIPPED)
    known: dict[str, tuple[Task, int]] = {task.name: (task, size) for task, size in calibrations}
    for model in MODELS:
        for world in WORLDS:
            covered = Covered(model, world)
            known[covered.name] = covered, CRASHES
    off = LoopOff()
    known[off.name] = off, QUIET
    for name in names:
        if name not in known:
            raise SpecError(f"validate: no design '{name}'{nearest(name, known)}; correct it")
    return tuple(known[name] for name in names) if names else calibrations
