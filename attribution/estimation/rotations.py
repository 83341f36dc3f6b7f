"""A reduced form whose rotations the likelihood cannot tell apart in; a scheme's choice out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import xarray as xr

from attribution import record
from attribution.errors import SpecError
from attribution.estimate.conjugate import ConjugateForm
from attribution.estimate.reduced_form import reduced_form
from attribution.estimation.point import center_of, mode_group
from attribution.estimation.robust_group import robust_group
from attribution.estimation.search import searched
from attribution.estimation.shape import Estimate, Groups
from attribution.finding import Finding
from attribution.identify.bite import Bite
from attribution.identify.long_run import long_run
from attribution.identify.recursive import recursive
from attribution.identify.rotate import Rotated, rotate
from attribution.identify.upright import upright
from attribution.model.spec import ModelSpec
from attribution.panel import Panel
from attribution.reduced import ReducedForm


def by_restrictions(
    spec: ModelSpec, panel: Panel, draws: int, seed: int, event_in: str, sampler: str
) -> Estimate:
    """Choose among rotations by the claims of a table."""
    table = spec.identification
    if table is None:
        raise SpecError(f"{spec.name}: scheme 'restrictions' needs claims; add a table of them")
    form, chance = _form(spec, panel, seed, event_in)
    if sampler != "accept":
        return searched(spec, table, form, panel, draws, chance, sampler)
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
        extra={**mode_group(form), **_factors(found)},
        groups=lambda contribution, of: robust_group(spec, table, panel, of, chance),
    )


def by_order(spec: ModelSpec, panel: Panel, draws: int, seed: int, event_in: str) -> Estimate:
    """Choose the rotation by a causal order, on impact or in the long run."""
    form, chance = _form(spec, panel, seed, event_in)
    scheme = recursive if spec.scheme.name == "recursive" else long_run
    order, shocks = spec.scheme.order, spec.scheme.shocks
    found = scheme(form, order=order, shocks=shocks, draws=draws, seed=chance)
    extra: Groups = mode_group(form)
    if isinstance(form, ConjugateForm):
        center = center_of(form, flat=spec.prior.flat)
        point = scheme(center, order=order, shocks=shocks, draws=1, seed=0).posterior
        point = upright(point, spec.scheme.signs)
        extra |= record.point(point, panel.units, spec.system.horizons, spec.system.cumulated)
    return Estimate(
        posterior=upright(found.posterior, spec.scheme.signs),
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
