"""A reduced form whose rotations the likelihood cannot tell apart in; a scheme's choice out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import xarray as xr

from attribution import runs
from attribution.core import niw
from attribution.core.niw import NormalInverseWishart
from attribution.core.rotations.bounds import MARGIN
from attribution.core.rotations.holds import Line
from attribution.errors import SpecError
from attribution.finding import Finding
from attribution.model.restriction import Identification
from attribution.model.spec import ModelSpec
from attribution.panel import Panel
from attribution.posterior import StructuralPosterior
from attribution.runs.labels import rows_note
from attribution.sampling.diagnostics import psis, weight_size
from attribution.var.estimate.acceptance import measure_acceptance
from attribution.var.estimate.cones import Cones, cone_chains
from attribution.var.estimate.conjugate import CHAINS, ConjugateForm, log_prior
from attribution.var.estimate.hierarchical import HierarchicalForm
from attribution.var.estimate.reduced_form import reduced_form
from attribution.var.identify.candidates import Bite
from attribution.var.identify.claims import Claim, Claims
from attribution.var.identify.feasible import refuse_infeasible
from attribution.var.identify.fits import on_columns
from attribution.var.identify.robust_ranges import robust_ranges
from attribution.var.identify.rotate import Rotated, refuse_thin, rotate
from attribution.var.identify.slice import sliced
from attribution.var.identify.triangular import long_run, recursive, upright
from attribution.var.identify.weights import narrative_weight
from attribution.var.kinds.bvar_signs import acceptance_finding, acceptance_note
from attribution.var.kinds.shape import Estimate, Groups, claims_of
from attribution.var.reduced import Batch, ReducedForm

# A closed-form posterior in; one draw at its centre, for estimates beside posteriors, out.


@dataclass(eq=False)
class Center:
    r"""A reduced form with one draw.

    Coefficients are the posterior mean.  Σ is the posterior mean too,
    :math:`S / (\nu - n - 1)`, or, where the prior is flat, the least-squares estimate
    :math:`S / (T - k)`, which is what textbooks and desks print.
    """

    variables: tuple[str, ...]
    time: pd.DatetimeIndex
    constant: bool
    posterior: NormalInverseWishart
    flat: bool
    chains: int = 1
    notes: Mapping[str, object] = field(default_factory=dict)

    def batch(self, draws: int) -> Batch:
        """Return the centre, as often as asked."""
        k, n = self.posterior.mean.shape
        degrees = self.posterior.dof - (k if self.flat else n + 1)
        factor = np.linalg.cholesky(self.posterior.scale / degrees)

        def coefficients(chosen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
            return np.broadcast_to(self.posterior.mean, (len(chosen), k, n))

        return Batch(
            factor=np.broadcast_to(factor, (1, draws, n, n)),
            coefficients=coefficients,
            weight=np.ones((1, draws)),
        )


def mode_group(form: ReducedForm) -> dict[str, xr.Dataset]:
    """Make group ``/mode`` where the posterior of the reduced form has one in closed form."""
    if not isinstance(form, ConjugateForm | HierarchicalForm):
        return {}
    coefficients, covariance = form.mode
    slopes, intercept = niw.split(coefficients, constant=form.constant)
    return runs.mode(form.variables, slopes, intercept, covariance)


def form_groups(form: ReducedForm, of: StructuralPosterior) -> dict[str, xr.Dataset]:
    """Make what a closed form knows: its mode, and the log prior of each draw."""
    known = log_prior(form.prior, form.standard, of) if isinstance(form, ConjugateForm) else {}
    return mode_group(form) | known


def _notes(form: ReducedForm) -> dict[str, object]:
    """Return the notes of a form, with the rows of one whose errors are Gaussian."""
    gaussian = isinstance(form, ConjugateForm | HierarchicalForm)
    return {**form.notes, **(rows_note(form.time) if gaussian else {})}


def center_of(form: ConjugateForm, *, flat: bool) -> Center:
    """Return the centre of a closed-form posterior."""
    return Center(form.variables, form.time, form.constant, form.posterior, flat)


# Draws under a table in; the group of a run that holds for every prior on rotations out.

SEARCHED = 64
"""Draws whose admissible rotations are searched."""


def robust_group(
    spec: ModelSpec,
    table: Identification,
    panel: Panel,
    posterior: StructuralPosterior,
    seed: np.random.SeedSequence,
) -> Groups:
    """Make group ``/robust``; nothing where no event is asked about."""
    if not spec.event.asked:
        return {}
    claims = claims_of(spec, table, panel)
    (own,) = seed.spawn(1)
    found = robust_ranges(
        posterior,
        claims,
        panel.values,
        spec.event.windows,
        outcome=spec.event.outcome,
        constant=spec.system.constant,
        draws=min(SEARCHED, posterior.weight.size),
        rng=np.random.default_rng(own),
    )
    searched = ("searched", "window", "channel")
    data = xr.Dataset(
        {
            "lower": (searched, found.lower),
            "upper": (searched, found.upper),
            "clear": (searched, found.clear),
            "margin": ("window", MARGIN * np.ptp(found.no_assumption, axis=-1)),
            "weight": ("searched", found.weight),
            "agreed": (("window", "channel"), found.agreed),
            "identification_strength": (("window", "channel"), found.identification_strength),
            "region": (("window", "channel", "bound"), found.region),
            "dilution": ("window", found.dilution),
            "no_assumption": (("window", "bound"), found.no_assumption),
            "uniform_sd": ("window", found.uniform_sd),
        },
        {"window": list(found.windows), "channel": list(found.channels)},
    )
    data.attrs["claims_left_out"] = "; ".join(found.left_out)
    return {"/robust": data}


# Compiled claims in; the cones of impact columns that they are, or nothing, out.


def impact_cones(claims: Claims, table: Identification) -> Cones | None:
    """Return the cone of every channel's impact column, or None if the claims are no cones.

    A claim is one if it bounds responses on impact, whatever the size of the shock: a sign, or a
    bound per unit of a variable.
    """
    n = len(claims.variables)
    if not all(_homogeneous(claim, n) for claim in claims.claims):
        return None
    cells = tuple(cell for cell in table.cells if cell.variable in claims.variables)
    first = len(claims.claims) - len(cells)  # directions come first and are no cell's
    lines = [
        (line, max(number - first, -1))
        for number, claim in enumerate(claims.claims)
        for line in claim.parts
        if isinstance(line, Line)
    ]
    lines.sort(key=lambda pair: pair[0].channel)  # stable: in table order within a channel
    ends = np.cumsum(np.bincount([line.channel for line, _ in lines], minlength=len(table.names)))
    if (np.diff(ends, prepend=0) == 0).any():
        return None
    rows = np.zeros((len(lines), n))
    for row, (line, _) in zip(rows, lines, strict=True):
        row[line.at] += line.gain
        row[line.base] += line.base_gain
    return Cones(claims.channels, rows, ends, cells, np.array([owner for _, owner in lines]))


def _homogeneous(claim: Claim, n: int) -> bool:
    lines = [part for part in claim.parts if isinstance(part, Line)]
    plain = len(lines) == len(claim.parts) and not (claim.orders or claim.zeros)
    return plain and all(line.offset == 0 and max(line.functionals) < n for line in lines)


# A closed-form posterior and a table too tight for rejection in; its draws, by moves inside, out.

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

    Where every claim bounds responses on impact by a cone, the exact conditionals of a Gibbs
    sampler move through it (``attribution.core.rotations.cone_gibbs``). Slices serve what is left:
    claims beyond impact or across channels. In narrow cones slices stand still, so that a table has
    one search or the other, never both.

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
    slopes = form.coefficients(impact.reshape(-1, *impact.shape[2:]), rng)
    found = _named(spec, claims, impact, slopes)
    return Estimate(
        posterior=found,
        findings=(acceptance_finding(accepted),),
        notes={**_notes(form), "acceptance": acceptance_note(accepted)},
        extra=form_groups(form, found),
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
    drawn = _named(spec, claims, impact, slopes.reshape(-1, *slopes.shape[2:]))
    return Estimate(
        posterior=drawn,
        findings=(Finding("acceptance", "Do the data leave room for the table?", said, "holds"),),
        notes={
            **_notes(form),
            "acceptance": {
                "log_rate": rate,
                "log_rates": rates.tolist(),
                "levels": [[float(level) for level in one.levels] for one in found],
            },
        },
        extra=form_groups(form, drawn),
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
            **_notes(form),
            "acceptance": {
                "tried": found.tried,
                "accepted": found.accepted,
                "rate": found.rate,
                "weighted_ess": found.ess,
                "pareto_k": None if np.isinf(found.pareto_k) else found.pareto_k,
                "claims": claims_record(found.bites),
            },
        },
        extra={**form_groups(form, found.posterior), **_factors(found)},
        groups=lambda contribution, of: robust_group(spec, table, panel, of, chance),
    )


def by_order(spec: ModelSpec, panel: Panel, draws: int, seed: int, event_in: str) -> Estimate:
    """Choose the rotation by a causal order, on impact or in the long run."""
    form, chance = _form(spec, panel, seed, event_in)
    scheme = recursive if spec.scheme.name == "recursive" else long_run
    order, shocks = spec.scheme.order, spec.scheme.shocks
    found = scheme(form, order=order, shocks=shocks, draws=draws, seed=chance)
    extra: Groups = form_groups(form, found.posterior)
    if isinstance(form, ConjugateForm):
        center = center_of(form, flat=spec.prior.flat)
        point = scheme(center, order=order, shocks=shocks, draws=1, seed=0).posterior
        point = upright(point, spec.scheme.signs)
        extra |= runs.point(point, panel.units, spec.system.horizons, spec.system.cumulated)
    return Estimate(
        posterior=upright(found.posterior, spec.scheme.signs),
        parameters=hyperparameters(found.hyper),
        notes=_notes(form),
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
