"""Draws of a study's sampler in; whether they can be trusted, as a finding and as numbers, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from attribution import compat
from attribution.check.sampling import ESS, R_HAT
from attribution.errors import DiagnosticsError
from attribution.finding import Finding


@dataclass(frozen=True)
class Sampled:
    """Numbers for the manifest, and the finding; both empty where nothing was sampled."""

    diagnostics: Mapping[str, float] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def sampled(
    draws: Mapping[str, np.ndarray], stats: Mapping[str, np.ndarray], place: str
) -> Sampled:
    """Judge draws (chain, draw, ...) of everything that matters; refuse those that fail.

    Raises
    ------
    DiagnosticsError
        Naming what failed, and where.

    References
    ----------
    vehtari2021
    """
    flat = {name: x.reshape(*x.shape[:2], -1) for name, x in draws.items()}
    joined = np.concatenate(list(flat.values()), axis=2)
    names = [name for name, x in flat.items() for _ in range(x.shape[2])]
    r_hat = compat.rhat(joined)
    bulk, tail = float(compat.ess_bulk(joined).min()), float(compat.ess_tail(joined).min())
    worst, where = float(r_hat.max()), names[int(r_hat.argmax())]
    diverged = int(np.asarray(stats.get("diverging", 0)).sum())
    failed = []
    if not worst <= R_HAT:
        failed.append(f"R-hat {worst:.3f} of {where} is above {R_HAT}")
    if not min(bulk, tail) >= ESS:
        failed.append(f"{min(bulk, tail):.0f} effective draws are fewer than {ESS:.0f}")
    if diverged:
        failed.append(f"{diverged} transitions diverged")
    if failed:
        raise DiagnosticsError(
            f"{place}: the sampler did not converge: {', '.join(failed)}; ask for more --draws, or"
            " another --seed",
            draws=draws,
        )
    kept = joined.shape[0] * joined.shape[1]
    finding = Finding(
        name="sampling",
        question="Did the sampler converge on parameters and answers?",
        evidence=(
            f"{kept:,} draws; R-hat at most {worst:.3f}, bulk and tail effective draws at least"
            f" {bulk:,.0f} and {tail:,.0f}, {diverged} divergences"
        ),
        verdict="holds",
    )
    numbers = {
        "max_rhat": worst,
        "min_ess_bulk": bulk,
        "min_ess_tail": tail,
        "divergences": float(diverged),
    }
    return Sampled(numbers, (finding,))
