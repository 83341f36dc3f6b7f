"""A closed-form posterior and a table too tight for rejection in; its draws, by moves inside, out.

Where every claim bounds responses on impact by a cone, the exact conditionals of a Gibbs sampler
move through it (``attribution.core.cone_gibbs``).  Slices serve what is left: claims beyond impact
or across channels.  In narrow cones slices stand still, so that a table has one search or the
other, never both.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr

from attribution.core import niw
from attribution.diagnostics import psis, weight_size
from attribution.errors import SpecError
from attribution.estimate.acceptance import measure_acceptance
from attribution.estimate.cones import cone_chains
from attribution.estimate.conjugate import ConjugateForm
from attribution.estimate.sample import CHAINS
from attribution.estimation.impact_cones import impact_cones
from attribution.estimation.point import mode_group
from attribution.estimation.restrictions import acceptance_finding, acceptance_note
from attribution.estimation.robust_group import robust_group
from attribution.estimation.shape import Estimate
from attribution.estimation.table_claims import claims_of
from attribution.finding import Finding
from attribution.identify.claims import Claims
from attribution.identify.feasible import refuse_infeasible
from attribution.identify.fits import on_columns
from attribution.identify.rotate import refuse_thin
from attribution.identify.slice import sliced
from attribution.identify.weights import narrative_weight
from attribution.model.restriction import Identification
from attribution.model.spec import ModelSpec
from attribution.panel import Panel
from attribution.posterior import StructuralPosterior
from attribution.reduced import ReducedForm

PARTICLES = 200
"""Slices of one chain that run side by side; each keeps the same number of draws."""


def searched(
    spec: ModelSpec,
    table: Identification,
    form: ReducedForm,
    panel: Panel,
    draws: int,
    seed: np.random.SeedSequence,
    sampler: str,
) -> Estimate:
    """Search the set of a table by ``gibbs`` or by ``slice``, whichever is made for it.

    Raises
    ------
    SpecError
        If the posterior has no closed form, or the table is one for the other search.
    DiagnosticsError
        If a conditional reading of narratives leaves too few effective draws.
    """
    place = f"--sampler {sampler}: "
    if not isinstance(form, ConjugateForm):
        raise SpecError(
            f"{place}model '{spec.name}' has no closed-form posterior to move in; use law"
            " 'gaussian' without outliers or hierarchy, or leave the sampler out"
        )
    claims = claims_of(spec, table, panel)
    refuse_infeasible(table.name, claims)
    cones = impact_cones(claims, table)
    if cones is None and sampler == "gibbs":
        raise SpecError(
            f"{place}a claim of table '{table.name}' is no bound on a response on impact that is"
            " free of the shock's size; use sampler 'slice', or leave the sampler out"
        )
    if cones is not None and sampler == "slice":
        raise SpecError(
            f"{place}every claim of table '{table.name}' bounds responses on impact, where slices"
            " stand still and sampler 'gibbs' draws the same posterior; use that one"
        )
    rng = np.random.default_rng(seed)
    if cones is None:
        inside = _by_slices(spec, form, claims, draws, rng)
        return _weighed(table.name, claims, inside, rng) if claims.conditional else inside
    impact = cone_chains(form.posterior, cones, -(-draws // CHAINS), rng, place=spec.name)
    accepted = measure_acceptance(spec, form.posterior, cones, impact, rng)
    inner = impact.reshape(-1, *impact.shape[2:]) / form.standard.unit[:, None]
    slopes = form.standard.coefficients(niw.draw_coefficients(form.inner, inner, rng))
    found = _named(spec, claims, impact, slopes)
    return Estimate(
        posterior=found,
        findings=(acceptance_finding(accepted),),
        notes={**form.notes, "acceptance": acceptance_note(accepted)},
        extra=mode_group(form),
        groups=lambda contribution, of: robust_group(spec, table, panel, of, seed),
    )


def _by_slices(
    spec: ModelSpec, form: ConjugateForm, claims: Claims, draws: int, rng: np.random.Generator
) -> Estimate:
    """Search by clouds of slices, one a chain and independent, so that R-hat compares searches."""
    each = -(-draws // (CHAINS * PARTICLES))
    found = [
        sliced(form.inner, claims, draws=each, particles=PARTICLES, standard=form.standard, rng=own)
        for own in rng.spawn(CHAINS)
    ]
    impact, slopes = (
        np.array([array.reshape(-1, *array.shape[2:]) for array in arrays])
        for arrays in zip(*((one.factor @ one.q, one.coefficients) for one in found), strict=True)
    )
    rates = np.array([one.log_rate for one in found])
    rate = float(np.logaddexp.reduce(rates) - np.log(CHAINS))
    steps = max(len(one.levels) for one in found)
    said = (
        f"about 10^{rate / np.log(10):.1f} of named rotations obey it; at most {steps} levels led"
        " there"
    )
    return Estimate(
        posterior=_named(spec, claims, impact, slopes.reshape(-1, *slopes.shape[2:])),
        findings=(Finding("acceptance", "Do the data leave room for the table?", said, "holds"),),
        notes={
            **form.notes,
            "acceptance": {
                "log_rate": rate,
                "log_rates": rates.tolist(),
                "levels": [[float(level) for level in one.levels] for one in found],
            },
        },
        extra=mode_group(form),
    )


def _weighed(table: str, claims: Claims, found: Estimate, rng: np.random.Generator) -> Estimate:
    """Divide draws that obey the narratives by the probability that these hold."""
    drawn = found.posterior
    lead, n = drawn.impact.shape[:2], len(drawn.variables)
    slopes = drawn.lag_coefficients.reshape(-1, *drawn.lag_coefficients.shape[2:])
    columns = on_columns(
        claims, drawn.impact.reshape(-1, n, n), slopes, drawn.intercept.reshape(-1, n)
    )
    factor = narrative_weight(claims, columns, np.ones((len(columns), len(claims.dates))), rng)
    weight = factor / factor.mean()
    refuse_thin(table, weight_size(weight), psis(np.log(weight))[1], weight.size)
    return replace(
        found,
        posterior=replace(drawn, weight=weight.reshape(lead)),
        extra={
            **found.extra,
            "/weight_factors": xr.Dataset(
                {"narratives": (("chain", "draw"), factor.reshape(lead))}
            ),
        },
    )


def _named(
    spec: ModelSpec, claims: Claims, impact: np.ndarray, coefficients: np.ndarray
) -> StructuralPosterior:
    """Lay draws (chain, draw, ...) and coefficients (draw, ...) out, named columns first."""
    lead, n = impact.shape[:2], len(spec.system.variables)
    slopes, intercept = niw.split(coefficients, constant=spec.system.constant)
    rest = range(1, n - len(claims.channels) + 1)
    return StructuralPosterior(
        variables=spec.system.variables,
        shocks=(*claims.channels, *(f"unnamed_{number}" for number in rest)),
        channels=claims.channels,
        impact=impact,
        lag_coefficients=slopes.reshape(*lead, *slopes.shape[1:]),
        intercept=intercept.reshape(*lead, n),
        weight=np.ones(lead),
    )
