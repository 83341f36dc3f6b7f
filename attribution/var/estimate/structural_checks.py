"""Draws under a law per shock, or a fitted variance shift, in; whether it identifies out."""

from __future__ import annotations

import numpy as np
from scipy.stats import binom, gamma

from attribution.core.laws.structural_form import DOF_RATE, DOF_SHAPE
from attribution.core.laws.structural_gibbs import LEAST_DOF
from attribution.finding import Finding
from attribution.sampling.diagnostics import mean_with_error
from attribution.var.estimate.variance_shift import VarianceShift, proportional, proportional_pairs

NEAR_GAUSSIAN = 30.0
"""Degrees of freedom above which a Student law is taken for a normal one."""
LEVEL = 0.05


def non_gaussian(dof: np.ndarray, weight: np.ndarray | None = None) -> Finding:
    """Ask whether at most one shock is near Gaussian, without which two of them mix freely.

    Parameters
    ----------
    dof : (chain, draw, shock).
    weight : (chain, draw); one if None.
    """
    several = (dof > NEAR_GAUSSIAN).sum(-1) > 1
    p, error = mean_with_error(several, weight)
    before = _several_a_priori(dof.shape[-1])
    return Finding.by_chance(
        name="non-Gaussian shocks",
        question="Is at most one shock near Gaussian, as telling shocks apart by tails requires?",
        evidence=(
            f"probability {p:.2f} that two or more shocks have over {NEAR_GAUSSIAN:g} degrees of"
            f" freedom; {before:.2f} before the data"
        ),
        probability=1.0 - p,
        error=error,
    )


def distinct_variances(fit: VarianceShift, names: tuple[str, ...]) -> Finding:
    """Ask whether any two shocks' variances change in proportion over the regimes."""
    every = proportional(fit, tuple(range(len(names))))
    worst = max(proportional_pairs(fit), key=lambda pair: pair.p, default=every)
    pair = " and ".join(names[i] for i in worst.shocks)
    return Finding(
        name="variances that change in proportion",
        question="Do the variances of no two shocks change in proportion over the regimes?",
        evidence=(
            f"likelihood ratio {every.statistic:.1f} on {every.dof} degrees of freedom against one"
            f" factor for all (p = {every.p:.3f}); the closest pair, {pair}: {worst.statistic:.1f}"
            f" on {worst.dof} (p = {worst.p:.3f})"
        ),
        verdict="holds" if max(worst.p, every.p) < LEVEL else "fails",
    )


def _several_a_priori(n: int) -> float:
    """Prior probability that two or more of n shocks are near Gaussian."""
    one = gamma.sf(DOF_RATE * (NEAR_GAUSSIAN - LEAST_DOF), DOF_SHAPE)
    return float(binom.sf(1, n, one))
