"""A solved event in; what steps within its day add to one fixed point: tables, a check, a group."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from attribution.finding import Finding
from attribution.study.answer import spread
from attribution.study.event_by_step import Shown, shown_by_step
from attribution.study.event_shapes import QUANTILES
from attribution.study.event_solved import Day, Solved, Within
from attribution.study.event_tables import MECHANISMS
from attribution.study.event_world import LOG_POINTS, POINTS

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
