"""Which laws, schemes and sections go together: a typed model in, the one misfit named."""

from __future__ import annotations

from attribution.errors import SpecError, nearest
from attribution.model.kinds import KINDS, VARS
from attribution.model.restriction import OUTCOME, Identification
from attribution.model.scheme import LAWS, ROTATION_INVARIANT, Errors, Scheme
from attribution.model.signs import check_signs
from attribution.model.spec import Minnesota, ModelSpec, StructuralPrior

# A list of inferred hyperparameters and a prior in; nothing out, or the one it lacks.


def check_inferred(spec: ModelSpec) -> None:
    """Refuse to infer what the prior has no room for, or is given.

    Raises
    ------
    SpecError
        With what to add, or to leave off the list.
    """
    prior, place = spec.prior, f"{spec.name}: [prior] hierarchical names"
    for name in ("sum_of_coefficients", "single_unit_root"):
        if name in prior.inferred and getattr(prior, name) is None:
            raise SpecError(f"{place} '{name}', which is left out; add {name} = 1.0, or unlist it")
    if "residual_scales" in prior.inferred and prior.residual_scales:
        raise SpecError(f"{place} 'residual_scales', and they are given; drop one of the two")
    if "decay" in prior.inferred and spec.system.lags == 1:
        raise SpecError(f"{place} 'decay', and a single lag has none; unlist it, or add lags")


# A scheme and its parts in; nothing out, or the part that it lacks or would not read.

ORDERED = ("recursive", "long_run")


def check_parts(spec: ModelSpec) -> None:
    """Refuse what belongs to another scheme, and a scheme without what identifies it."""
    scheme, place = spec.scheme, f"{spec.name}: scheme '{spec.scheme.name}'"
    table = spec.identification
    parts = {
        "order": (bool(scheme.order), ORDERED),
        "instruments": (bool(scheme.instruments), ("proxy",)),
        "breaks": (bool(scheme.breaks), ("heteroskedasticity",)),
        "signs": (bool(scheme.signs), ORDERED),
    }
    for key, (there, home) in parts.items():
        if there and scheme.name not in home:
            raise SpecError(
                f"{place} does not read {key}; remove it or use scheme {' or '.join(home)}"
            )
    if scheme.name == "proxy" and not scheme.instruments:
        raise SpecError(f"{place} needs an instrument; add [[identification.instruments]]")
    if scheme.name == "heteroskedasticity" and not scheme.breaks:
        raise SpecError(f"{place} needs the first day of each new regime; add breaks = [...]")
    told_apart = spec.errors.law not in ROTATION_INVARIANT
    if scheme.name == "restrictions" and table is None and not told_apart:
        raise SpecError(f"{place} needs a table; add [identification.channels] and claims")
    if scheme.name in ORDERED and table is not None:
        raise SpecError(
            f"{place} takes no table: the order identifies the shocks; remove the channels and"
            " claims, or use scheme 'restrictions'"
        )
    if table is not None and scheme.shocks:
        raise SpecError(
            f"{place} has a table and shocks; the channels of the table name the shocks"
        )


def check_order(spec: ModelSpec) -> None:
    """Refuse an order that is not every variable once."""
    variables, order = spec.system.variables, spec.scheme.order
    for name in order:
        if name not in variables:
            raise SpecError(
                f"{spec.name}: [identification] order names '{name}', which is not among [system]"
                f" variables{nearest(name, variables)}; correct it"
            )
    left = [name for name in variables if order and name not in order]
    if left:
        raise SpecError(
            f"{spec.name}: [identification] order leaves out '{left[0]}'; name every variable once"
        )


OFFERED = {
    "restrictions": LAWS,
    "recursive": ROTATION_INVARIANT,
    "long_run": ROTATION_INVARIANT,
    "proxy": ("gaussian",),
    "heteroskedasticity": ("gaussian",),
    "non_gaussian": ("independent_t",),
}
"""Laws that each scheme is offered with."""
STUDENT = ("student_t", "independent_t")


def check_offered(spec: ModelSpec) -> None:
    """Refuse sections that the kind of the model would not read, and priors that contradict."""
    place, prior, kind = spec.name, spec.prior, KINDS[spec.kind]
    if kind.table == "refused" and spec.identification is not None:
        raise SpecError(f"{place}: kind '{spec.kind}' is recursive; remove [identification]")
    if kind.table == "needed" and spec.identification is None:
        raise SpecError(f"{place}: kind '{spec.kind}' needs a table; add [identification]")
    dummies = {
        "sum_of_coefficients": prior.sum_of_coefficients,
        "single_unit_root": prior.single_unit_root,
        "hierarchical": prior.hierarchical or None,
        "residual_scales": prior.residual_scales or None,
    }
    given = [name for name, value in dummies.items() if value is not None]
    if given and prior.flat:
        raise SpecError(
            f"{place}: [prior] flat stands for no prior, and '{given[0]}' is part of one; remove"
            " one of the two"
        )
    there = {
        "errors": ("[errors]", spec.errors != Errors()),
        "dummies": (f"[prior] {given[0]}" if given else "", bool(given)),
        "scheme": ("[identification] scheme", spec.scheme != Scheme()),
        "structural": ("[structural]", spec.structural != StructuralPrior()),
        "unnamed": ("[structural] unnamed", bool(spec.structural.unnamed)),
        "exposures": ("[[exposures]]", bool(spec.exposures)),
        "expectations": ("[[expectations]]", bool(spec.expectations)),
        "auxiliary": ("[system] auxiliary", bool(spec.system.auxiliary)),
    }
    for part, (section, given_there) in there.items():
        if given_there and part not in kind.reads:
            home = next(name for name in VARS if part in KINDS[name].reads)
            raise SpecError(
                f"{place}: {section} belongs to kind '{home}', the model is of kind"
                f" '{spec.kind}'; remove it or change the kind"
            )
    if "prior" not in kind.reads and prior != Minnesota():
        raise SpecError(
            f"{place}: kind '{spec.kind}' is least squares and has no prior; remove [prior] or use"
            " kind 'svar'"
        )


def check_headline(spec: ModelSpec, table: Identification) -> None:
    """Refuse claims that the kinds built on elasticities do not read."""
    if not table.direction:
        raise SpecError(
            f"{spec.name}: table '{table.name}' has no direction, and kind '{spec.kind}' measures"
            " per fall or rise of the outcome; add direction"
        )
    if table.asked:
        raise SpecError(
            f"{spec.name}: table '{table.name}': narratives belong to kind 'svar', imposed or not,"
            f" and the model is of kind '{spec.kind}'; remove them"
        )
    if table.elastic:
        return
    odd = [c for c in table.cells if not c.on_impact or c.per != OUTCOME or c.zero]
    what = f"the claim of {odd[0].channel} on {odd[0].variable}" if odd else "a claim beyond cells"
    raise SpecError(
        f"{spec.name}: table '{table.name}': {what} is not a bound on impact per unit of the"
        f" outcome, all that kind '{spec.kind}' reads; remove it or use kind 'svar'"
    )


def check_scheme(spec: ModelSpec) -> None:
    """Refuse a law that the scheme is not offered with, and parts it lacks or would not read."""
    place, scheme, errors = spec.name, spec.scheme, spec.errors
    laws = OFFERED[scheme.name]
    if errors.law not in laws:
        fit = [name for name, offered in OFFERED.items() if errors.law in offered]
        raise SpecError(
            f"{place}: scheme '{scheme.name}' is not offered with law '{errors.law}' but with"
            f" {', '.join(laws)}; change [errors] law, or use scheme {' or '.join(fit)}"
        )
    _check_errors(spec)
    _check_prior(spec)
    _check_scales(spec)
    check_parts(spec)
    check_signs(spec)
    if scheme.name in ORDERED:
        check_order(spec)
    n = len(spec.system.variables)
    if scheme.shocks and len(scheme.shocks) != n and scheme.name != "proxy":
        raise SpecError(
            f"{place}: [identification] shocks names {len(scheme.shocks)}, there are {n} variables;"
            " name as many"
        )
    for instrument in scheme.instruments:
        if instrument.column in (*spec.system.variables, *spec.system.tests):
            raise SpecError(
                f"{place}: instrument '{instrument.column}' is a variable or a test of the model;"
                " an instrument must stand outside: remove one of the two"
            )
    for day in scheme.breaks:
        if not spec.sample.start < day <= spec.sample.end:
            raise SpecError(
                f"{place}: [identification] break {day} is not inside the sample"
                f" ({spec.sample.start} to {spec.sample.end}); correct it"
            )


def _check_errors(spec: ModelSpec) -> None:
    """Refuse settings of another law, and outliers that no law takes or no sample holds."""
    place, scheme, errors = spec.name, spec.scheme, spec.errors
    if errors.dof is not None and errors.law not in STUDENT:
        raise SpecError(
            f"{place}: [errors] dof belongs to a Student law, not to '{errors.law}'; use law"
            " 'student_t' or remove it"
        )
    if errors.outliers and (errors.law not in ROTATION_INVARIANT or len(OFFERED[scheme.name]) == 1):
        raise SpecError(
            f"{place}: [errors] outliers are not offered with law '{errors.law}' and scheme"
            f" '{scheme.name}' but with {', '.join(ROTATION_INVARIANT)} and restrictions,"
            " recursive or long_run; remove them or change one of the two"
        )
    for day in errors.outliers:
        if not spec.sample.start <= day <= spec.sample.end:
            raise SpecError(
                f"{place}: [errors] outlier {day} is outside the sample ({spec.sample.start} to"
                f" {spec.sample.end}); correct it"
            )


def _check_prior(spec: ModelSpec) -> None:
    """Refuse parts of a prior that the sampler of a scheme or law does not read."""
    prior, scheme, law = spec.prior, spec.scheme.name, spec.errors.law
    unread: dict[str, bool] = {}
    if scheme == "proxy":
        unread = {
            "hierarchical": prior.hierarchical,
            "residual_scales": bool(prior.residual_scales),
        }
    elif law not in ROTATION_INVARIANT or scheme == "heteroskedasticity":
        unread = {
            "residual_scales": bool(prior.residual_scales),
            "sum_of_coefficients": prior.sum_of_coefficients is not None,
            "single_unit_root": prior.single_unit_root is not None,
        }
        beyond = [name for name in prior.inferred if name != "tightness"]
        unread |= {f"hierarchical with '{beyond[0]}'": True} if beyond else {}
    for key, there in unread.items():
        if there:
            raise SpecError(
                f"{spec.name}: [prior] {key} is not offered with scheme '{scheme}' and law '{law}';"
                " remove it"
            )
    check_inferred(spec)


def _check_scales(spec: ModelSpec) -> None:
    """Refuse residual scales of some variables and not of others, or that are not positive."""
    given = dict(spec.prior.residual_scales)
    names = spec.system.variables
    wrong = sorted(set(given) ^ set(names)) if given else []
    if wrong:
        raise SpecError(
            f"{spec.name}: [prior] residual_scales and [system] variables differ in"
            f" {', '.join(wrong)}; give every variable one and nothing else"
        )
    for name, value in given.items():
        if not value > 0:
            raise SpecError(
                f"{spec.name}: [prior] residual_scales of '{name}' is {value:g}; give a positive"
                " number in its unit"
            )
