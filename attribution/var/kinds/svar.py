"""A structural VAR assembled from parts in; its draws, checks and notes in one shape out.

The law of the errors decides what a rotation of the shocks means.  Where it leaves the likelihood
alone, a reduced form is estimated and a scheme chooses among its rotations; where it does not,
the likelihood has chosen and a table only names.  Instruments are part of the likelihood.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from attribution.errors import SpecError
from attribution.finding import Finding
from attribution.model.kinds import SEARCHES
from attribution.model.scheme import ROTATION_INVARIANT
from attribution.model.spec import ModelSpec
from attribution.panel import Panel
from attribution.posterior import StructuralPosterior
from attribution.sampling.diagnostics import mean_with_error
from attribution.var.identify.fits import on_columns
from attribution.var.identify.obey import violation
from attribution.var.kinds.by_instruments import by_instruments
from attribution.var.kinds.by_law import by_law
from attribution.var.kinds.by_rotations import by_order, by_restrictions
from attribution.var.kinds.estimate import Estimate, Sampling, claims_of

# Named draws and narratives that were not imposed in; the share that violates each out.

TOGETHER = "all together"


def with_asked(spec: ModelSpec, panel: Panel, found: Estimate) -> Estimate:
    """Ask the draws about every narrative that the table does not impose.

    Adds a finding for each, which holds where nine draws in ten agree, and the shares to the notes.
    """
    asked = violated(spec, panel, found.posterior)
    if not asked:
        return found
    weight = found.posterior.weight
    means = {words: mean_with_error(fails, weight) for words, fails in asked.items()}
    findings = tuple(
        Finding.by_chance(
            f"narrative: {words}",
            f"Do the draws agree: {words}?",
            f"{100 * share:.3g} % of the draws violate it",
            probability=1.0 - share,
            error=error,
        )
        for words, (share, error) in means.items()
    )
    return replace(
        found,
        findings=(*found.findings, *findings),
        notes={
            **found.notes,
            "narratives_violated": {words: share for words, (share, _) in means.items()},
        },
    )


def violated(
    spec: ModelSpec, panel: Panel, posterior: StructuralPosterior
) -> dict[str, np.ndarray]:
    """Whether each draw violates each narrative that is asked (chain, draw), by its words."""
    table = spec.identification
    if table is None or not table.asked:
        return {}
    alone = replace(
        table, direction=0, cells=(), rankings=(), shares=(), narratives=table.asked,
        reading="unconditional",
    )  # fmt: skip
    claims = claims_of(spec, alone, panel)
    lead, n = posterior.impact.shape[:2], len(posterior.variables)
    order = [posterior.shocks.index(name) for name in claims.channels]
    order += [j for j in range(n) if j not in order]
    impact = posterior.impact.reshape(-1, n, n)[:, :, order]
    slopes = posterior.lag_coefficients.reshape(-1, *posterior.lag_coefficients.shape[2:])
    columns = on_columns(claims, impact, slopes, posterior.intercept.reshape(-1, n))
    unit = np.broadcast_to(np.eye(n), impact.shape)
    found = {
        claim.words: (violation(replace(claims, claims=(claim,)), columns, unit) > 0).reshape(lead)
        for claim in claims.claims
    }
    if len(found) > 1:
        found[TOGETHER] = np.any(list(found.values()), axis=0)
    return found


Scheme = Callable[[ModelSpec, Panel, int, int, str], Estimate]


def svar(spec: ModelSpec, panel: Panel, how: Sampling) -> Estimate:
    """Estimate a structural VAR by the law and the scheme that its file names.

    Raises
    ------
    SpecError
        If the sampler does not go with the scheme.
    """
    scheme, search = spec.scheme.name, how.sampler or SEARCHES[0]
    per_shock = spec.errors.law not in ROTATION_INVARIANT
    if search != SEARCHES[0] and (scheme != "restrictions" or per_shock):
        raise SpecError(
            f"--sampler {search}: model '{spec.name}' has scheme '{scheme}' and law"
            f" '{spec.errors.law}', and no rotations to search; leave it out"
        )
    if scheme == "restrictions" and not per_shock:
        found = by_restrictions(spec, panel, how.draws, how.seed, how.event_in, search)
    else:
        estimate = _way_of(scheme, per_shock=per_shock)
        found = estimate(spec, panel, how.draws, how.seed, how.event_in)
    return with_asked(spec, panel, found)


def _way_of(scheme: str, *, per_shock: bool) -> Scheme:
    """Name what estimates a scheme that leaves no rotation to search."""
    if scheme == "proxy":
        return by_instruments
    if per_shock or scheme in ("heteroskedasticity", "non_gaussian"):
        return by_law
    return by_order
