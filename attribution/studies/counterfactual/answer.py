"""A counterfactual question and its evidence in; how far the outcome was from it, out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np
import pandas as pd
import xarray as xr

from attribution.errors import EventError, SpecError
from attribution.finding import Finding, verdict_of
from attribution.model.study import StudySpec
from attribution.panel import Evidence
from attribution.panel.card import LEVEL
from attribution.panel.measures import refuse_no_change
from attribution.runs.study import Effort, Study, spread
from attribution.sampling.diagnostics import mean_with_error
from attribution.sampling.judge import Sampled, sampled
from attribution.studies.counterfactual.level import counterfactual_level, level_model
from attribution.studies.counterfactual.placebo import Placebo, placebo_level, placebo_returns
from attribution.studies.counterfactual.question import CounterfactualQuestion
from attribution.studies.counterfactual.returns import (
    CHAINS,
    Counterfactual,
    counterfactual_returns,
    moved,
)
from attribution.studies.counterfactual.rows import CounterfactualRows, counterfactual_rows
from attribution.studies.counterfactual.tables import Answered, headline_of, said, tables_of

# What a counterfactual rests on: range of the controls, earlier windows, the controls' share.

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


QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
SHOWN = 60
"""Rows of the pre-period that are kept for the figure."""
ABOUT = (
    "Observed minus counterfactual, the path that the outcome would have taken had its ties to the"
    " controls held as before the event (Brodersen et al. 2015). It reads as what the controls do"
    " not explain: no mechanism is named, and whatever moved the outcome and not the controls is in"
    " it, ordinary noise included, which is why its interval is wide. It is an effect of the event"
    " only if the event moved none of the controls. "
)
FORM = {
    "returns": (
        "The regression is in returns, with heavy-tailed errors: in levels, two prices that merely"
        " trend fit each other, and their divergence would look like an effect."
    ),
    "level": (
        "The regression is in levels, with a local level beside it. Where both sides wander, the"
        " interval is honest only if the level's innovation sd can be as large as the wandering;"
        " the placebo check tells, and form 'returns' avoids the question."
    ),
}


def counterfactual_study(spec: StudySpec, evidence: Evidence, effort: Effort) -> Study:
    """Answer a counterfactual question.

    Raises
    ------
    SpecError, DataError, EventError
        If draws do not fill the chains, or the rows cannot answer the question.
    DiagnosticsError
        If the sampler did not converge.
    """
    question = cast(CounterfactualQuestion, spec.question)
    place = f"model '{spec.name}'"
    if effort.draws < 40 * CHAINS or effort.draws % CHAINS:
        raise SpecError(
            f"{place}: --draws {effort.draws} is fewer than {40 * CHAINS} or does not fill {CHAINS}"
            " equal chains; ask for a larger multiple of four"
        )
    level = _level(question, evidence, place)
    rows = counterfactual_rows(question, evidence, place)
    if question.betas.law == "random_walk" and rows.pre < 2 * question.betas.every:
        raise EventError(
            f"{place}: {rows.pre} rows in the pre-period hold no second step of"
            f" {question.betas.every} rows; lower [betas] every, or use law = 'fixed'"
        )
    if question.form == "level":
        fit = counterfactual_level(question, rows, draws=effort.draws, seed=effort.seed)
        converged = Sampled()
    else:
        effort.say("sampling")
        fit = counterfactual_returns(
            question, rows, draws=effort.draws, seed=effort.seed, progress=effort.progress
        )
        converged = sampled(_judged(fit, rows), fit.stats, place)
    effort.say("asking earlier windows the same")
    placebo = _placebo(question, rows, fit, effort.seed, level)
    answered = Answered(question, rows, fit, evidence.units, placebo, level)
    return Study(
        groups=_groups(question, rows, fit, level),
        tables=tables_of(answered),
        findings=(*findings_of(answered), *converged.findings),
        headline=headline_of(answered),
        about=ABOUT + FORM[question.form],
        diagnostics=converged.diagnostics,
        notes={"form": question.form, "pre_rows": rows.pre},
    )


def _level(question: CounterfactualQuestion, evidence: Evidence, place: str) -> bool:
    """Whether the outcome is a level by its card; refuse one where changes are asked for.

    Raises
    ------
    SpecError, DataError
        Naming the column and what to do.
    """
    name = question.outcome
    measure = evidence.measures.get(name, "")
    if measure == LEVEL and question.form == "returns":
        raise SpecError(
            f"{place}: form 'returns' adds up changes, and '{name}' is a level by its card; name"
            " the column of its change, or use form = 'level'"
        )
    refuse_no_change(name, evidence.rows[name], evidence.units[name], measure, place)
    return measure == LEVEL


def _judged(fit: Counterfactual, rows: CounterfactualRows) -> dict[str, np.ndarray]:
    """Draws whose convergence decides: parameters, and each window's sums."""
    found = {str(name): array.to_numpy() for name, array in fit.posterior.data_vars.items()}
    found["coefficients"] = fit.coefficients
    for name, window in rows.windows.items():
        found[f"counterfactual of {name}"] = fit.expected[:, :, window].sum(-1)
    return found


def _placebo(
    question: CounterfactualQuestion,
    rows: CounterfactualRows,
    fit: Counterfactual,
    seed: int,
    level: bool,
) -> dict[str, Placebo]:
    """Ask earlier windows of each length the same."""
    n, found = rows.pre, {}
    scale = np.ones(len(rows.outcome))
    if question.scale:
        slope = fit.posterior["scale_slope"].mean(("chain", "draw")).to_numpy()
        spread = (rows.scale - rows.scale[:n].mean(0)) / rows.scale[:n].std(0, ddof=1)
        scale = np.exp(spread @ slope)
    for name, window in rows.windows.items():
        if question.form == "returns":
            found[name] = placebo_returns(rows.outcome, rows.controls, scale, n, window)
            continue
        effects = moved(rows.outcome[n:] - fit.predicted, window, level=level).ravel()
        found[name] = placebo_level(
            rows.outcome, rows.controls, level_model(question), n, window, effects=effects,
            seed=seed, level=level,
        )  # fmt: skip
    return found


def _groups(
    question: CounterfactualQuestion, rows: CounterfactualRows, fit: Counterfactual, level: bool
) -> dict[str, xr.Dataset]:
    """Draws of the counterfactual and of the parameters; quantiles of the path for the figure."""
    n, labels = rows.pre, _labels(rows.labels)
    start = max(n - SHOWN, 0)
    flat = fit.predicted.reshape(-1, fit.predicted.shape[2])
    band = np.quantile(np.concatenate([fit.fitted[:, start:].T, flat.T[:, : len(fit.fitted)]]),
                       QUANTILES, axis=1)  # fmt: skip
    band[:, n - start :] = np.quantile(flat, QUANTILES, axis=0)
    coords = {"control": list(question.controls), "row": labels[n:]}
    draws = ("chain", "draw")
    groups = {
        "/posterior": fit.posterior.assign(
            coefficient=((*draws, "control"), fit.coefficients)
        ).assign_coords(control=list(question.controls)),
        "/counterfactual": xr.Dataset(
            {
                "predicted": ((*draws, "row"), fit.predicted),
                "expected": ((*draws, "row"), fit.expected),
                "accounted": ((*draws, "row", "control"), fit.accounted),
                "observed": ("row", rows.outcome[n:]),
            },
            coords,
        ),
        "/path": xr.Dataset(
            {
                "observed": ("row", rows.outcome[start:]),
                "band": (("quantile", "row"), band),
                "before": ("row", (np.arange(start, len(labels)) < n).astype(int)),
            },
            {"row": labels[start:], "quantile": list(QUANTILES)},
        ),
    }
    if level:
        groups["/counterfactual"].attrs[LEVEL] = 1
    if fit.paths is not None:
        ends = n - 1 - question.betas.every * np.arange(len(fit.paths) - 1, -1, -1)
        groups["/wandering"] = xr.Dataset(
            {"coefficient": (("step", "quantile", "control"), fit.paths)},
            {"step": labels[ends], "quantile": list(QUANTILES), "control": list(question.controls)},
        )
    return groups


def _labels(labels: pd.Index) -> np.ndarray:
    if isinstance(labels, pd.DatetimeIndex):
        return labels.to_numpy("datetime64[ns]")
    return labels.to_numpy(int)
