r"""Ranges of contributions over every admissible rotation, for restrictions that differ by draw.

In the frame of a root P of Σ, a restriction on column k of an orthogonal Q is linear and
homogeneous, :math:`g' q_k \ge 0`, if it is

* on a response at any horizon, :math:`r' \Psi_h P q_k \ge 0`, with :math:`g = P' \Psi_h' r`;
* on the sign of the shock at a date, :math:`q_k' P^{-1} u_t \ge 0`, with :math:`g = P^{-1} u_t`.

Both depend on the draw of the reduced form, the second on the data too.  Over the frames that
satisfy all rows the extremes of :math:`C_k = q_k' M q_k` are found by the interior-point ascent of
``core.rotations.frame_ascent``, from several frames inside.  Restrictions that are not linear in
one column
(a share of variance, "the largest contributor") have no such cone: ``inner`` then takes the
extremes over accepted rotations, which the true range can only exceed.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from attribution.core.rotations.bounds import no_assumption
from attribution.core.rotations.frame_ascent import enter_all, extremes


@dataclass(frozen=True)
class Rows:
    """Linear rows of the named columns, draw by draw, in the frame of the root.

    Attributes
    ----------
    values : (draw, row, variable), g; of length one, so that slacks of rows compare.
    ends : (channel,) int; where each channel's rows end; named columns come first.
    """

    values: np.ndarray
    ends: np.ndarray

    def __post_init__(self) -> None:
        if self.values.ndim != 3 or (len(self.ends) and self.ends[-1] != self.values.shape[1]):
            raise ValueError("rows are (draw, row, variable), and the last channel's end the rows")
        if (np.diff(self.ends, prepend=0) < 0).any():
            raise ValueError("the ends of the channels' rows must not fall")

    @property
    def bounds(self) -> np.ndarray:
        """Where each channel's rows start and the last end (channel + 1,)."""
        return np.concatenate([[0], self.ends]).astype(np.int64)

    def on(self, frames: np.ndarray) -> np.ndarray:
        """Values of all rows on all columns of frames (draw, ..., variable, shock)."""
        between = tuple(range(1, frames.ndim - 2))
        return np.ascontiguousarray(np.expand_dims(self.values, between) @ frames)

    def hold(self, frames: np.ndarray) -> np.ndarray:
        """Whether every row holds strictly on its own column (draw, ...)."""
        values, bounds = self.on(frames), self.bounds
        held = np.ones(frames.shape[:-2], dtype=bool)
        for k, (start, end) in enumerate(pairwise(bounds)):
            held &= (values[..., start:end, k] > 0).all(-1)
        return held


def response_rows(root: np.ndarray, multipliers: np.ndarray, weights: np.ndarray) -> np.ndarray:
    r"""Rows :math:`g = P' \Psi_h' r` of restrictions on responses, of length one.

    Parameters
    ----------
    root : (draw, variable, variable), P.
    multipliers : (draw, row, variable, variable), :math:`\Psi_h` of each row's horizon.
    weights : (row, variable), r; a row asks :math:`r' \Psi_h h_k \ge 0` of the impact column.
    """
    return _scaled(np.einsum("rv,drvi,dij->drj", weights, multipliers, root))


def shock_rows(root: np.ndarray, errors: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Rows of restrictions on the signs of shocks at dates, of length one.

    Parameters
    ----------
    root : (draw, variable, variable).
    errors : (draw, row, variable); one-step errors of each row's date.
    signs : (row,); 1 or −1.
    """
    solved = np.linalg.solve(root[:, None], errors[..., None])[..., 0]
    return _scaled(signs[:, None] * solved)


def lead_in(rows: Rows, guess: np.ndarray, *, rounds: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Turn frames (draw, variable, shock) until every row holds.

    A frame that is returned proves that the set is not empty; a search that fails proves nothing.

    Returns
    -------
    Whether a frame was found (draw,), and the frames.
    """
    n = guess.shape[-1]
    unit = np.broadcast_to(np.eye(n), (len(guess), n, n))
    values = np.concatenate([rows.on(guess), unit], axis=1)
    found, turn = enter_all(np.ascontiguousarray(values), rows.bounds, rounds)
    return found, guess @ turn


def outer(rows: Rows, frames: np.ndarray, form: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Range of each channel's contribution over the frames on which every row holds.

    .. math:: [L_k, U_k] = \Big[\min_Q q_k' M q_k, \max_Q q_k' M q_k\Big]
        \quad \text{s.t. } G_j q_j \ge 0 \text{ for every named column } j

    The problem is not convex: the range is what the best start reached.

    Parameters
    ----------
    frames : (draw, start, variable, shock); frames on which every row holds strictly.
    form : (draw, window, variable, variable), M in the frame of the root.

    Returns
    -------
    Ends (draw, window, channel, 2), and by how much the second-best start fell short of the best,
    as a share of the no-assumption range (draw, window, channel); infinite with a single start.

    Raises
    ------
    ValueError
        If a row does not hold on a start: the ascent would begin outside.

    References
    ----------
    giacomini2021
    """
    if not rows.hold(frames).all():
        raise ValueError("a start violates one of its rows; lead it in first")
    draws, starts, n = frames.shape[:3]
    windows = form.shape[1]
    turned = frames.swapaxes(-1, -2)[:, :, None] @ form[:, None] @ frames[:, :, None]
    free = no_assumption(form)
    reached = extremes(
        rows.on(frames).reshape(draws * starts, -1, n),
        np.ascontiguousarray(turned.reshape(draws * starts, windows, n, n)),
        rows.bounds,
        np.repeat(free, starts, axis=0),
    ).reshape(draws, starts, windows, len(rows.ends), 2)
    away = np.array([-1.0, 1.0])
    ordered = np.sort(reached * away, axis=1)
    if starts < 2:
        return ordered[:, -1] * away, np.full(reached.shape[:1] + reached.shape[2:-1], np.inf)
    width = (free[..., 1] - free[..., 0])[..., None]
    return ordered[:, -1] * away, (ordered[:, -1] - ordered[:, -2]).max(-1) / width


def inner(contributions: np.ndarray, accepted: np.ndarray) -> np.ndarray:
    """Extremes of contributions over accepted rotations: inside the range, never beyond it.

    Parameters
    ----------
    contributions : (draw, rotation, window, channel).
    accepted : (draw, rotation) bool.

    Returns
    -------
    Ends (draw, window, channel, 2); NaN for a draw of which no rotation was accepted.
    """
    kept = accepted[..., None, None]
    low = np.where(kept, contributions, np.inf).min(1)
    high = np.where(kept, contributions, -np.inf).max(1)
    ends = np.stack([low, high], axis=-1)
    return np.where(np.isfinite(ends), ends, np.nan)


def shares(ends: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Ranges of the shares C_k / total, from ranges (draw, window, channel, 2).

    Parameters
    ----------
    total : (draw, window); what the contributions sum to, the trace of M.
    """
    found: np.ndarray = np.sort(ends / total[..., None, None], axis=-1)
    return found


def _scaled(rows: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    found: np.ndarray = rows / np.where(length > 0, length, 1.0)
    return found


# Ranges draw by draw in; what holds whatever the prior on rotations out.

LEVEL = 0.9


def probability_below(
    lower: np.ndarray, upper: np.ndarray, weight: np.ndarray, *, bar: float = 0.0
) -> np.ndarray:
    r"""Lower and upper posterior probability, over all priors, that a quantity is below ``bar``.

    With :math:`[l, u]` the range of a quantity over the admissible rotations of one draw, every
    prior on rotations gives the event :math:`C < 0` a posterior probability between :math:`P(u <
    0)` and :math:`P(l < 0)`, and at least :math:`\alpha` to any interval that covers :math:`[l, u]`
    in a share :math:`\alpha` of the draws.

    Parameters
    ----------
    lower, upper : (draw, ...).
    weight : (draw,); non-negative.

    Returns
    -------
    (..., 2).

    References
    ----------
    giacomini2021
    """
    share = weight / weight.sum()
    each = [np.tensordot(share, ends < bar, axes=1) for ends in (upper, lower)]
    return np.stack(each, axis=-1)


def robust_region(
    lower: np.ndarray, upper: np.ndarray, weight: np.ndarray, *, level: float = LEVEL
) -> np.ndarray:
    """Shortest interval that covers the range in a share ``level`` of the draws, (..., 2).

    Every prior on rotations gives it a posterior probability of at least ``level``.

    Parameters
    ----------
    lower, upper : (draw, ...).
    weight : (draw,); non-negative.

    References
    ----------
    giacomini2021
    """
    share = weight / weight.sum()
    low, high = lower.reshape(len(lower), -1), upper.reshape(len(upper), -1)
    found = [_shortest(low[:, q], high[:, q], share, level) for q in range(low.shape[1])]
    return np.array(found).reshape(*lower.shape[1:], 2)


def _shortest(low: np.ndarray, high: np.ndarray, share: np.ndarray, level: float) -> np.ndarray:
    """Shortest [a, b] with P(low >= a, high <= b) of at least ``level``.

    Some shortest interval starts at a draw's lower end, and leaves at most 1 − level below it.
    """
    by_low = np.argsort(low, kind="stable")
    below = np.cumsum(share[by_low]) - share[by_low]
    starts = low[by_low[below <= 1.0 - level + 1e-12]]
    by_high = np.argsort(high, kind="stable")
    inside = low[by_high] >= starts[:, None]
    covered = np.cumsum(inside * share[by_high], axis=1)
    enough = covered >= level - 1e-12
    reached = enough.any(1)
    ends = high[by_high][enough.argmax(1)]
    width = np.where(reached, ends - starts, np.inf)
    best = int(width.argmin())
    return np.array([starts[best], ends[best]])
