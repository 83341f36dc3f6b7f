"""Draws that obey a table in; what holds of an event for every prior on rotations out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.core import propagate
from attribution.core.rotations import bounds
from attribution.core.rotations.bounds import clear_of_zero
from attribution.core.rotations.functionals import functionals
from attribution.core.rotations.haar import haar
from attribution.core.rotations.holds import Line
from attribution.core.rotations.robust_sets import (
    Rows,
    lead_in,
    outer,
    probability_below,
    robust_region,
)
from attribution.decompose import window_values
from attribution.errors import SpecError
from attribution.model.spec import Window
from attribution.posterior import StructuralPosterior
from attribution.var.identify.claims import Claims

STARTS = 4
"""Starts of each search: a draw's own rotation, and uniform ones led inside."""


@dataclass(frozen=True)
class RobustRanges:
    """Ranges of each channel's contribution to the outcome over the admissible rotations.

    Unit of the outcome.  Claims that are no half-space of one column (exact zeros, ranks, shares
    of variance, sizes of contributions, bounds on a one-scale response) are left out: the ranges
    are then wider than the table's own, and what holds of them holds of the table.

    Attributes
    ----------
    windows, channels : names.
    lower, upper : (draw, window, channel); of evenly spaced draws.
    clear : (draw, window, channel); certified distance of the range from zero, zero where there
        is none.
    weight : (draw,).
    agreed : (window, channel); share of draws at which the two best starts agree.
    left_out : claims, in words.
    identification_strength : (window, channel); share of the no-assumption range that the table
        rules out, mean over the draws.
    no_assumption : (window, 2) and dilution : (window,); range of any shock's contribution
        without a table, and what a uniform rotation books to each, means over the draws.
    uniform_sd : (window,); sd of a contribution under uniform rotations without a table.
    """

    windows: tuple[str, ...]
    channels: tuple[str, ...]
    lower: np.ndarray
    upper: np.ndarray
    clear: np.ndarray
    weight: np.ndarray
    agreed: np.ndarray
    left_out: tuple[str, ...]
    identification_strength: np.ndarray
    no_assumption: np.ndarray
    dilution: np.ndarray
    uniform_sd: np.ndarray

    @property
    def region(self) -> np.ndarray:
        """Robust credible region of 90 % (window, channel, 2)."""
        return robust_region(self.lower, self.upper, self.weight)

    @property
    def p_negative(self) -> np.ndarray:
        """Least and largest posterior probability of a negative contribution, (..., 2)."""
        return probability_below(self.lower, self.upper, self.weight)


def robust_ranges(
    posterior: StructuralPosterior,
    claims: Claims,
    values: pd.DataFrame,
    windows: Sequence[Window],
    *,
    outcome: str,
    constant: bool,
    draws: int,
    rng: np.random.Generator,
) -> RobustRanges:
    """Search the admissible rotations of evenly spaced draws for the extremes of contributions.

    Parameters
    ----------
    posterior : accepted draws, named by the claims.
    claims : compiled for its variables.
    constant : whether the first regressor of the claims' dates is a constant.
    draws : how many draws are searched.

    Raises
    ------
    SpecError
        If more draws are asked for than there are.

    References
    ----------
    giacomini2021
    """
    lead, n = posterior.impact.shape[:2], len(posterior.variables)
    total = lead[0] * lead[1]
    if not 0 < draws <= total:
        raise SpecError(f"robust ranges: {draws} of {total} draws asked for; ask for fewer")
    at = np.arange(draws) * total // draws
    impact, slopes, intercept = (
        array.reshape(total, *array.shape[2:])[at]
        for array in (posterior.impact, posterior.lag_coefficients, posterior.intercept)
    )
    named = [posterior.shocks.index(name) for name in claims.channels]
    rest = [j for j in range(n) if j not in named]
    impact = impact[:, :, [*named, *rest]]
    root = np.linalg.cholesky(impact @ impact.swapaxes(1, 2))
    rows, left_out = _rows(claims, root, slopes, intercept, constant=constant)
    frames = _starts(rows, np.linalg.solve(root, impact), rng)
    frame = values.loc[:, list(posterior.variables)]
    form = np.stack(
        [_form(frame, window, root, slopes, intercept, outcome) for window in windows], axis=1
    )
    ends, gap = outer(rows, frames, form)
    weight = posterior.weight.reshape(-1)[at]
    share = weight / weight.sum()
    strength = bounds.identification_strength(ends[..., 0], ends[..., 1], form)
    return RobustRanges(
        windows=tuple(window.name for window in windows),
        channels=claims.channels,
        lower=ends[..., 0],
        upper=ends[..., 1],
        clear=clear_of_zero(rows.values, rows.bounds, form, ends),
        weight=weight,
        agreed=(gap <= bounds.AGREEMENT).mean(0),
        left_out=left_out,
        identification_strength=np.tensordot(share, strength, axes=1),
        no_assumption=np.tensordot(share, bounds.no_assumption(form), axes=1),
        dilution=share @ bounds.dilution(form),
        uniform_sd=bounds.uniform_spread(form, weight),
    )


def _rows(
    claims: Claims,
    root: np.ndarray,
    slopes: np.ndarray,
    intercept: np.ndarray,
    *,
    constant: bool,
) -> tuple[Rows, tuple[str, ...]]:
    """Half-spaces of each column in the frame of the root, and the claims that have none."""
    draws, n = root.shape[:2]
    regressors = slopes.swapaxes(-1, -2).reshape(draws, -1, n)
    parts = [intercept[:, None]] if constant else []
    found = functionals(
        np.ascontiguousarray(root),
        np.concatenate([*parts, regressors], axis=1),
        claims.program,
        claims.observed,
        claims.regressors,
    )
    lines: list[list[np.ndarray]] = [[] for _ in claims.channels]
    left_out = []
    for claim in claims.claims:
        plain = [p for p in claim.parts if isinstance(p, Line) and p.offset == 0.0]
        if len(plain) < len(claim.parts) or claim.orders or claim.zeros:
            left_out.append(claim.words)
        for part in plain:
            row = part.gain * found[:, part.at]
            if part.base_gain:
                row = row + part.base_gain * found[:, part.base]
            lines[part.channel].append(row / np.linalg.norm(row, axis=-1, keepdims=True))
    stacked = [row for channel in lines for row in channel]
    values = np.stack(stacked, axis=1) if stacked else np.zeros((draws, 0, n))
    return Rows(values, np.cumsum([len(channel) for channel in lines])), tuple(left_out)


def _starts(rows: Rows, own: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Frames inside (draw, start, n, n): a draw's own, and uniform ones where they get in."""
    draws, n = own.shape[:2]
    starts = np.repeat(own[:, None], STARTS, axis=1)
    for start in range(1, STARTS):
        found, frames = lead_in(rows, haar(n, draws, rng))
        found &= rows.hold(frames)
        starts[found, start] = frames[found]
    return starts


def _form(
    frame: pd.DataFrame,
    window: Window,
    root: np.ndarray,
    slopes: np.ndarray,
    intercept: np.ndarray,
    outcome: str,
) -> np.ndarray:
    _, history, observed = window_values(frame, window, slopes.shape[-3])
    errors = propagate.residuals(slopes, intercept, history, observed)
    return bounds.window_form(slopes, root, errors, list(frame.columns).index(outcome))
