"""A structural question about one day and its evidence in; what made the day's move out."""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd
import xarray as xr

from attribution import runs
from attribution.finding import Finding
from attribution.model.study import StudySpec
from attribution.panel import Evidence
from attribution.panel.measures import refuse_levels
from attribution.runs.study import Effort, Study, spread
from attribution.studies.event.abduction import flat
from attribution.studies.event.findings import findings_of, judged_draws
from attribution.studies.event.fit import EventFit, fit_event, prior_draws
from attribution.studies.event.notes import surface_of
from attribution.studies.event.path import DayPath, path_of
from attribution.studies.event.question import EventQuestion
from attribution.studies.event.rows import event_rows
from attribution.studies.event.solved import Day, Solved, Within, solved_of
from attribution.studies.event.tables import MECHANISMS, headline_of, tables_of
from attribution.studies.event.world import (
    LOG_POINTS,
    POINTS,
    PROFILE,
    QUANTILES,
    SHOCKS,
    profile_of,
)
from attribution.studies.event.world_in_steps import Shown, shown_by_step

# A solved event in; what is saved of it out.

DRAW = ("chain", "draw")


def groups_of(solved: Solved) -> dict[str, xr.Dataset]:
    """Draws of parameters and answers; quantiles of the curve and of the profiles."""
    return {
        "/posterior": _posterior(solved),
        **runs.coalitions_group(solved.played.game, solved.shape, solved.parts.triggers),
        **_contributions(solved),
        "/prior": _prior(solved),
        "/laws": _laws(solved),
        "/curve": _curve(solved),
        "/profile": _profile(solved),
    }


def _posterior(solved: Solved) -> xr.Dataset:
    """Every draw, those without an answer too."""
    rows, fit = solved.fit.rows, solved.fit
    dims = {"beta": "driver", "unwound": "day", "zeta_long": "latent", "zeta_short": "latent"}
    found = {
        name: ((*DRAW, *([dims.get(name, f"{name}_axis")] if x.ndim == 3 else [])), x)
        for name, x in fit.draws.items()
    }
    found["law"] = (DRAW, fit.law)
    coords = {
        "driver": list(rows.names),
        "day": list(rows.labels),
        "latent": [rows.labels[place] for place in rows.latent],
    }
    used = {dim for dims_of, _ in found.values() for dim in dims_of}
    data = xr.Dataset(found, {name: c for name, c in coords.items() if name in used})
    data.attrs = {"laws": [each.law for each in fit.laws], "kept": solved.played.kept.size}
    return data


def _contributions(solved: Solved) -> dict[str, xr.Dataset]:
    parts, shape = solved.parts, solved.shape
    each, names = (*DRAW, "player"), {"player": list(parts.players)}
    stacked = np.array([x.reshape(*shape, -1) for x in parts.contribution.values()])
    ends = {
        name: (each, x.reshape(*shape, -1))
        for name, x in (("low", parts.orders.low), ("high", parts.orders.high))
    }
    order_flow = parts.order_flow.reshape(*shape, -1)
    unit = {"unit": LOG_POINTS}
    rule = {"rule": list(parts.contribution)}
    return {
        "/allocation": xr.Dataset(
            {"contribution": (("rule", *each), stacked)}, {**rule, **names}, unit
        ),
        "/order_range": xr.Dataset(ends, names, unit),
        "/order_flow": xr.Dataset(
            {"contribution": ((*DRAW, "part"), order_flow)}, {"part": list(parts.players)}, unit
        ),
    }


def _prior(solved: Solved) -> xr.Dataset:
    """But-for effects under the prior, the observed move given."""
    day = solved.prior
    return xr.Dataset(
        {"but_for": (("draw", "player"), day.effect)},
        {"player": list(day.players)},
        {"unit": LOG_POINTS, "left_out": day.played.left_out},
    )


def _laws(solved: Solved) -> xr.Dataset:
    players = solved.parts.players

    def of(day: Day | None) -> np.ndarray:
        """Mean, then quantiles, (number, player)."""
        if day is None:
            return np.full((1 + len(QUANTILES), len(players)), np.nan)
        return np.concatenate([day.effect.mean(0)[None], np.quantile(day.effect, QUANTILES, 0)])

    names = [each.law for each in solved.fit.laws]
    found = np.array([of(solved.laws[name]) for name in names])
    prior = {law.name: law.weight for law in solved.question.impact.laws}
    return xr.Dataset(
        {
            "mean": (("law", "player"), found[:, 0]),
            "q": (("law", "quantile", "player"), found[:, 1:]),
            "prior_weight": ("law", [prior[name] for name in names]),
            "weight": ("law", solved.fit.weight),
            "weight_error": ("law", solved.fit.weight_error),
        },
        {"law": names, "quantile": list(QUANTILES), "player": list(players)},
        {"unit": LOG_POINTS},
    )


def _curve(solved: Solved) -> xr.Dataset:
    """Lay out moves by shock of draws that arrive somewhere at every shock."""
    curve = solved.curve
    moved = curve.move[curve.arrives]
    alone = np.broadcast_to(SHOCKS, (len(QUANTILES), len(SHOCKS)))
    unstable = np.isnan(curve.move).mean(axis=0)
    return xr.Dataset(
        {
            "with_feedback": (("quantile", "shock"), np.quantile(moved, QUANTILES, axis=0)),
            "without_feedback": (("quantile", "shock"), alone),
            "unstable": ("shock", unstable),
        },
        {"quantile": list(QUANTILES), "shock": SHOCKS},
        {"unit": LOG_POINTS, "left_out": 1.0 - float(curve.arrives.mean())},
    )


def _profile(solved: Solved) -> xr.Dataset:
    """USD million that each mechanism trades by move, on the day as it was."""
    flow = np.moveaxis(np.quantile(profile_of(solved.world), QUANTILES, axis=2), 0, -1)
    return xr.Dataset(
        {"flow": (("mechanism", "move", "quantile"), flow)},
        {"mechanism": list(solved.world.amplifiers), "move": PROFILE, "quantile": list(QUANTILES)},
        {"unit": "USD million"},
    )


# A solved event in; what steps within its day add to one fixed point: tables, a check, a group.

SAME = 0.25
"""Posterior standard deviations by which steps may move a mean without changing the answer."""


def stepping_tables(solved: Solved) -> dict[str, pd.DataFrame]:
    """Tables of a day that was stepped through; none of one that was not."""
    within = solved.within
    if within is None:
        return {}
    shown = shown_by_step(within.world)
    return {"stepping": stepping(solved, within), "steps": steps(within, shown)}


def stepping(solved: Solved, within: Within) -> pd.DataFrame:
    """But-for effects by steps beside those of one fixed point; log points."""
    rows = {}
    for name, (own, once, both) in _effects(solved, within).items():
        parts = {"by steps": own, "at once": once, "difference": both}
        rows[name] = {
            f"{word}{end}": value
            for word, draws in parts.items()
            for end, value in zip(("", " q05", " q95"), _three(draws), strict=True)
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _three(draws: np.ndarray) -> tuple[float, float, float]:
    if not len(draws):
        return (float("nan"),) * 3
    found = spread(draws)
    return found["mean"], found["q05"], found["q95"]


def _effects(
    solved: Solved, within: Within
) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """But-for draws by steps, at once, and their difference where both have an answer."""
    own, once = solved.days[str(solved.question.day)], within.at_once
    none: np.ndarray = np.empty(0)
    if once is None:
        return {name: (own.of(name), none, none) for name in MECHANISMS}
    kept, others = (day.played.kept.ravel() for day in (own, once))
    _, here, there = np.intersect1d(kept, others, return_indices=True)
    found = {name: (own.of(name), once.of(name)) for name in MECHANISMS}
    found["all amplifiers"] = (_answers(own), _answers(once))
    return {name: (a, b, a[here] - b[there]) for name, (a, b) in found.items()}


def _answers(day: Day) -> np.ndarray:
    """Return what all amplifiers add to a day (draw,)."""
    found: np.ndarray = day.played.game.values[:, -1] - day.alone
    return found


def steps(within: Within, shown: Shown) -> pd.DataFrame:
    """Tabulate every bar: medians of paths, means of what was bought in it, and draws lost."""
    path, lost = within.path, within.lost
    closes = np.flatnonzero(path.bar)
    found: dict[str, np.ndarray] = {"observed": POINTS * path.move[closes]}
    for name, walked in shown.without.items():
        found[f"without {name}"] = np.median(walked[:, closes], axis=0)
    found["without any"] = np.median(shown.alone[:, closes], axis=0)
    for name, bought in shown.flow.items():
        found[f"{name} bought"] = np.diff(bought[:, closes].mean(axis=0), prepend=0.0)
    ends = np.searchsorted(closes, np.arange(len(path.move)))  # the bar of each step
    for word, share in (("run away", lost.away), ("off the path", lost.astray)):
        found[word] = np.bincount(ends, share, minlength=len(closes))
    found["several fixed points"] = lost.multiple[closes]
    return pd.DataFrame(found, index=local_times(within)[closes])


def local_times(within: Within) -> np.ndarray:
    """Name the end of every step on the clock of the rows."""
    ends = pd.DatetimeIndex(within.path.ends).tz_localize("UTC").tz_convert(within.path.zone)
    return np.asarray(ends.strftime("%Y-%m-%d %H:%M"), dtype=str)


def within_words(solved: Solved) -> str:
    """Say in how many steps the event's day was solved."""
    within = solved.within
    if within is None:
        return (
            f" {solved.question.day} is solved at once, as one fixed point: the model names no bars"
            " within the day."
        )
    path = within.path
    own = ", ".join(path.own)
    return (
        f" {solved.question.day} is solved in {len(path.move)} steps between the closes of"
        f" {int(path.bar.sum())} bars (at most {path.gap:.0f} minutes apart; clock difference"
        f" {POINTS * path.difference:+.2f} {LOG_POINTS}, in the first step); all other days are"
        " solved at once, and parameters are those of days."
        + (f" By their own bars come {own}." if own else "")
    )


def within_day(solved: Solved) -> Finding:
    """Ask whether steps within the day change what is said of it."""
    question = "Do but-for effects stay when the day is solved by steps instead of at once?"
    within = solved.within
    if within is None or within.at_once is None:
        why = "no bars within the day were given, and it was solved at once, as one fixed point"
        if within is not None:
            why = "solved at once, no draw ends at the observed move, so that nothing is compared"
        return Finding("within the day", question, why, "untestable")
    said, moved = [], {}
    for name, (own, once, both) in _effects(solved, within).items():
        (a, al, ah), (b, bl, bh) = _three(own), _three(once)
        by_steps = f"{a:+.2f} ({al:+.2f} to {ah:+.2f})"
        said.append(f"{name} {by_steps} against {b:+.2f} ({bl:+.2f} to {bh:+.2f})")
        sd = float(once.std())
        moved[name] = abs(float(both.mean())) / sd if sd else 0.0
    worst = max(moved, key=moved.__getitem__)
    lost = within.lost
    return Finding(
        name="within the day",
        question=question,
        evidence=(
            f"in {len(within.path.move)} steps against at once, {LOG_POINTS}, mean and 90 %:"
            f" {'; '.join(said)}; on draws that have both answers the mean moves by at most"
            f" {moved[worst]:.2f} posterior standard deviations ({worst});"
            f" {solved.played.left_out:.1%} of draws are left out against"
            f" {within.at_once.played.left_out:.1%} (with a player off {lost.away.sum():.1%} run"
            f" away at some step, with all on {lost.astray.sum():.1%} leave the observed path)"
        ),
        verdict="holds" if moved[worst] <= SAME else "fails",
    )


def steps_group(solved: Solved) -> dict[str, xr.Dataset]:
    """Lay out what the figure of the day by steps shows; nothing for a day solved at once."""
    within = solved.within
    if within is None:
        return {}
    shown, path = shown_by_step(within.world), within.path
    names = list(shown.without)

    def bands(draws: np.ndarray) -> np.ndarray:
        return np.asarray(np.quantile(draws, QUANTILES, axis=0))

    each = ("mechanism", "quantile", "step")
    data = xr.Dataset(
        {
            "hours": ("step", path.hours),
            "observed": ("step", POINTS * path.move),
            "without": (each, np.array([bands(shown.without[name]) for name in names])),
            "alone": (each[1:], bands(shown.alone)),
            "flow": (each, np.array([bands(shown.flow[name]) for name in names])),
        },
        {
            "mechanism": names,
            "quantile": list(QUANTILES),
            "end": ("step", local_times(within)),
        },
        {"unit": LOG_POINTS, "zone": path.zone, "clock_difference": POINTS * path.difference},
    )
    return {"/steps": data}


PRIOR = 4000
"""Draws from the prior."""
ABOUT = (
    "Two questions are kept apart. Where did the move start: drivers that bitcoin is taken not to"
    " move, the basis trade, and an unexplained rest. How much smaller would it have been without a"
    " mechanism that answers the price: structured notes, listed options, liquidations. For the"
    " second every draw infers the day's shocks so that the model ends at the observed move, then"
    " switches mechanisms off with those shocks held. But-for effects do not add up where"
    " mechanisms work through each other; triggers-first and Shapley contributions do, and the"
    " range over orders says how much that choice matters. Order-flow rows (O) share the impact of"
    " all trades by who traded and answer neither question. Forced orders may have been absorbed,"
    " leaving no mark: the probability of that is learnt, the sign of a mark is assumed."
    " Dealers' side in options, the face of"
    " notes and their second hedge are not observed: the ledger says which answers rest on priors."
    " Terms of notes keep their prior, and four laws of impact are weighed by how well each"
    " predicts."
)


def event_study(spec: StudySpec, evidence: Evidence, effort: Effort) -> Study:
    """Attribute one day's move to what started it and what amplified it.

    Raises
    ------
    SpecError, DataError, EventError, DiagnosticsError
        Each names the place, what was found and what to do.
    """
    question, place = cast(EventQuestion, spec.question), f"model '{spec.name}'"
    terms, sampler, prior = np.random.SeedSequence(effort.seed).spawn(3)
    refuse_levels((question.outcome,), evidence.measures, place)
    rows = event_rows(question, evidence, place)
    path = path_of(question, evidence, rows, place)
    effort.say("pricing the notes on every day")
    surface = surface_of(question, evidence, rows, np.random.default_rng(terms))
    fit = fit_event(
        question,
        rows,
        surface,
        draws=effort.draws,
        seed=int(sampler.generate_state(1)[0] % 2**31),
        progress=effort.progress,
        say=effort.say,
    )
    return answer_of(spec, fit, np.random.default_rng(prior), effort, path)


def answer_of(
    spec: StudySpec,
    fit: EventFit,
    rng: np.random.Generator,
    effort: Effort,
    path: DayPath | None = None,
) -> Study:
    """Turn draws into the study: groups, tables, findings and the headline."""
    question, place = cast(EventQuestion, spec.question), f"model '{spec.name}'"
    before = prior_draws(question, fit.rows, PRIOR, rng)
    laws = tuple(law.name for law in question.impact.laws)
    drawn = flat(
        {n: x[None] for n, x in before.items()}, before["law"][None], laws, fit.surface.scenarios
    )
    solved = solved_of(question, fit, drawn, effort.say, path=path)
    converged = judged_draws(solved, place)
    return Study(
        groups={**groups_of(solved), **steps_group(solved)},
        tables={**tables_of(solved), **stepping_tables(solved)},
        findings=(*findings_of(solved), within_day(solved), *converged.findings),
        headline=headline_of(solved),
        about=ABOUT + within_words(solved),
        diagnostics=converged.diagnostics,
        notes={
            "days": len(fit.rows.days),
            "days_left_out": fit.rows.left_out,
            "contradicted_liquidations": fit.rows.contradicted,
            "draws_left_out": round(solved.played.left_out, 6),
            "steps": 1 if path is None else len(path.move),
        },
    )
