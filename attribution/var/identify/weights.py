"""Accepted draws in; the factors of their importance weights out, each with its reason."""

from __future__ import annotations

import numpy as np
import pandas as pd

from attribution.core.rotations.haar import log_volume
from attribution.core.rotations.holds import tries_until
from attribution.errors import IdentificationError, SpecError
from attribution.var.identify.claims import Claims

HITS = 100
"""Times that the dated claims must have held before the simulation of their probability ends."""
MOST_TRIES = 1_000_000


def zero_log_weight(
    claims: Claims, impact: np.ndarray, lag_coefficients: np.ndarray, log_density: np.ndarray
) -> np.ndarray:
    r"""Log of the ratio of volume elements that exact zeros call for.

    It makes draws follow the prior on structural parameters :math:`(A_0, A_+)`, conditional on
    the zeros, rather than the order in which columns were drawn.

    Parameters
    ----------
    impact : (draw, variable, shock).
    lag_coefficients : (draw, lag, variable, regressor).
    log_density : (draw,); of the rotation under the law that drew it.

    References
    ----------
    arias2018, Proposition 4
    """
    if not claims.zeros:
        return np.zeros(len(impact))
    slopes = lag_coefficients if claims.early else lag_coefficients[:, :0]
    zeros = np.array([(z.variable, z.channel, z.horizon) for z in claims.zeros], dtype=np.int64)
    volume = log_volume(np.ascontiguousarray(impact), np.ascontiguousarray(slopes), zeros)
    weight: np.ndarray = volume - log_density
    return weight


def narrative_weight(
    claims: Claims, named: np.ndarray, scale: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    r"""One over the probability that all dated claims hold, given (B, Σ, Q).

    Shocks are normal, each claim at its own dates, all claims together.  Signs of single shocks
    hold with probability one half each, exactly; the rest is simulated, claims that share no date
    apart, since probabilities of independent claims multiply, and so do unbiased estimates of one
    over each.

    Parameters
    ----------
    named : (draw, functional, n); functionals of the named columns.
    scale : (draw, date), s_t.

    Raises
    ------
    IdentificationError
        If some draw's probability is too small to be simulated.

    References
    ----------
    antolindiaz2018
    """
    groups, signs = claims.simulated()
    weight = np.full(len(named), 2.0**signs)
    for rows, at in groups:
        tries = tries_until(
            np.ascontiguousarray(named), rows, claims.shocks()[at],
            np.ascontiguousarray(scale[:, at]), hits=HITS, most=MOST_TRIES, rng=rng,
        )  # fmt: skip
        if not tries.all():
            raise _too_unlikely(tries)
        weight = weight * (tries / HITS)
    return weight


def _too_unlikely(tries: np.ndarray) -> IdentificationError:
    return IdentificationError(
        f"the narratives are so unlikely before the data that they held fewer than {HITS} times"
        f" in {MOST_TRIES} simulations, for {int((tries == 0).sum())} of {len(tries)} draws;"
        ' drop one, or read them with reading = "unconditional", which needs no such weight'
    )


def scale_of(
    claims: Claims, time: pd.DatetimeIndex, scale: np.ndarray | None, draws: int
) -> np.ndarray:
    """Scale of the shocks on the dates of the claims (draw, date), from (draw, time).

    Raises
    ------
    SpecError
        If claims span dates whose scale was not estimated.
    """
    out = np.ones((draws, len(claims.dates)))
    if scale is None:
        return out
    at = time.get_indexer(claims.dates)
    out[:, at >= 0] = scale[:, at[at >= 0]]
    if (at < 0).any() and claims.joint:
        day = claims.dates[at < 0][0]
        raise SpecError(
            "a narrative over several dates, or between bounds, needs the error scale of"
            f" {day:%Y-%m-%d}, which lies outside the estimation sample; rank a single date, or"
            " estimate with the event in"
        )
    return out
