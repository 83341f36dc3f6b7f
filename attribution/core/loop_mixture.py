r"""Moves with and without the mark of forced orders in; the density of which one is true out.

.. math:: \ln L = \ln\bigl\{a\,e^{V(0)} + (1 - a)\,e^{V(m)}\bigr\}

with V(m) the log density of all moves where forced orders meet the market m times over.  Whether
they are absorbed is a property of the market and not of a day, so that whole sums are mixed and not
days.  The indicator is integrated out exactly; given parameters its own probability is that of the
first term.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.core.loop_days import SCALARS, Days
from attribution.core.loop_price import Slopes, loop_price

MULTIPLE = SCALARS.index("liquidation_multiple")


@dataclass(frozen=True)
class Mixed:
    """The density with its slopes, and the probability given parameters that no mark was left."""

    slopes: Slopes
    chance: float


def loop_mixture(
    scalars: np.ndarray,
    beta: np.ndarray,
    unwound: np.ndarray,
    zeta: np.ndarray,
    days: Days,
    absorbed: float,
) -> Mixed:
    """Mix the density of moves over whether forced orders leave a mark on the price.

    Where only one of the two has a density, that one is what is left; where neither has, the value
    is minus infinity, slopes are zero, and the probability is not a number.

    Parameters
    ----------
    scalars, beta, unwound, zeta : as :func:`~attribution.core.loop_price.loop_price` takes them.
    absorbed : prior probability that they leave none, a; zero asks for one density only.
    """
    marked = loop_price(scalars, beta, unwound, zeta, days)
    if absorbed == 0.0:
        return Mixed(marked, 0.0)
    none = scalars.copy()
    none[MULTIPLE] = 0.0
    clean = loop_price(none, beta, unwound, zeta, days)
    clean.scalars[MULTIPLE] = 0.0  # it stands at zero, whatever the multiple is
    first, second = np.log(absorbed) + clean.value, np.log1p(-absorbed) + marked.value
    value = float(np.logaddexp(first, second))
    if value == -np.inf:
        return Mixed(marked, np.nan)
    own = float(np.exp(first - value))
    return Mixed(Slopes(value, *_weighed(own, clean, marked)), own)


def _weighed(own: float, clean: Slopes, marked: Slopes) -> list[np.ndarray]:
    """Slopes of both accounts by their probabilities; one without any has no say, even infinite."""
    both = (
        (clean.scalars, marked.scalars),
        (clean.beta, marked.beta),
        (clean.unwound, marked.unwound),
        (clean.zeta, marked.zeta),
    )
    if own in (0.0, 1.0):
        return [one if own else other for one, other in both]
    return [own * one + (1.0 - own) * other for one, other in both]
