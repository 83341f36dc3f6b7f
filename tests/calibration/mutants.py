"""Ten faults that peers have shipped, each seeded into the real engine for as long as a block runs.

A mutant is a name, the design that must see it, how many replications it needs, and a patch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from calibration.conjugate import Conjugate
from calibration.own_laws import OwnLaw
from calibration.ranks import Design
from calibration.restricted import ALIKE, Restricted, Swept
from calibration.tabled import Tabled

from attribution.core import niw
from attribution.core.laws import structural_form
from attribution.core.rotations import cone_gibbs, restrictions
from attribution.posterior import Decomposition, StructuralPosterior
from attribution.var.estimate import reduced_form

SOME, PATIENCE = 120, 1000


@dataclass(frozen=True)
class Mutant:
    name: str
    design: Design
    replications: int
    patch: Callable[[pytest.MonkeyPatch], None]


def deaf(monkeypatch):
    """Switch off the assertion that would refuse a decomposition that does not add up."""
    monkeypatch.setattr(Decomposition, "__post_init__", lambda self: None)


def retry(monkeypatch):
    """Try rotations for a given reduced form until one passes."""
    real = restrictions.accept

    def patient(rows, ends, *, rotations, rng):
        missing, parts = np.arange(SOME), []
        while len(missing) and len(parts) < PATIENCE:
            found = real(rows[missing], ends, rotations=1, rng=rng)
            parts.append(replace(found, draw=missing[found.draw]))
            missing = np.setdiff1d(missing, missing[found.draw])
        draw, columns = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("draw", "columns")
        )
        order = np.argsort(draw)
        return replace(
            parts[0], draw=draw[order], columns=columns[order], weight=np.ones(len(order))
        )

    monkeypatch.setattr(restrictions, "accept", patient)


def unit_effect(monkeypatch):
    """Multiply unit-variance shocks by responses to a shock that moves its own variable by one."""
    deaf(monkeypatch)
    real = StructuralPosterior.shocks_of

    def standardised(self, errors, time):
        own = np.diagonal(self.impact, axis1=-2, axis2=-1)
        return real(self, errors, time) / own[:, :, None]

    monkeypatch.setattr(StructuralPosterior, "shocks_of", standardised)


def lag_off_by_one(monkeypatch):
    """Regress on the day before the one that was meant."""
    real = niw.design

    def late(series, *, lags, constant=True):
        response, regressors = real(series, lags=lags + 1, constant=constant)
        slopes = regressors[:, int(constant) + series.shape[1] :]
        return response, np.concatenate([regressors[:, : int(constant)], slopes], axis=1)

    monkeypatch.setattr(niw, "design", late)


def transposed_factor(monkeypatch):
    """Return the Cholesky factor with rows and columns exchanged."""
    real = niw.draw_factor
    monkeypatch.setattr(niw, "draw_factor", lambda *args: real(*args).swapaxes(1, 2))


def student_scale(monkeypatch):
    """Take a Student scale for a standard deviation: without the root of (nu - 2) / nu."""
    monkeypatch.setattr(reduced_form, "unit_variance", lambda parameters: np.ones(len(parameters)))


def regime_off_by_one(monkeypatch):
    """Let the second regime begin a day late."""
    real = structural_form.regimes
    monkeypatch.setattr(
        structural_form, "regimes", lambda spell: real(np.concatenate([[0], spell[:-1]]))
    )


def missing_log_det(monkeypatch):
    """Leave the determinant of the impact matrix out of the likelihood."""
    real = cone_gibbs.sample
    rows = Swept().days + Swept().event_days

    def bare(start, scale, dof, *args, **options):
        return real(start, scale, dof - rows, *args, **options)

    monkeypatch.setattr(cone_gibbs, "sample", bare)


def event_leak(monkeypatch):
    """Learn from the days that were to be held out."""
    real = Conjugate.fit
    monkeypatch.setattr(
        Conjugate,
        "fit",
        lambda self, data, rng: real(self, replace(data, learnt=len(data.values)), rng),
    )


def sign_flip(monkeypatch):
    """Forget that a column was admitted with its sign turned."""
    real = restrictions.accept

    def unsigned(rows, ends, *, rotations, rng):
        found = real(rows, ends, rotations=rotations, rng=rng)
        side = np.sign(found.columns[:, :1])
        return replace(found, columns=found.columns * np.where(side == 0, 1, side))

    monkeypatch.setattr(restrictions, "accept", unsigned)


def weights_dropped(monkeypatch):
    """Count a rotation once, however many ways there are to name its columns."""
    real = restrictions.accept

    def careless(rows, ends, *, rotations, rng):
        found = real(rows, ends, rotations=rotations, rng=rng)
        return replace(found, weight=np.ones(len(found.weight)))

    monkeypatch.setattr(restrictions, "accept", careless)


NAMINGS = Restricted("namings", variables=5, table=ALIKE)
HEAVY = Tabled("heavy tails", law="student_t", dof=3.0, draws=400)
SHIFT = OwnLaw("two regimes", "regimes", days=8, ratio_sd=3.0)
MUTANTS = (
    Mutant("retry", Restricted(), 200, retry),
    Mutant("unit-effect decomposition", Conjugate(), 100, unit_effect),
    Mutant("lag off by one", Conjugate(), 100, lag_off_by_one),
    Mutant("P transposed", Conjugate(), 50, transposed_factor),
    Mutant("t without its scale", HEAVY, 60, student_scale),
    Mutant("regime off by one", SHIFT, 100, regime_off_by_one),
    Mutant("missing log det", Swept(), 50, missing_log_det),
    Mutant("event leak", Conjugate("held out", crash=6.0), 50, event_leak),
    Mutant("sign flip", NAMINGS, 50, sign_flip),
    Mutant("weights dropped", NAMINGS, 400, weights_dropped),
)
