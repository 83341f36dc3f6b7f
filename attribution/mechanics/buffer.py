r"""The option part of buffered and capped notes as spreads of vanilla options.

A note of face F on an underlying with initial value S₀ pays at maturity

.. math:: \frac{F}{S_0}\left[S_0 + p\,\{(S-S_0)^+ - (S-C)^+\} - \ell\,(L-S)^+\right]

with participation p, cap C, buffer level L below which the holder loses, and leverage ℓ. Nothing
jumps at L. What enters: per note or broadcast numbers; what leaves: Greeks per unit F/S₀ of what
the holder is short (``loss``) or long (``gain``).

References: haug2007 (vanilla options).
"""

from __future__ import annotations

import numpy as np

from attribution.mechanics.functions import Array
from attribution.mechanics.greeks import Greeks
from attribution.mechanics.inputs import arrays
from attribution.mechanics.vanilla import vanilla


def loss(
    spot: Array, level: Array, leverage: Array, time: Array, vol: Array, rate: Array, carry: Array
) -> Greeks:
    """Leveraged put at the buffer level, which the holder of the note has sold.

    Parameters
    ----------
    spot, time, vol, rate, carry : as in :func:`~attribution.mechanics.vanilla.vanilla`.
    level : price below which the holder loses, currency per unit.
    leverage : loss per unit of fall below it; 1, or S₀/L where all can be lost.
    """
    (gearing,) = arrays("buffer", leverage=leverage)
    return vanilla("put", spot, level, time, vol, rate, carry).times(gearing)


def gain(
    spot: Array, initial: Array, cap: Array, participation: Array, time: Array, vol: Array,
    rate: Array, carry: Array,
) -> Greeks:  # fmt: skip
    """Capped participation in a rise, which the holder of the note owns: a call spread.

    Parameters
    ----------
    spot, time, vol, rate, carry : as in :func:`~attribution.mechanics.vanilla.vanilla`.
    initial : initial value S₀, from which rises count.
    cap : price above which nothing more is paid; infinity for none.
    participation : share of the rise that is paid.
    """
    (share,) = arrays("capped gain", participation=participation)
    whole = vanilla("call", spot, initial, time, vol, rate, carry)
    level = np.asarray(cap, dtype=float)
    capped = level != np.inf
    if capped.any():
        given_up = vanilla(
            "call", spot, np.where(capped, level, 1.0), time, vol, rate, carry
        ).times(np.where(capped, 1.0, 0.0))
        whole = whole - given_up
    return whole.times(share)
