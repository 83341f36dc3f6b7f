"""A structural VAR assembled from parts in; its draws, checks and notes in one shape out.

The law of the errors decides what a rotation of the shocks means.  Where it leaves the likelihood
alone, a reduced form is estimated and a scheme chooses among its rotations; where it does not,
the likelihood has chosen and a table only names.  Instruments are part of the likelihood.
"""

from __future__ import annotations

from collections.abc import Callable

from attribution.errors import SpecError
from attribution.estimation.asked_narratives import with_asked
from attribution.estimation.instruments import by_instruments
from attribution.estimation.rotations import by_order, by_restrictions
from attribution.estimation.shape import Estimate, Sampling
from attribution.estimation.told_apart import by_law
from attribution.model.kinds import SEARCHES
from attribution.model.scheme import ROTATION_INVARIANT
from attribution.model.spec import ModelSpec
from attribution.panel import Panel

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
