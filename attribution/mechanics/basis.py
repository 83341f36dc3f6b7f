r"""The basis of a future in three conventions, its financing, its clock.

With d days to expiry,

.. math::
    \text{simple } \Bigl(\frac FS - 1\Bigr)\frac{365}{d}, \qquad
    \text{log } \ln\frac FS\,\frac{365}{d}, \qquad
    \text{compound } \Bigl(\frac FS\Bigr)^{365/d} - 1

What enters: prices of spot and future **at one time**, or bases; what leaves: fractions a year
(0.09 is 9 %). A gap between the two clocks is divided by d/365 like the basis itself:
:func:`mismatch` and :func:`clock_error` say what it does.

References: schmeling2023 (crypto carry); the conventions are arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.errors import DataError
from attribution.mechanics.inputs import Array, arrays, one_of

CONVENTIONS = ("simple", "log", "compound")
YEAR = 365.0
LEAST_DAYS = 5.0
"""Nearer to expiry a basis is noise, annualised."""
MINUTES = 365.0 * 24 * 60


def annualised(spot: Array, future: Array, days: Array, convention: str) -> np.ndarray:
    """Return the annualised basis.

    Parameters
    ----------
    spot, future : USD, observed at the same time.
    days : to expiry, above zero.
    convention : "simple", "log" or "compound".
    """
    s, f, d = arrays("basis", ("spot", "future", "days"), spot=spot, future=future, days=days)
    return _of_log(np.log(f / s), d, convention)


def future_price(spot: Array, basis: Array, days: Array, convention: str) -> np.ndarray:
    """Return the price of the future that a basis means; undoes :func:`annualised`."""
    s, a, d = arrays("basis", ("spot", "days"), spot=spot, basis=basis, days=days)
    return np.asarray(s * np.exp(_log(a, d, convention)))


def converted(basis: Array, days: Array, convention: str, to: str) -> np.ndarray:
    """Return a basis in another convention."""
    a, d = arrays("basis", ("days",), basis=basis, days=days)
    return _of_log(_log(a, d, convention), d, to)


def excess_carry(
    basis: Array, days: Array, convention: str, rate: Array, *, day_count: float = 360.0
) -> np.ndarray:
    """Return the basis less the cost of financing it, both in one convention.

    Parameters
    ----------
    basis, days, convention : as in :func:`annualised`.
    rate : simple interest over the days, a fraction a year, such as compounded SOFR.
    day_count : days of the rate's year; 360 for USD money markets.
    """
    a, d, r = arrays("basis", ("days",), basis=basis, days=days, rate=rate)
    grown = 1.0 + r * d / day_count
    if (grown <= 0.0).any():
        raise DataError("basis: a financing rate loses everything before expiry; check its unit")
    return np.asarray(a - _of_log(np.log(grown), d, convention))


def constant_maturity(days: Array, basis: Array, target: Array) -> np.ndarray:
    """Interpolate the annualised log basis of the listed contracts, linearly in days to expiry.

    Parameters
    ----------
    days, basis : (..., contract), basis in the "log" convention; NaN where none is listed.
        Contracts with fewer than ``LEAST_DAYS`` days are left out.
    target : days, (...) or a number, such as 30, 60, 90 or 120.

    Returns
    -------
    Fraction a year, (...); NaN where no two contracts, nor one of exactly that maturity, enclose
    the target: nothing is extrapolated.
    """
    d, a = np.broadcast_arrays(np.asarray(days, dtype=float), np.asarray(basis, dtype=float))
    (t,) = arrays("constant maturity", ("target",), target=target)
    t = np.broadcast_to(t, d.shape[:-1])[..., None]
    listed = np.isfinite(d) & np.isfinite(a) & (np.nan_to_num(d) >= LEAST_DAYS)
    below = np.where(listed & (d <= t), d, -np.inf)
    above = np.where(listed & (d >= t), d, np.inf)
    i, j = below.argmax(axis=-1)[..., None], above.argmin(axis=-1)[..., None]
    left, right = np.take_along_axis(below, i, -1), np.take_along_axis(above, j, -1)
    enclosed = np.isfinite(left) & np.isfinite(right)
    width = np.where(enclosed & (right > left), right - left, 1.0)
    share = np.where(enclosed & (right > left), t - left, 0.0) / width
    first, second = np.take_along_axis(a, i, -1), np.take_along_axis(a, j, -1)
    mixed = (1.0 - share) * np.where(enclosed, first, 0.0) + share * np.where(enclosed, second, 0.0)
    return np.asarray(np.where(enclosed, mixed, np.nan)[..., 0])


def mismatch(gap: Array, days: Array) -> np.ndarray:
    """Return what a relative gap between the prices adds to the annualised basis.

    Parameters
    ----------
    gap : (future - spot)/spot that is no basis, a fraction, such as a move between two closes.
    days : to expiry.

    Returns
    -------
    Fraction a year: 0.34 % at 22 days is 5.6 points.
    """
    g, d = arrays("basis", ("days",), gap=gap, days=days)
    return np.asarray(g * YEAR / d)


def clock_error(vol: Array, minutes: Array, days: Array) -> np.ndarray:
    """Return the standard deviation of an annualised basis whose prices are minutes apart.

    Parameters
    ----------
    vol : annual volatility of the price around those minutes (0.5 is 50 %).
    minutes : between the two clocks, zero or more; 180 from a settlement at 16:00 New York to a
        close at 00:00 UTC in winter.
    days : to expiry.

    Returns
    -------
    Fraction a year.
    """
    v, m, d = arrays("clock error", ("days",), vol=vol, minutes=minutes, days=days)
    if (m < 0.0).any():
        raise DataError("clock error: minutes are below zero; give their number, either way round")
    return mismatch(v * np.sqrt(m / MINUTES), d)


def _log(basis: np.ndarray, days: np.ndarray, convention: str) -> np.ndarray:
    """ln(F/S) behind an annualised basis."""
    one_of("basis", "convention", convention, CONVENTIONS)
    if convention == "log":
        return np.asarray(basis * days / YEAR)
    growth = basis if convention == "compound" else basis * days / YEAR
    if (growth <= -1.0).any():
        raise DataError("basis: a basis means a future below zero; check whether it is a fraction")
    return np.asarray(np.log1p(growth) * (days / YEAR if convention == "compound" else 1.0))


def _of_log(log: np.ndarray, days: np.ndarray, convention: str) -> np.ndarray:
    """Annualised basis of ln(F/S)."""
    one_of("basis", "convention", convention, CONVENTIONS)
    if convention == "log":
        return np.asarray(log * YEAR / days)
    if convention == "simple":
        return np.asarray(np.expm1(log) * YEAR / days)
    return np.asarray(np.expm1(log * YEAR / days))


# A basis trade that is closed: two legs, two impacts, little left for the common price.


@dataclass(frozen=True)
class Unwind:
    r"""What closing a basis trade does; arrays that broadcast.

    Closing Q sells Q of the spot leg (ETF shares) and buys Q of futures. With own impacts
    :math:`\lambda_s, \lambda_f` and a share ρ of each leg's impact that arbitrage carries over,

    .. math::
        \frac{dS}{S} = -(\lambda_s - \rho\lambda_f) Q, \quad
        \frac{dF}{F} = (\lambda_f - \rho\lambda_s) Q, \quad
        \frac{d(F - S)}{S} = (\lambda_s + \lambda_f)(1 - \rho) Q, \quad
        dN = -\theta Q / \text{NAV}

    The trade has no delta: with ρ = 1 and equal impacts no price moves, only open interest and
    shares do. Q below zero builds the trade.

    Attributes
    ----------
    spot, future : return of each leg, first order.
    basis : change of (F - S)/S, not annualised.
    shares : change of ETF shares outstanding, million.
    spot_flow, future_flow : USD million, above zero bought; they cancel.

    References
    ----------
    kyle1985 (linear impact); the two legs are bookkeeping
    """

    spot: np.ndarray
    future: np.ndarray
    basis: np.ndarray
    shares: np.ndarray
    spot_flow: np.ndarray
    future_flow: np.ndarray


def spot_move(
    size: Array, spot_impact: Array, future_impact: Array, passed_on: Array
) -> np.ndarray:
    r"""Return what closing a basis trade does to spot, :math:`-(\lambda_s - \rho\lambda_f) Q`.

    With own impacts over that of spot, 1 and a ratio, it is the net flow that reaches spot.

    Parameters
    ----------
    size, spot_impact, future_impact, passed_on : as in :func:`unwind`.
    """
    return np.asarray(-(spot_impact - passed_on * future_impact) * size)


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
        spot=spot_move(q, ls, lf, rho),
        future=np.asarray((lf - rho * ls) * q),
        basis=np.asarray((ls + lf) * (1.0 - rho) * q),
        shares=np.asarray(-theta * q / value),
        spot_flow=-q,
        future_flow=q,
    )
