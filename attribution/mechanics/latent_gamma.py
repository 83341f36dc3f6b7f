r"""Net gamma of dealers where their positions are not observed: a prior, and what it implies.

.. math:: s = a + (b - a)\,X, \quad X \sim \text{Beta}(p, q); \qquad G = s_c G_c + s_p G_p

What enters: gamma of all open calls and puts and priors of the dealer's share in them, or a loop
gain; what leaves: draws of net gamma, USD million per unit of return.

References: gelman2013 (weakly informative priors); frey1997 (loop gain).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from attribution.errors import DataError
from attribution.mechanics.functions import Array
from attribution.mechanics.inputs import arrays


@dataclass(frozen=True)
class PositionPrior:
    """Prior of a dealer's position in open options, from -1 (short all) to 1 (long all).

    Attributes
    ----------
    none, all : position where X is zero and one; ``all`` below ``none`` is a prior of being short.
    p, q : parameters of the beta distribution of X.
    """

    none: float
    all: float
    p: float
    q: float

    def __post_init__(self) -> None:
        if self.none == self.all or max(abs(self.none), abs(self.all)) > 1.0:
            raise DataError(
                f"dealer position: its prior lies between {self.none} and {self.all}; give two "
                "different numbers from -1 to 1"
            )
        if not (self.p > 0.0 and self.q > 0.0):
            raise DataError(
                f"dealer position: Beta({self.p}, {self.q}) is no distribution; give two numbers "
                "above zero"
            )

    def draw(self, draws: int, rng: np.random.Generator) -> np.ndarray:
        """Draw positions, (draw,)."""
        return np.asarray(self.none + (self.all - self.none) * rng.beta(self.p, self.q, size=draws))

    def log_density(self, position: Array) -> np.ndarray:
        """Log density of positions; minus infinity outside the range."""
        x = (np.asarray(position, dtype=float) - self.none) / (self.all - self.none)
        width = abs(self.all - self.none)
        return np.asarray(stats.beta.logpdf(x, self.p, self.q) - np.log(width))


PUTS_BOUGHT = PositionPrior(none=0.0, all=-1.0, p=4.0, q=2.0)
"""Clients buy puts: dealers are short two thirds of them on average, 95 % of 28 to 95 %."""
UNKNOWN = PositionPrior(none=-1.0, all=1.0, p=2.0, q=2.0)
"""Nothing known: symmetric, so that hedging is as likely to dampen as to amplify."""


def net_gamma(calls: Array, puts: Array, call_position: Array, put_position: Array) -> np.ndarray:
    """Combine the gamma of all open calls and puts with the dealer's positions.

    Parameters
    ----------
    calls, puts : gamma of the open interest at position 1, USD million per unit of return.
    call_position, put_position : -1 to 1, (draw,).

    Returns
    -------
    USD million per unit of return, (draw,); below zero amplifies.
    """
    c, p, sc, sp = arrays(
        "net gamma", calls=calls, puts=puts, call_position=call_position, put_position=put_position
    )
    if (np.abs(sc) > 1.0).any() or (np.abs(sp) > 1.0).any():
        raise DataError("net gamma: a position lies beyond the open interest; give -1 to 1")
    return np.asarray(sc * c + sp * p)


def gamma_of_gain(gain: Array, slope: Array) -> np.ndarray:
    """Return the net gamma behind a loop gain, -gain/slope.

    Parameters
    ----------
    gain : share of a move that hedging adds to itself; above zero amplifies.
    slope : log points per USD million bought, above zero.

    Returns
    -------
    USD million per unit of return.
    """
    g, each = arrays("loop gain", ("slope",), gain=gain, slope=slope)
    return np.asarray(-g / each)
