"""Local projections and an event in; what the impulse's innovations brought in a window, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from attribution.core.instruments.first_stage import long_run
from attribution.studies.projection.question import ProjectionQuestion
from attribution.studies.projection.rows import (
    NEWEY_WEST,
    ProjectionDesign,
    ProjectionRows,
    bandwidth,
    response_at,
    standardised,
)


@dataclass(frozen=True)
class ResponsePath:
    """Responses of the outcome at several horizons with their joint law, and how news is read.

    Attributes
    ----------
    response : (horizon,); per unit of the impulse (of the instrument, if there is one).
    reading : (control,); the impulse's forecast from its controls.
    covariance : (horizon + control, horizon + control); of both, jointly.
    """

    response: np.ndarray
    reading: np.ndarray
    covariance: np.ndarray


@dataclass(frozen=True)
class Later:
    """Responses after the day of the impulse, per unit of it (of the instrument).

    Attributes
    ----------
    impact, next_row, error : responses at horizons 0 and 1, and the standard error of the second.
    statistic, degrees, p_value : Wald's, of no response at horizons 1 to the last.
    """

    impact: float
    next_row: float
    error: float
    statistic: float
    degrees: int
    p_value: float


@dataclass(frozen=True)
class ProjectionEvent:
    """What the impulse's innovations brought, by window.

    Attributes
    ----------
    point : window -> contribution to the move of the window, unit of the outcome.
    draws : window -> (draw,) from the joint normal law of responses and innovations.
    innovation : (row,); of the rows of the longest window and those between; unit of the impulse
        (of the instrument).
    rows : (row,); their numbers.
    later : whether anything follows.
    """

    point: Mapping[str, float]
    draws: Mapping[str, np.ndarray]
    innovation: np.ndarray
    rows: np.ndarray
    later: Later


def project_event(
    question: ProjectionQuestion,
    rows: ProjectionRows,
    design: ProjectionDesign,
    *,
    draws: int,
    seed: int,
) -> ProjectionEvent:
    r"""Carry the observed innovations of a window through the projections.

    .. math:: C(W) = \sum_{t \in W} \Theta_{t_1 - t}\, \hat\varepsilon_t, \qquad
        \Theta_h = \sum_{j \le h} \theta_j

    with :math:`t_1` the window's last day and :math:`\hat\varepsilon_t` the impulse less its
    forecast by coefficients of the rows before the hold-out.  :math:`\Theta_h` is estimated as
    the response of the cumulated outcome; of an outcome in levels it is
    :math:`\theta_h`.  With an instrument :math:`x_t` is the instrument, so that only the part of
    the impulse which it moves is counted.

    References
    ----------
    jorda2005; kilian2017
    """
    design, units = standardised(question, design)
    asked = [at for at in rows.windows.values() if len(at)]
    place = question.variables.index(question.impulse)
    if question.instrument:
        place = len(question.variables)
    own, unit = units.size[question.variables.index(question.outcome)], units.size[place]
    longest = max((int(at[-1] - at[0]) for at in asked), default=0)
    found = path_of(question, design, range(question.horizons + 1), cumulative=False)
    later = _wald(found, float(own / unit))
    if not asked:
        return ProjectionEvent({}, {}, np.zeros(0), np.zeros(0, int), later)
    change = question.outcome not in question.levels
    path = path_of(question, design, range(longest + 1), cumulative=change)
    mean = np.concatenate([path.response, path.reading])
    rng = np.random.default_rng(seed)
    root = _root(path.covariance)
    drawn = mean + rng.standard_normal((draws, len(mean))) @ root.T
    every = np.arange(min(at[0] for at in asked), max(at[-1] for at in asked) + 1)
    x = units.inward(rows.values.iloc[:, place].to_numpy(float), place)
    size = longest + 1

    def carried(theta: np.ndarray, at: np.ndarray) -> np.ndarray:
        news = x[at] - theta[:, size:] @ design.every[at].T
        total: np.ndarray = (theta[:, at[-1] - at] * news).sum(1) * own
        return total

    return ProjectionEvent(
        point={name: float(carried(mean[None], at)[0]) for name, at in rows.windows.items()},
        draws={name: carried(drawn, at) for name, at in rows.windows.items()},
        innovation=(x[every] - design.every[every] @ path.reading) * unit,
        rows=every,
        later=later,
    )


def path_of(
    question: ProjectionQuestion, design: ProjectionDesign, horizons: range, *, cumulative: bool
) -> ResponsePath:
    """Estimate the outcome's responses at several horizons with their joint covariance.

    The scores of every horizon stand on the day of the impulse; their sums of products, or those
    of Newey and West, give the covariance that statsmodels gives one horizon at a time.
    """
    source = design.impulse if design.instrument is None else design.instrument
    outcome = design.values[:, question.variables.index(question.outcome)]
    first = design.lags
    w, x = design.controls[first:], source[first:]
    n, k = w.shape
    size = len(horizons)
    response, score = np.zeros(size), np.zeros((n, size + k))
    q, r = np.linalg.qr(w)
    reading = np.linalg.solve(r, q.T @ x)
    score[:, size:] = (q * (x - w @ reading)[:, None]) @ np.linalg.inv(r).T * np.sqrt(n / (n - k))
    for place, h in enumerate(horizons):
        y = response_at(outcome, h, lags=first, cumulative=cumulative)
        rows = len(y)
        both = np.column_stack([y, x[:rows]])
        own = w[:rows]
        clean = both - own @ np.linalg.lstsq(own, both, rcond=None)[0]
        power = clean[:, 1] @ clean[:, 1]
        response[place] = clean[:, 0] @ clean[:, 1] / power
        left = clean[:, 0] - response[place] * clean[:, 1]
        # the small-sample factor of HC1, which statsmodels applies to Newey and West's too
        factor = np.sqrt(rows / (rows - k - 1))
        score[:rows, place] = clean[:, 1] * left / power * factor
    width = bandwidth(max(horizons), n) if question.errors == NEWEY_WEST else 0
    return ResponsePath(response, reading, long_run(score, width))


def _root(covariance: np.ndarray) -> np.ndarray:
    """Symmetric square root: scores of many horizons may be close to dependent."""
    values, vectors = np.linalg.eigh(covariance)
    root: np.ndarray = vectors * np.sqrt(np.clip(values, 0.0, None))
    return root


def _wald(path: ResponsePath, unit: float) -> Later:
    """Test the responses after the first; ``unit`` is that of one of them."""
    size = len(path.response)
    if size < 2:
        return Later(float(path.response[0]) * unit, np.nan, np.nan, np.nan, 0, np.nan)
    later = path.response[1:]
    statistic = float(later @ np.linalg.solve(path.covariance[1:size, 1:size], later))
    return Later(
        impact=float(path.response[0]) * unit,
        next_row=float(path.response[1]) * unit,
        error=float(np.sqrt(path.covariance[1, 1])) * unit,
        statistic=statistic,
        degrees=size - 1,
        p_value=float(chi2.sf(statistic, size - 1)),
    )
