r"""A basis trade that is closed: two legs, two impacts, little left for the common price.

Closing Q sells Q of the spot leg (ETF shares) and buys Q of futures. With own impacts
:math:`\lambda_s, \lambda_f` and a share ρ of each leg's impact that arbitrage carries over,

.. math::
    \frac{dS}{S} = -(\lambda_s - \rho\lambda_f) Q, \quad
    \frac{dF}{F} = (\lambda_f - \rho\lambda_s) Q, \quad
    \frac{d(F - S)}{S} = (\lambda_s + \lambda_f)(1 - \rho) Q, \quad
    dN = -\theta Q / \text{NAV}

The trade has no delta: with ρ = 1 and equal impacts no price moves, only open interest and shares
do. What enters: draws; what leaves: returns and counts. Q below zero builds the trade.

References: kyle1985 (linear impact); the two legs are bookkeeping.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.errors import DataError
from attribution.mechanics.functions import Array
from attribution.mechanics.inputs import arrays


@dataclass(frozen=True)
class Unwind:
    """What closing a basis trade does; arrays that broadcast.

    Attributes
    ----------
    spot, future : return of each leg, first order.
    basis : change of (F - S)/S, not annualised.
    shares : change of ETF shares outstanding, million.
    spot_flow, future_flow : USD million, above zero bought; they cancel.
    """

    spot: np.ndarray
    future: np.ndarray
    basis: np.ndarray
    shares: np.ndarray
    spot_flow: np.ndarray
    future_flow: np.ndarray


def unwind(
    size: Array,
    spot_impact: Array,
    future_impact: Array,
    passed_on: Array,
    redeemed: Array,
    nav: Array,
) -> Unwind:
    """Close a basis trade.

    Parameters
    ----------
    size : Q, USD million; below zero builds it.
    spot_impact, future_impact : return per USD million traded, zero or more.
    passed_on : ρ, the share of a leg's impact that reaches the other, 0 to 1.
    redeemed : θ, the share of the ETF leg redeemed (or created) on the same day, 0 to 1.
    nav : USD a share.
    """
    q, ls, lf, rho, theta, value = arrays(
        "basis unwind", ("nav",), size=size, spot_impact=spot_impact, future_impact=future_impact,
        passed_on=passed_on, redeemed=redeemed, nav=nav,
    )  # fmt: skip
    if (ls < 0.0).any() or (lf < 0.0).any():
        raise DataError("basis unwind: an impact is below zero; give zero or more")
    for name, share in (("passed_on", rho), ("redeemed", theta)):
        if (share < 0.0).any() or (share > 1.0).any():
            raise DataError(f"basis unwind: {name} is no share; give numbers from 0 to 1")
    return Unwind(
        spot=np.asarray(-(ls - rho * lf) * q),
        future=np.asarray((lf - rho * ls) * q),
        basis=np.asarray((ls + lf) * (1.0 - rho) * q),
        shares=np.asarray(-theta * q / value),
        spot_flow=-q,
        future_flow=q,
    )
