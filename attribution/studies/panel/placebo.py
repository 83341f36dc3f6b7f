"""A panel and an event in; the coefficient that every other day would have had, and its rank, out.

One event day and a dozen entities leave no large sample behind a t ratio: errors clustered by
entity, or robust to common shocks, are far too small.  Days on which nothing was claimed to happen
have the law of the coefficient under no effect, whatever that law is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TINY = 1e-9
LEVEL = 0.9


@dataclass(frozen=True)
class Design:
    """A panel on (time, entity), and what is partialled out of it.

    Attributes
    ----------
    outcome : (time, entity); what is missing is zero and outside ``mask``.
    covariates : (covariate, time, entity); likewise.
    mask : (time, entity), where a row is complete.
    entity_effects, time_effects : which constants are partialled out.
    """

    outcome: np.ndarray
    covariates: np.ndarray
    mask: np.ndarray
    entity_effects: bool = True
    time_effects: bool = True


@dataclass(frozen=True)
class PlaceboDates:
    """An event's coefficient among those of all days it could have been.

    Attributes
    ----------
    coefficient : of the event; unit of the outcome per unit of exposure.
    placebo : (time,), the coefficient had the run of event days begun on that day; NaN where it
        cannot, or would touch an event.
    like : (time,), days in the group of the event.
    p, p_all_days : share of like days, and of all days, whose coefficient is at least as large in
        absolute value, the event's own counted.
    low, high : effects that the test among like days does not reject at 10 %.
    """

    coefficient: float
    placebo: np.ndarray
    like: np.ndarray
    p: float
    p_all_days: float
    low: float
    high: float

    @property
    def placebos(self) -> int:
        """Like days against which the event is held."""
        return int(self.like.sum())


def within(values: np.ndarray, design: Design) -> np.ndarray:
    """Subtract each day's mean over entities present, if there are time effects; zero elsewhere."""
    kept = np.where(design.mask, values, 0.0)
    if not design.time_effects:
        return kept
    count = np.maximum(design.mask.sum(1), 1)
    return np.where(design.mask, kept - (kept.sum(-1) / count)[..., None], 0.0)


def basis(design: Design, extra: np.ndarray) -> np.ndarray:
    """Orthonormal columns (time, entity, column) that span effects, covariates and ``extra``."""
    days, entities = design.mask.shape
    constants = np.eye(entities) if design.entity_effects else np.ones((1, entities))
    ones = np.broadcast_to(constants[:, None, :], (len(constants), days, entities))
    columns = np.concatenate([ones, design.covariates, extra])
    flat = np.stack([within(column, design) for column in columns]).reshape(len(columns), -1).T
    whole = np.linalg.norm(columns.reshape(len(columns), -1), axis=1)
    length = np.linalg.norm(flat, axis=0)
    kept = length > TINY * whole
    flat = flat[:, kept] / length[kept]
    left, size, _ = np.linalg.svd(flat, full_matrices=False)
    return np.asarray(left[:, size > TINY * size.max(initial=1.0)].reshape(days, entities, -1))


def placebo_dates(
    design: Design,
    exposure: np.ndarray,
    days: np.ndarray,
    *,
    others: np.ndarray,
    barred: np.ndarray,
    size: np.ndarray,
    groups: int,
) -> PlaceboDates:
    r"""Estimate an event's coefficient, and the same on every run of days it could have been.

    With M the projection off effects, covariates and other events, and x(s) the exposure on the
    run of days that begins with s (Frisch, Waugh and Lovell),

    .. math:: d_s = \frac{x(s)' M y}{x(s)' M x(s)}, \qquad
        p = \frac{1 + \#\{s : |d_s| \ge |d|\}}{1 + S}

    over the S runs that are like the event.  Every run is visited, so p has no Monte Carlo error
    and no value below 1 / (1 + S).  The range inverts the test: after an effect :math:`\delta` is
    taken out, :math:`d_s` becomes :math:`d_s - c_s \delta`, with :math:`c_s` the coefficient of
    the event's own regressor on x(s); so s counts for every :math:`\delta` between
    :math:`(d - d_s) / (1 - c_s)` and :math:`(d + d_s) / (1 + c_s)`.

    Parameters
    ----------
    exposure : (time, entity).
    days : (m,), rows of the event's days, increasing; a placebo keeps their distances.
    others : (event, time, entity), regressors of the other events.
    barred : (time,), rows that no placebo may touch: days of any event.
    size : (time,), by whose mean over the run it is grouped, NaN where unknown; absolute values.
    groups : how many groups of equal number.

    Raises
    ------
    ValueError
        If the event's regressor is spanned by what is partialled out.

    References
    ----------
    fisher1935, mackinnon2020
    """
    span = basis(design, others)
    residual = within(design.outcome, design)
    residual = residual - np.einsum("tip,p->ti", span, np.einsum("tip,ti->p", span, residual))
    exposed = within(exposure, design)
    shadow = np.einsum("ti,tip->tp", exposed, span)
    square, product = (exposed**2).sum(1), (exposed * residual).sum(1)

    offsets = days - days[0]
    starts = np.arange(len(design.mask) - offsets[-1])
    runs = starts[:, None] + offsets
    shade, total = shadow[runs].sum(1), square[runs].sum(1)
    left = total - (shade**2).sum(1)
    raw = (np.where(design.mask, exposure, 0.0) ** 2).sum(1)[runs].sum(1)
    seen = (square[runs] > 0).all(1) & (left > TINY * np.maximum(total, TINY * raw))
    if not seen[days[0]]:
        raise ValueError("the event's regressor is spanned by what is partialled out")
    safe = np.where(seen, left, 1.0)
    found = np.where(seen, product[runs].sum(1) / safe, np.nan)
    spill = -(shade @ shade[days[0]]) / safe

    free = seen & ~barred[runs].any(1) & np.isfinite(size[runs]).all(1)
    like = free & alike(size[runs].mean(1), free, days[0], groups)
    own = found[days[0]]
    padded = np.full(len(design.mask), np.nan)
    padded[starts[free]] = found[free]
    marked = np.zeros(len(design.mask), bool)
    marked[starts[like]] = True
    low, high = inverted(own, found[like], spill[like])
    p, p_all = rank_of(own, found[like]), rank_of(own, found[free])
    return PlaceboDates(float(own), padded, marked, p, p_all, low, high)


def alike(size: np.ndarray, free: np.ndarray, event: int, groups: int) -> np.ndarray:
    """Mark the runs in the event's group, when it and the free runs are put into equal groups."""
    pool = free.copy()
    pool[event] = np.isfinite(size[event])
    if not pool[event]:
        return np.zeros(len(size), bool)
    rank = np.full(len(size), -1)
    order = np.flatnonzero(pool)[np.argsort(size[pool], kind="stable")]
    rank[order] = np.arange(len(order)) * groups // len(order)
    return np.asarray(rank == rank[event])


def rank_of(own: float, placebo: np.ndarray) -> float:
    """Share at least as far from zero, the event's own counted; one where there is no placebo."""
    far = np.abs(placebo) >= abs(own) * (1 - TINY)
    return float((1 + far.sum()) / (1 + len(placebo)))


def inverted(own: float, placebo: np.ndarray, spill: np.ndarray) -> tuple[float, float]:
    """Effects that are not rejected at one minus ``LEVEL``; infinite where too few days tell."""
    ends = np.stack([(own - placebo) / (1 - spill), (own + placebo) / (1 + spill)])
    allowed = int(np.floor((1 - LEVEL) * (1 + len(placebo)) + TINY))
    if allowed < 1:
        return -np.inf, np.inf
    low, high = np.sort(ends.min(0)), np.sort(ends.max(0))
    return float(low[allowed - 1]), float(high[-allowed])
