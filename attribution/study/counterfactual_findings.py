"""What a counterfactual rests on: range of the controls, earlier windows, the controls' share."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from attribution.diagnostics import mean_with_error
from attribution.finding import Finding, verdict_of
from attribution.study.answer import spread
from attribution.study.counterfactual_tables import Answered, said

NOMINAL = 0.10


def findings_of(answered: Answered) -> Iterator[Finding]:
    """Yield every check of a counterfactual."""
    yield _extrapolation(answered)
    yield _size(answered)
    yield _rank(answered)
    if answered.question.form == "returns":
        yield _share(answered)


def _extrapolation(answered: Answered) -> Finding:
    """Ask whether controls stay in the range that taught the coefficients."""
    rows, n = answered.rows, answered.rows.pre
    at = n + np.unique(np.concatenate(list(rows.windows.values())))
    low, high = rows.controls[:n].min(0), rows.controls[:n].max(0)
    outside = (rows.controls[at] < low) | (rows.controls[at] > high)
    said_of = [
        f"{name} on {int(count)} of {len(at)}"
        for name, count in zip(answered.question.controls, outside.sum(0), strict=True)
        if count
    ]
    leverage = _leverage(rows.controls, n)
    ratio = float(leverage[at].max() / leverage[:n].max())
    where = f"outside it: {', '.join(said_of)} rows" if said_of else "every control inside it"
    return Finding(
        name="extrapolation",
        question="Do the controls stay, in the windows, where the pre-period has seen them?",
        evidence=(
            f"range of {n} rows; {where}; taken together the farthest row lies {ratio:.2f} times as"
            " far out as the farthest of the pre-period (leverage)"
        ),
        verdict="fails" if said_of or ratio > 1 else "holds",
    )


def _leverage(x: np.ndarray, n: int) -> np.ndarray:
    """Leverage (row,) of every row against the first n."""
    z = (x - x[:n].mean(0)) / x[:n].std(0)
    found: np.ndarray = (z * np.linalg.solve(z[:n].T @ z[:n], z.T).T).sum(1)
    return found


def _size(answered: Answered) -> Finding:
    """Ask earlier windows, of which nothing is claimed, the same question."""
    name, placebo = next(iter(answered.placebo.items()))
    question = "Asked of earlier windows, does the method find effects no more often than it says?"
    count = len(placebo.effect)
    if not placebo.enough:
        return Finding(
            name="placebo_size",
            question=question,
            evidence=f"only {count} earlier windows of {placebo.length} rows; too few to tell",
            verdict="undecided",
        )
    returns = answered.question.form == "returns"
    how = "by weighted least squares" if returns else "by the same model"
    # windows that overlap repeat each other
    separate = max(count / placebo.length, 1.0)
    size = placebo.size(NOMINAL)
    error = float(np.sqrt(NOMINAL * (1 - NOMINAL) / separate))
    return Finding(
        name="placebo_size",
        question=question,
        evidence=(
            f"{count} earlier windows as long as '{name}', each from the rows before it {how}:"
            f" {size:.0%}"
            f" significant at {NOMINAL:.0%} (Monte Carlo error {error:.1%}),"
            f" {placebo.size(0.05):.0%} at 5%"
        ),
        verdict="holds" if size <= NOMINAL + 2 * error else "fails",
    )


def _rank(answered: Answered) -> Finding:
    """Ask how unusual the event is among earlier windows, whatever the law of the noise."""
    name, placebo = next(iter(answered.placebo.items()))
    enough = placebo.enough
    return Finding(
        name="placebo_rank",
        question=f"Is what happened in '{name}' larger than in nine of ten earlier windows?",
        evidence=(
            f"{placebo.event[0]:.1f} sds by the same method; {placebo.rank:.3f} of"
            f" {len(placebo.effect) + 1} windows, itself among them, lie as far out"
            if enough
            else f"only {len(placebo.effect)} earlier windows; too few to tell"
        ),
        verdict=("holds" if placebo.rank <= NOMINAL else "fails") if enough else "undecided",
    )


def _share(answered: Answered) -> Finding:
    """Ask how much of the move the controls account for."""
    span = answered.question.windows[0]
    seen = float(answered.observed(span.name).sum())
    brought = answered.accounted(span.name).sum((1, 2))
    lead = answered.fit.predicted.shape[:2]
    part, share = spread(brought), spread(brought / seen if seen else brought * np.nan)
    most = mean_with_error((brought / seen > 0.5).reshape(lead)) if seen else None
    return Finding(
        name="accounted_for",
        question=f"Do the controls account for most of the move of {said(span)}?",
        evidence=(
            f"{part['mean']:.1f} (90 %: {part['q05']:.1f} to {part['q95']:.1f}) of {seen:.1f}"
            f" {answered.unit}, a share of {share['mean']:.0%} ({share['q05']:.0%} to"
            f" {share['q95']:.0%})"
        ),
        verdict="undecided" if most is None else verdict_of(most[0], error=most[1]),
        probability=None if most is None else most[0],
        error=None if most is None else most[1],
    )
