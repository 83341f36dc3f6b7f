"""Parts of a move in; which of them leads, and what a move in log points is in per cent, out."""

from __future__ import annotations

import numpy as np

NOBODY = -1
"""Stands for a draw in which no part moves in the direction of the move."""
STILL = 1e-12
"""Share of the largest size of a draw's parts that is rounding."""


def leading(parts: np.ndarray, way: float | np.ndarray) -> np.ndarray:
    """Place of the part that moves most in the direction of a move, draw by draw (...,).

    A part that does nothing, or moves against it, is not the largest, whatever the others do; a
    move of nothing has no direction, and no part is.

    Parameters
    ----------
    parts : (..., part).
    way : the move, or its sign; one number, or one a draw (...,).

    Returns
    -------
    int; ``NOBODY`` where there is none.
    """
    pushed = np.sign(np.asarray(way))[..., None] * parts
    first = pushed.argmax(-1)
    most = np.take_along_axis(pushed, first[..., None], -1)[..., 0]
    moves = most > STILL * np.abs(parts).max(-1)
    return np.where(moves, first, NOBODY)


def chances(first: np.ndarray, parts: int, weight: np.ndarray | None = None) -> np.ndarray:
    """Probability that each part leads (part,); what lacks to one is that none does.

    Parameters
    ----------
    first : (...,); places, as ``leading`` returns them.
    weight : of the draws, in the shape of ``first``; alike if None.
    """
    share = np.ones(first.shape) if weight is None else np.asarray(weight, float)
    found = np.bincount(first.ravel() + 1, share.ravel(), minlength=parts + 1)
    chance: np.ndarray = found[1:] / found.sum()
    return chance


def likeliest(chance: np.ndarray) -> tuple[int, float]:
    """Place that leads most often and how often; ``NOBODY`` where it is likelier that none does.

    Parameters
    ----------
    chance : (part,); missing where a part is not asked about.
    """
    known = np.nan_to_num(np.asarray(chance, float))
    nobody, place = 1.0 - float(known.sum()), int(known.argmax())
    if nobody > known[place]:
        return NOBODY, nobody
    return place, float(known[place])


MOST = 1000.0
"""Log points beyond which nothing is said in per cent: a factor of 22,000."""


def simple_return(log_points: float) -> float:
    """Return the simple return, per cent, of a move in log points; NaN beyond ``MOST``."""
    return float(100.0 * np.expm1(log_points / 100.0)) if abs(log_points) <= MOST else np.nan


def log_mean_weight(observed: float) -> float:
    r"""Per cent per log point of a move R, :math:`(e^R - 1) / R`, so that per cents add up.

    Parameters
    ----------
    observed : the move, log points; beyond ``MOST`` there is no weight.
    """
    if not abs(observed) <= MOST:
        return np.nan
    return float(np.expm1(observed / 100) / (observed / 100)) if observed else 1.0
