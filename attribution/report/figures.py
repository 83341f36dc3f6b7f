"""The figures of a run, in the order of the page; what a run does not hold is not drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attribution.diagnostics import PARETO_K
from attribution.model.kinds import KINDS, loaded
from attribution.record import is_study
from attribution.report import numbers
from attribution.report.comparison import event_in_comparison, robust_bounds
from attribution.report.draws import has, longest_window, windows
from attribution.report.impulse import impulse_responses
from attribution.report.picture import Picture
from attribution.report.prior_posterior import prior_against_posterior
from attribution.report.through import through_the_window
from attribution.report.variance import variance_shares
from attribution.report.waterfall import waterfall

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = [
    "event_in_comparison",
    "impulse_responses",
    "pictures",
    "prior_against_posterior",
    "robust_bounds",
    "through_the_window",
    "variance_shares",
    "waterfall",
]


def pictures(tree: xr.DataTree, summaries: Mapping[str, pd.DataFrame]) -> list[Picture]:
    """Draw every figure that the run supports; ``summaries`` holds one table a window."""
    if is_study(tree):
        return study_pictures(tree, summaries)
    drawn = []
    named = windows(tree)
    for name in named:
        drawn.append(_waterfall(tree, summaries[name], name))
        if has(tree, "robust"):
            drawn.append(_robust(tree, summaries[name], name))
    if named:
        drawn.append(_through(tree))
    if has(tree, "prior"):
        drawn.append(_prior(tree, named[0]))
    if has(tree, "event_in"):
        drawn.append(_event_in(tree, named[0]))
    if has(tree, "responses"):
        drawn.append(_impulse(tree))
    if has(tree, "fevd"):
        drawn.append(_variance(tree))
    return drawn


def study_pictures(tree: xr.DataTree, summaries: Mapping[str, pd.DataFrame]) -> list[Picture]:
    """Draw every figure of a study, named after its kind, so that a later run replaces it."""
    kind = str(tree.attrs["study"])
    drawn: list[Picture] = loaded(KINDS[kind].pictures).pictures(tree, summaries)
    return [picture._replace(name=f"{kind}_{picture.name}") for picture in drawn]


def _waterfall(tree: xr.DataTree, table: pd.DataFrame, window: str) -> Picture:
    caption = (
        "Each bar is a posterior mean and starts where the one above ends; means add up to the"
        " observed move. The thick line on a bar is the 50 % interval of its length, the thin line"
        " the 90 % interval. Per cent by the log-mean weight, which adds up too."
    )
    title = f"Waterfall, {numbers.label(window)}"
    drawn = waterfall(tree, table, window=window)
    return Picture(f"waterfall_{window}", title, caption, drawn, window)


def _through(tree: xr.DataTree) -> Picture:
    caption = (
        f"Window {numbers.label(longest_window(tree))}. Contributions summed from the eve to each"
        " day: posterior mean with 50 % and 90 % bands. The last panel shows the observed path and"
        " the baseline expected on the eve (mean and 90 % band)."
    )
    return Picture("through_the_window", "Day by day", caption, through_the_window(tree))


def _prior(tree: xr.DataTree, window: str) -> Picture:
    caption = (
        f"Window {numbers.label(window)}. Dashed: contributions under prior draws of the impact"
        " matrix, given the observed event. Filled: posterior. Overlap is the area both share:"
        " near 1, the data taught nothing and the row repeats its prior. Heights differ by panel."
    )
    drawn = prior_against_posterior(tree, window=window)
    return Picture("prior_against_posterior", "Prior against posterior", caption, drawn)


def _robust(tree: xr.DataTree, table: pd.DataFrame, window: str) -> Picture:
    caption = (
        "Pale bar: posterior mean of the bounds over all priors on what the restrictions leave"
        " open. Line: the interval under the uniform prior on rotations. Where the line is much"
        " shorter than the bar, its length is that prior’s and not the data’s. Dashed: what the"
        " same prior gives every channel when nothing is restricted."
    )
    title = f"Bounds, {numbers.label(window)}"
    drawn = robust_bounds(tree, table, window=window)
    return Picture(f"robust_bounds_{window}", title, caption, drawn, window)


def _event_in(tree: xr.DataTree, window: str) -> Picture:
    caption = (
        f"Window {numbers.label(window)}. The same contribution with the event’s days left out of"
        " the estimate, scaled in, and kept in: posterior mean, 50 % and 90 % intervals. k is the"
        f" tail index of the reweighted draws; above {PARETO_K} the comparison is not reliable."
    )
    drawn = event_in_comparison(tree, window=window)
    return Picture("event_in", "With and without the event", caption, drawn)


def _impulse(tree: xr.DataTree) -> Picture:
    caption = (
        "Response of each series (rows, in its unit) to a shock of one standard deviation of each"
        " channel (columns): median with 50 % and 90 % bands. One scale a row."
    )
    return Picture("impulse_responses", "Impulse responses", caption, impulse_responses(tree))


def _variance(tree: xr.DataTree) -> Picture:
    caption = (
        "Posterior mean of each channel’s share in the forecast error variance of each series, by"
        " horizon; horizon h is the error of the forecast h + 1 periods ahead. Means add up to one."
    )
    return Picture("variance_shares", "Variance shares", caption, variance_shares(tree))
