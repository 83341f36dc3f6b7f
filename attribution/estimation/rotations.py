"""A reduced form whose rotations the likelihood cannot tell apart in; a scheme's choice out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from attribution import record
from attribution.core import niw
from attribution.errors import SpecError
from attribution.estimate.conjugate import ConjugateForm
from attribution.estimate.reduced_form import reduced_form
from attribution.estimation.point import center_of
from attribution.estimation.robust_group import robust_group
from attribution.estimation.shape import Estimate, Groups
from attribution.estimation.table_claims import claims_of
from attribution.finding import Finding
from attribution.identify.bite import Bite
from attribution.identify.feasible import refuse_infeasible
from attribution.identify.long_run import long_run
from attribution.identify.recursive import recursive
from attribution.identify.rotate import Rotated, rotate
from attribution.identify.slice import Sliced, sliced
from attribution.model.restriction import Identification
from attribution.model.spec import ModelSpec
from attribution.panel import Panel
from attribution.posterior import StructuralPosterior
from attribution.reduced import ReducedForm

PARTICLES = 400
"""Slices that run side by side; each keeps the same number of draws."""


def by_restrictions(
    spec: ModelSpec, panel: Panel, draws: int, seed: int, event_in: str, sampler: str
) -> Estimate:
    """Choose among rotations by the claims of a table."""
    table = spec.identification
    if table is None:
        raise SpecError(f"{spec.name}: scheme 'restrictions' needs claims; add a table of them")
    form, chance = _form(spec, panel, seed, event_in)
    if sampler == "slice":
        return _sliced(spec, table, form, panel, draws, chance)
    found = rotate(
        form,
        table,
        panel.values,
        lags=spec.system.lags,
        draws=draws,
        seed=chance,
        levels=spec.system.levels,
    )
    return Estimate(
        posterior=found.posterior,
        parameters=hyperparameters(found.hyper),
        findings=(_acceptance(found),),
        notes={
            **form.notes,
            "acceptance": {
                "tried": found.tried,
                "accepted": found.accepted,
                "rate": found.rate,
                "weighted_ess": found.ess,
                "pareto_k": None if np.isinf(found.pareto_k) else found.pareto_k,
                "claims": claims_record(found.bites),
            },
        },
        extra=_factors(found),
        groups=lambda contribution, of: robust_group(spec, table, panel, of, chance),
    )


def by_order(spec: ModelSpec, panel: Panel, draws: int, seed: int, event_in: str) -> Estimate:
    """Choose the rotation by a causal order, on impact or in the long run."""
    form, chance = _form(spec, panel, seed, event_in)
    scheme = recursive if spec.scheme.name == "recursive" else long_run
    order, shocks = spec.scheme.order, spec.scheme.shocks
    found = scheme(form, order=order, shocks=shocks, draws=draws, seed=chance)
    extra: Groups = {}
    if isinstance(form, ConjugateForm):
        center = center_of(form, flat=spec.prior.flat)
        point = scheme(center, order=order, shocks=shocks, draws=1, seed=0).posterior
        extra = record.point(point, panel.units, spec.system.horizons)
    return Estimate(
        posterior=found.posterior,
        parameters=hyperparameters(found.hyper),
        notes=dict(form.notes),
        extra=extra,
    )


def hyperparameters(hyper: Mapping[str, np.ndarray]) -> dict[str, xr.DataArray]:
    """Name what was drawn beside (chain, draw, ...)."""
    out = {}
    for name, array in hyper.items():
        own = [f"{name}_{i}" for i in range(array.ndim - 2)]
        out[name] = xr.DataArray(array, dims=("chain", "draw", *own), name=name)
    return out


def claims_record(bites: Iterable[Bite]) -> dict[str, dict[str, int]]:
    """Make plain numbers of what each claim turned away."""
    return {
        bite.claim: {"turned away": bite.killed, "alone": bite.alone, "of": bite.of}
        for bite in bites
    }


def _form(
    spec: ModelSpec, panel: Panel, seed: int, event_in: str
) -> tuple[ReducedForm, np.random.SeedSequence]:
    """Build the reduced form, and the seed of what follows."""
    first, second = np.random.SeedSequence(seed).spawn(2)
    return reduced_form(spec, panel.values, seed=first, event_in=event_in), second


def _acceptance(found: Rotated) -> Finding:
    worst = max(found.bites, key=lambda bite: bite.killed / bite.of, default=None)
    said = (
        f"{found.accepted:,} of {found.tried:,} rotations obey it, {found.rate:.2g} of their"
        f" namings; weighted, the draws are worth {found.ess:,.0f}"
    )
    if worst is not None:
        said += f"; the hardest claim is {worst.claim}"
    return Finding("acceptance", "Do the data leave room for the table?", said, "holds")


def _factors(found: Rotated) -> Groups:
    """Group ``/weight_factors``: what each weight is the product of."""
    data = {name.replace(" ", "_"): (("chain", "draw"), a) for name, a in found.factors.items()}
    return {"/weight_factors": xr.Dataset(data)}


def _sliced(
    spec: ModelSpec,
    table: Identification,
    form: ReducedForm,
    panel: Panel,
    draws: int,
    seed: np.random.SeedSequence,
) -> Estimate:
    if not isinstance(form, ConjugateForm):
        raise SpecError(
            f"--sampler slice: model '{spec.name}' has no closed-form posterior to move in; use law"
            " 'gaussian' without outliers or hierarchy, or leave the sampler out"
        )
    if table.reading == "conditional":
        raise SpecError(
            "--sampler slice: it makes draws of equal weight, and conditional narratives weigh"
            ' them; use reading = "unconditional", or leave the sampler out'
        )
    claims = claims_of(spec, table, panel)
    refuse_infeasible(table.name, claims)
    each = -(-draws // PARTICLES)
    found = sliced(
        form.inner,
        claims,
        draws=each,
        particles=PARTICLES,
        standard=form.standard,
        rng=np.random.default_rng(seed),
    )
    rate = f"10^{found.log_rate / np.log(10):.1f}"
    return Estimate(
        posterior=_slices(spec, table, found),
        findings=(
            Finding(
                "acceptance",
                "Do the data leave room for the table?",
                f"about {rate} of named rotations obey it; {len(found.levels)} levels led there",
                "holds",
            ),
        ),
        notes={**form.notes, "acceptance": {"log_rate": found.log_rate, **_levels(found)}},
    )


def _levels(found: Sliced) -> dict[str, Any]:
    return {"levels": [float(level) for level in found.levels]}


def _slices(spec: ModelSpec, table: Identification, found: Sliced) -> StructuralPosterior:
    """Lay slices out as four chains: draws of one slice stay together, in their order."""
    n, named = len(spec.system.variables), len(table.names)
    slopes, intercept = niw.split(found.coefficients, constant=spec.system.constant)

    def chained(array: np.ndarray) -> np.ndarray:
        return array.reshape(4, -1, *array.shape[2:])

    impact = chained(found.factor @ found.q)
    return StructuralPosterior(
        variables=spec.system.variables,
        shocks=(*table.names, *(f"unnamed_{i}" for i in range(1, n - named + 1))),
        channels=table.names,
        impact=impact,
        lag_coefficients=chained(slopes),
        intercept=chained(intercept),
        weight=np.ones(impact.shape[:2]),
    )
