r"""The building block of European and single-barrier formulas: a price and its derivatives.

Every formula of Black and Scholes, Reiner and Rubinstein is a sum of terms

.. math:: V = e^{g}\,N(\varepsilon d), \qquad
          g = \alpha\ln S + \kappa T + \nu(\sigma)\,(\ln H - \ln S), \qquad
          d = \frac{\delta\ln S + \ell + c(\sigma)\,T}{\sigma\sqrt T}

with :math:`\alpha` 1 for a claim on the asset and 0 on cash, and :math:`\nu` the power of the
reflection at H (0 without one). Their derivatives follow from those of g and d, exactly. What
enters: a market and the constants of a term; what leaves: :class:`Greeks`. The arithmetic is the
same for arrays and for symbolic tensors; volatility and time must be positive.

References: reiner1991; haug2007; reflection: buchen2001.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from attribution.mechanics.inputs import Array, Functions


@dataclass(frozen=True)
class Greeks:
    """The value of one unit of a claim and its derivatives; every field has the same shape.

    Attributes
    ----------
    value : price in the currency of spot and strike.
    delta : dV/dS.
    gamma : d²V/dS², per unit of currency.
    vega : dV/dσ, per 1.00 of annual volatility (100 vol points).
    vanna : d²V/dS dσ, the change of delta per 1.00 of volatility.
    volga : d²V/dσ².
    theta : dV/dt, the passing of calendar time, per year.
    """

    value: Array
    delta: Array
    gamma: Array
    vega: Array
    vanna: Array
    volga: Array
    theta: Array

    def __add__(self, other: Greeks) -> Greeks:
        return self._with(other, lambda a, b: a + b)

    def __sub__(self, other: Greeks) -> Greeks:
        return self._with(other, lambda a, b: a - b)

    def times(self, weight: Array) -> Greeks:
        """Scale by a weight that depends neither on spot nor on volatility nor on time."""
        return Greeks(*(weight * part for part in self.parts()))

    def where(self, f: Functions, condition: Array, other: Greeks) -> Greeks:
        """Keep these where the condition holds, take the other's elsewhere."""
        return self._with(other, lambda a, b: f.where(condition, a, b))

    def shaped(self, *inputs: np.ndarray) -> Greeks:
        """Give every field the one shape of all inputs; constant fields are views."""
        shape = np.broadcast_shapes(*(array.shape for array in inputs))
        return Greeks(*(np.broadcast_to(part, shape) for part in self.parts()))

    def parts(self) -> tuple[Array, ...]:
        """Return value, delta, gamma, vega, vanna, volga, theta."""
        return (
            self.value,
            self.delta,
            self.gamma,
            self.vega,
            self.vanna,
            self.volga,
            self.theta,
        )

    @classmethod
    def of_cash(cls, value: Array) -> Greeks:
        """Cash in hand: a value that nothing moves."""
        none = 0.0 * value
        return cls(value, none, none, none, none, none, none)

    def _with(self, other: Greeks, rule: Callable[[Array, Array], Array]) -> Greeks:
        return Greeks(*map(rule, self.parts(), other.parts()))


Slopes = tuple[Array, Array, Array]
"""A function of volatility at one volatility: value, first and second derivative."""


@dataclass(frozen=True)
class Market:
    """State of the underlying; all fields broadcast against each other.

    Attributes
    ----------
    spot : currency per unit.
    time : years to expiry.
    vol : annual volatility, 0.5 for 50 %.
    rate : continuously compounded rate a year, r.
    carry : cost of carry a year, b = r − q for a yield q.
    """

    spot: Array
    time: Array
    vol: Array
    rate: Array
    carry: Array

    @property
    def drift(self) -> Slopes:
        """Drift of the log price, b − σ²/2, and its slopes in σ."""
        return self.carry - 0.5 * self.vol * self.vol, -self.vol, -1.0

    @property
    def asset_drift(self) -> Slopes:
        """The same when the asset is the unit of account, b + σ²/2."""
        return self.carry + 0.5 * self.vol * self.vol, self.vol, 1.0


def term(
    f: Functions,
    market: Market,
    *,
    sign: int,
    asset: int,
    direction: int,
    level: Array,
    drift: Slopes,
    growth: Array,
    reflection: tuple[Array, Slopes] | None = None,
) -> Greeks:
    r"""Evaluate one term and its derivatives.

    Parameters
    ----------
    f : functions of the array library.
    market : spot, time, vol, rate, carry.
    sign : :math:`\varepsilon`, 1 or -1.
    asset : :math:`\alpha`, 1 or 0.
    direction : :math:`\delta`, 1, or -1 for what is reflected.
    level : :math:`\ell`, a logarithm of currency.
    drift : c, with slopes in volatility, per year.
    growth : :math:`\kappa` per year.
    reflection : (ln H, :math:`\nu` with its slopes), or nothing.
    """
    s, vol, time = market.spot, market.vol, market.time
    x, root = f.log(s), f.sqrt(time)
    spread = vol * root
    c, c1, c2 = drift
    d = (direction * x + level + c * time) / spread
    d_x = direction / spread
    d_v = (c1 * root - d) / vol
    d_vv = (c2 * root - 2.0 * d_v) / vol
    d_t = c / spread - d / (2.0 * time)
    g = asset * x + growth * time
    a: Array = asset
    a_v: Array = 0.0
    g_v: Array = 0.0
    g_vv: Array = 0.0
    if reflection is not None:
        barrier, (power, power1, power2) = reflection
        depth = barrier - x
        g = g + power * depth
        a, a_v, g_v, g_vv = asset - power, -power1, power1 * depth, power2 * depth
    total, bump = _weights(f, g, d, sign)
    v_x = a * total + bump * d_x
    curve = bump * d_x * d_x * d
    v_xx = a * (v_x + bump * d_x) - curve
    v_xv = (a_v + a * g_v) * total + bump * (a * d_v + g_v * d_x - d_x / vol - d * d_x * d_v)
    v_vv = (g_vv + g_v * g_v) * total + bump * (2.0 * g_v * d_v + d_vv - d * d_v * d_v)
    return Greeks(
        value=total,
        delta=v_x / s,
        gamma=(v_xx - v_x) / (s * s),
        vega=g_v * total + bump * d_v,
        vanna=v_xv / s,
        volga=v_vv,
        theta=-(growth * total + bump * d_t),
    )


def _weights(f: Functions, g: Array, d: Array, sign: int) -> tuple[Array, Array]:
    r"""Return :math:`e^g N(\varepsilon d)` and :math:`\varepsilon e^g n(d)` without overflow.

    At low volatility :math:`e^g` overflows where N underflows. The tail
    :math:`e^g N(-|d|) = e^{g-d^2/2}\,\mathrm{erfcx}(|d|/\sqrt2)/2` joins both exponents first.
    """
    density = f.exp(g - 0.5 * d * d)
    toward = sign * d
    inside = toward > 0.0
    # Not abs(d): a symbolic gradient of it would vanish at zero.
    tail = 0.5 * f.erfcx(math.sqrt(0.5) * f.where(inside, toward, -toward)) * density
    total = f.where(inside, f.exp(f.where(inside, g, 0.0)) - tail, tail)
    return total, density * (sign / math.sqrt(2.0 * math.pi))


def asset_term(f: Functions, market: Market, sign: int, trigger: Array) -> Greeks:
    """One unit of the asset at expiry if ε(S − trigger) > 0 then (haug2007)."""
    return term(
        f, market, sign=sign, asset=1, direction=1, level=-f.log(trigger),
        drift=market.asset_drift, growth=market.carry - market.rate,
    )  # fmt: skip


def cash_term(f: Functions, market: Market, sign: int, trigger: Array) -> Greeks:
    """One unit of cash at expiry if ε(S − trigger) > 0 then (haug2007)."""
    return term(
        f, market, sign=sign, asset=0, direction=1, level=-f.log(trigger),
        drift=market.drift, growth=-market.rate,
    )  # fmt: skip


def reflected_asset_term(
    f: Functions, market: Market, sign: int, trigger: Array, barrier: Array
) -> Greeks:
    """Reflect :func:`asset_term` at the barrier: (H/S)^2μ times its value at spot H²/S."""
    h = f.log(barrier)
    power, power1, power2 = _image_power(market)
    return term(
        f, market, sign=sign, asset=1, direction=-1, level=2.0 * h - f.log(trigger),
        drift=market.asset_drift, growth=market.carry - market.rate,
        reflection=(h, (power + 2.0, power1, power2)),
    )  # fmt: skip


def reflected_cash_term(
    f: Functions, market: Market, sign: int, trigger: Array, barrier: Array
) -> Greeks:
    """Reflect :func:`cash_term` at the barrier."""
    h = f.log(barrier)
    return term(
        f, market, sign=sign, asset=0, direction=-1, level=2.0 * h - f.log(trigger),
        drift=market.drift, growth=-market.rate, reflection=(h, _image_power(market)),
    )  # fmt: skip


def _image_power(market: Market) -> Slopes:
    """Return 2μ = 2b/σ² − 1 and its slopes in volatility."""
    ratio = 2.0 * market.carry / (market.vol * market.vol)
    return ratio - 1.0, -2.0 * ratio / market.vol, 6.0 * ratio / (market.vol * market.vol)
