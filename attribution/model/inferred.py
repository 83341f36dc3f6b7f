"""A list of inferred hyperparameters and a prior in; nothing out, or the one it lacks."""

from __future__ import annotations

from attribution.errors import SpecError
from attribution.model.spec import ModelSpec


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
