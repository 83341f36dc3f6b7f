"""Estimated local projections in; what they rest on, as findings, out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.stats import norm

from attribution.finding import Finding
from attribution.study.projection_tables import NORMAL_90, Projected

STRONG = 10.0
"""First-stage F below which an instrument is called weak."""


def findings_of(projected: Projected) -> Iterator[Finding]:
    """Yield every check of local projections."""
    if projected.question.instrument is None:
        yield _against_var(projected)
    else:
        yield _relevance(projected)
    yield _later(projected)


def _against_var(projected: Projected) -> Finding:
    """Ask whether a VAR on the same rows and lags says the same.

    The limit is Bonferroni's over all responses: wide, since projections of neighbouring horizons
    err together, and since the VAR errs with them.
    """
    found, question = projected.found, projected.question
    gap = np.abs(found.response - found.var)
    free = found.error > 0
    ratio = np.where(free, gap / np.where(free, found.error, 1.0), 0.0)
    h, i = np.unravel_index(int(ratio.argmax()), ratio.shape)
    count = int(free.sum())
    limit = float(norm.isf(0.025 / count))
    own = ratio[:, projected.outcome]
    return Finding(
        name="against_the_var",
        question="Do the projections agree with the recursive VAR of the same lags and rows?",
        evidence=(
            f"{np.mean(ratio[free] <= 2.0):.0%} of {count} responses within two standard errors,"
            f" those of {question.outcome} within {own.max():.1f}; the farthest,"
            f" {question.variables[i]} at horizon {h}, {ratio[h, i]:.1f} against a limit of"
            f" {limit:.1f} for the farthest of all; on impact they differ by {gap[0].max():.0e}"
        ),
        verdict="holds" if ratio.max() <= limit else "fails",
    )


def _relevance(projected: Projected) -> Finding:
    strength = projected.found.first_stage
    weakest = int(strength.argmin())
    return Finding(
        name="first_stage",
        question="Is the instrument strong at every horizon?",
        evidence=(
            f"robust first-stage F between {strength.min():.1f} (horizon {weakest}) and"
            f" {strength.max():.1f}; below {STRONG:.0f} intervals are not reliable"
        ),
        verdict="holds" if strength.min() >= STRONG else "fails",
    )


def _later(projected: Projected) -> Finding:
    """Ask whether anything follows after the day: no effect is not shown by no significance."""
    later, question = projected.event.later, projected.question
    name = "lead"
    asked = f"Does {question.impulse} move {question.outcome} after the day itself?"
    if later.degrees == 0:
        return Finding(name, asked, "no horizon after the day was asked for", "undecided")
    low, high = (later.next_row + side * NORMAL_90 * later.error for side in (-1, 1))
    small = max(abs(low), abs(high)) < 0.5 * abs(later.impact)
    return Finding(
        name=name,
        question=asked,
        evidence=(
            f"{later.next_row:+.2f} (90 %: {low:.2f} to {high:.2f}) on the next row, against"
            f" {later.impact:+.2f} on the day, {projected.units[question.outcome]} per unit of"
            f" {projected.source}; no response at horizons 1 to {later.degrees}: Wald"
            f" {later.statistic:.1f}, p = {later.p_value:.2f}"
        ),
        verdict="holds" if later.p_value < 0.05 else ("fails" if small else "undecided"),
    )
