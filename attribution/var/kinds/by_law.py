"""A law that tells shocks apart in; their draws, named by a table or by likeness, out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from attribution import runs
from attribution.core import niw
from attribution.core.rotations.holds import Carried
from attribution.errors import IdentificationError, SpecError
from attribution.finding import Finding
from attribution.model.restriction import Identification
from attribution.model.spec import ModelSpec
from attribution.panel import Panel
from attribution.posterior import StructuralPosterior
from attribution.screen import told
from attribution.var.estimate.independent_laws import (
    StructuralBatch,
    StructuralDraws,
    structural_draws,
)
from attribution.var.estimate.variance_shift import (
    VarianceShift,
    distinct_variances,
    fit_variance_shift,
    non_gaussian,
)
from attribution.var.identify.claims import Claims
from attribution.var.identify.feasible import Carriers, carriers, names_finding
from attribution.var.identify.fits import on_columns, pairs, refuse_exact_zeros, single
from attribution.var.identify.labels import Naming, name_by_likeness, name_by_table
from attribution.var.kinds.shape import Estimate, Groups, claims_of

# Shocks that a law tells apart, without the names of a table, in; groups of a run out.


def unnamed_columns(spec: ModelSpec, found: Carriers) -> Groups:
    """Make group ``/columns``: the posterior mean of each column, and the names it carries.

    Each column is called after the variable whose impact variance it explains most of.
    """
    variables = list(spec.system.variables)
    data = xr.Dataset(
        {
            "impact": (("variable", "column"), found.impact),
            "carries": (("name", "column"), found.share),
        },
        {
            "variable": variables,
            "column": [f"of {name}" for name in variables],
            "name": list(spec.channels),
        },
    )
    data.attrs["could_be_matched_otherwise"] = found.ambiguous
    return {"/columns": data}


def maximum_likelihood(spec: ModelSpec, units: Mapping[str, str], shift: VarianceShift) -> Groups:
    """Make groups ``/maximum_likelihood`` and ``/point``: the estimate, its errors, its responses.

    Each shock is named after the variable whose impact variance it explains most of.
    """
    variables = list(shift.variables)
    names = tuple(f"of {name}" for name in variables)
    slopes, intercept = niw.split(shift.coefficients, constant=spec.system.constant)
    estimate = StructuralPosterior(
        variables=shift.variables,
        shocks=names,
        channels=names,
        impact=shift.impact[None, None],
        lag_coefficients=slopes[None, None],
        intercept=intercept[None, None],
        weight=np.ones((1, 1)),
    )
    data = xr.Dataset(
        {
            "impact": (("variable", "shock"), shift.impact),
            "impact_error": (("variable", "shock"), shift.impact_error),
            "variance": (("regime", "shock"), shift.variance),
            "variance_error": (("regime", "shock"), shift.variance_error),
            "log_likelihood": shift.log_likelihood,
            "days": ("regime", shift.days),
        },
        {"variable": variables, "shock": list(names)},
    )
    point = runs.point(estimate, units, spec.system.horizons, spec.system.cumulated)
    return {"/maximum_likelihood": data, **point}


EVERY = {"stochastic_volatility": 10}
"""Sweeps between two kept draws; fewer where shocks mix faster."""
FEWER = 3
MOST_ROUNDS = 20
"""Times the asked number of draws that are searched for draws that obey the table."""


@dataclass(frozen=True)
class _Named:
    """Draws with names, as many of every chain; leading axes (chain, draw)."""

    impact: np.ndarray
    coefficients: np.ndarray
    weight: np.ndarray
    hyper: dict[str, np.ndarray]


def by_law(spec: ModelSpec, panel: Panel, draws: int, seed: int, event_in: str) -> Estimate:
    """Estimate under a law per shock, and name the shocks."""
    first, second = np.random.SeedSequence(seed).spawn(2)
    chains = structural_draws(spec, panel.values, seed=first, event_in=event_in)
    every = EVERY.get(spec.errors.law, FEWER)
    rng, need = np.random.default_rng(second), draws // chains.chains
    table = spec.identification
    extra: Groups = {}
    if table is None:
        named, finding = _by_likeness(chains, need, every)
    else:
        named, obeyed = _by_table(spec, table, panel, chains, need, every, rng)
        found = carriers(named.impact, named.weight, len(spec.channels))
        finding = names_finding(found, spec.channels, spec.system.variables, obeyed)
        extra = unnamed_columns(spec, found)
    slopes, intercept = niw.split(named.coefficients, constant=spec.system.constant)
    n, channels = len(spec.system.variables), spec.channels
    shocks = (*channels, *(f"unnamed_{i}" for i in range(1, n - len(channels) + 1)))
    posterior = StructuralPosterior(
        variables=spec.system.variables,
        shocks=shocks,
        channels=channels,
        impact=named.impact,
        lag_coefficients=slopes,
        intercept=intercept,
        weight=named.weight / named.weight.mean(),
    )
    shift = (
        fit_variance_shift(spec, panel.values, event_in=event_in) if spec.scheme.breaks else None
    )
    return Estimate(
        posterior=posterior,
        parameters={
            name: xr.DataArray(
                array, dims=("chain", "draw", "struck"), coords={"struck": list(shocks)}
            )
            for name, array in named.hyper.items()
        },
        findings=(finding, *_law_findings(spec, named, shift)),
        notes={**chains.notes, "every": every},
        extra=extra if shift is None else extra | maximum_likelihood(spec, panel.units, shift),
    )


def _by_likeness(chains: StructuralDraws, need: int, every: int) -> tuple[_Named, Finding]:
    """Name shocks by the variables whose impact variance they explain."""
    batch = chains.batch(need, every=every)
    found = name_by_likeness(batch.impact)
    every_row = np.broadcast_to(np.arange(need), batch.impact.shape[:2])
    return _taken(batch, found.naming, every_row), Finding(
        "names",
        "Can every draw's shocks be given one set of names?",
        f"{100 * found.ambiguous:.1f} % of the draws could as well be named otherwise; each name"
        " stands for the shock that explains most of the impact variance of the variable in its"
        " place",
        "holds",
    )


def _by_table(
    spec: ModelSpec,
    table: Identification,
    panel: Panel,
    chains: StructuralDraws,
    need: int,
    every: int,
    rng: np.random.Generator,
) -> tuple[_Named, str]:
    """Name shocks by the claims; draws that no naming satisfies are outside the posterior.

    Returns
    -------
    The draws, and how many obeyed, in words.
    """
    claims = _claims(spec, table, panel)
    parts: list[_Named] = []
    kept, rounds, tried, passed = 0, 0, 0, 0
    while kept < need:
        hopeless = rounds > 1 and passed * MOST_ROUNDS < need * chains.chains * rounds
        if hopeless or rounds == MOST_ROUNDS:
            raise IdentificationError(
                f"table '{table.name}': {passed} of {tried} draws have shocks that obey every"
                f" claim, too few for {need * chains.chains}; the law of the shocks contradicts the"
                " table: widen or drop claims, or ask for fewer draws"
            )
        batch = chains.batch(need, every=every)
        fits, together = _judges(spec, claims, batch.coefficients)
        slopes, _ = niw.split(batch.coefficients, constant=spec.system.constant)
        naming = name_by_table(batch.impact, slopes, fits, rng=rng, pairs=together)
        rounds, tried = rounds + 1, tried + naming.weight.size
        passed += int((naming.weight > 0).sum())
        if not (naming.weight > 0).any(1).all():
            continue
        rows = naming.accepted()
        parts.append(_taken(batch, naming, rows))
        kept += rows.shape[1]
        told(kept, need, "draws that obey the table")
    return _joined(parts, need), (
        f"{passed:,} of {tried:,} draws have shocks that some naming of them makes obey the table"
    )


def _claims(spec: ModelSpec, table: Identification, panel: Panel) -> Claims:
    claims = claims_of(spec, table, panel)
    refuse_exact_zeros(claims)
    sizes = any(isinstance(p, Carried) for c in claims.claims if c.dated for p in c.parts)
    if claims.conditional and sizes:
        raise SpecError(
            f"table '{table.name}': conditional narratives about sizes need shocks of one scale,"
            f" and law '{spec.errors.law}' has one per shock; use reading = \"unconditional\""
        )
    return claims


Judge = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _judges(
    spec: ModelSpec, claims: Claims, coefficients: np.ndarray
) -> tuple[Judge, tuple[np.ndarray, Judge] | None]:
    """Return the claims on one column and on two, as functions of impact and lags."""
    flat = coefficients.reshape(-1, *coefficients.shape[2:])
    _, intercept = niw.split(flat, constant=spec.system.constant)

    def fits(impact: np.ndarray, lags: np.ndarray) -> np.ndarray:
        return single(claims, on_columns(claims, impact, lags, intercept))

    across = [o for o in claims.orders() if o.larger[1] != o.smaller[1]]
    if not across:
        return fits, None

    def together(impact: np.ndarray, lags: np.ndarray) -> np.ndarray:
        return pairs(claims, on_columns(claims, impact, lags, intercept))[1]

    index = pairs(claims, np.zeros((1, len(claims.program), len(claims.variables))))[0]
    return fits, (index, together)


def _taken(batch: StructuralBatch, naming: Naming, rows: np.ndarray) -> _Named:
    """Keep the draws of some rows (chain, kept), under their names."""

    def of(array: np.ndarray) -> np.ndarray:
        wide = rows.reshape(*rows.shape, *(1,) * (array.ndim - 2))
        return np.take_along_axis(array, wide, axis=1)

    return _Named(
        impact=of(naming.columns(batch.impact)),
        coefficients=of(batch.coefficients),
        weight=of(naming.weight.astype(float)),
        hyper={name: of(naming.reordered(array)) for name, array in batch.hyper.items()},
    )


def _joined(parts: list[_Named], need: int) -> _Named:
    def whole(arrays: list[np.ndarray]) -> np.ndarray:
        return np.concatenate(arrays, axis=1)[:, :need]

    return _Named(
        impact=whole([p.impact for p in parts]),
        coefficients=whole([p.coefficients for p in parts]),
        weight=whole([p.weight for p in parts]),
        hyper={name: whole([p.hyper[name] for p in parts]) for name in parts[0].hyper},
    )


def _law_findings(
    spec: ModelSpec, named: _Named, shift: VarianceShift | None
) -> tuple[Finding, ...]:
    if shift is not None:
        return (distinct_variances(shift, spec.system.variables),)
    if "dof" in named.hyper:
        return (non_gaussian(named.hyper["dof"], named.weight),)
    return ()
