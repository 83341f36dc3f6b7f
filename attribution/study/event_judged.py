"""Draws of a fitted event in; whether they can be trusted, as a finding and as numbers, out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from attribution.errors import DiagnosticsError
from attribution.finding import Finding
from attribution.study.event_solved import Solved
from attribution.study.sampled import Sampled, sampled

FEW = 0.01
"""Share of transitions that may diverge: where the loop gain reaches one the density ends."""
STILL = 1e-9


def judged_draws(solved: Solved, place: str) -> Sampled:
    """Judge the mixture over laws and every contribution, and count what diverged under each law.

    Raises
    ------
    DiagnosticsError
        If parameters or contributions did not converge, or more than one transition in a hundred
        diverged under some law.

    References
    ----------
    vehtari2021
    """
    moving, answers = _moving(solved.fit.draws), _contributions(solved)
    both = [sampled(x, {}, place) for x in (moving, answers)]
    numbers = {
        name: (max if name == "max_rhat" else min)(one.diagnostics[name] for one in both)
        for name in both[0].diagnostics
    }
    diverged = {each.law: np.asarray(each.stats["diverging"]) for each in solved.fit.laws}
    worst = max(diverged, key=lambda law: float(diverged[law].mean()))
    share = float(diverged[worst].mean())
    if share > FEW:
        raise DiagnosticsError(
            f"{place}: {share:.1%} of transitions diverged under the law '{worst}'; ask for another"
            " --seed, or narrow the priors of what amplifies",
            draws=moving,
        )
    count = int(sum(each.sum() for each in diverged.values()))
    total = sum(each.size for each in diverged.values())
    evidence = (
        f"{solved.fit.law.size:,} draws, {solved.played.kept.size:,} with an answer; R-hat at most"
        f" {numbers['max_rhat']:.3f}, bulk and tail effective draws at least"
        f" {numbers['min_ess_bulk']:,.0f} and {numbers['min_ess_tail']:,.0f}; {count} of"
        f" {total:,} transitions diverged, at most {share:.1%} under one law ({worst})"
    )
    finding = Finding(
        name="sampling",
        question="Did the sampler converge on parameters and answers?",
        evidence=evidence,
        verdict="undecided" if count else "holds",
    )
    return Sampled({**numbers, "divergences": float(count)}, (finding,))


def _moving(draws: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Parameters that are no constant, (chain, draw, ...)."""
    found = {}
    for name, x in draws.items():
        flat = x.reshape(*x.shape[:2], -1)
        moves = flat.std(axis=(0, 1)) > STILL * (1.0 + np.abs(flat).max(axis=(0, 1)))
        if moves.any():
            found[name] = flat[:, :, moves]
    return found


def _contributions(solved: Solved) -> dict[str, np.ndarray]:
    """Contributions that are no constant, (chain, draw, player)."""
    found = {}
    for rule, draws in solved.parts.contribution.items():
        moves = draws.std(axis=0) > STILL
        if moves.any():
            found[rule] = draws[:, moves].reshape(*solved.shape, -1)
    return found
