r"""How far the price moves for a flow: four laws, one form, and its inverse.

Every law is a power of the flow Q, in USD million, that trades against it:

.. math:: \Delta \ln P = c\,\mathrm{sign}(Q)\,|Q|^{p}

=============  ================================================================  =====
law            c                                                                 p
=============  ================================================================  =====
square_root    :math:`Y \sigma V^{-p}`                                           0.5
linear         :math:`\lambda`                                                   1
inelastic      :math:`M / \text{capitalisation}`                                 1
invariance     :math:`10^{-4}\lambda (V/40)^{1/3} (\sigma/0.02)^{4/3}/(0.01 V)`  1
=============  ================================================================  =====

with daily volatility σ and daily volume V. None knows which market's volume is meant: the ETF's
and that of all venues differ by a factor, so that is the caller's scenario. Small flows move prices
in proportion under every law; a crossover F₀ says up to where:

.. math:: \Delta \ln P = c\,Q\,(Q^2 + F_0^2)^{(p-1)/2}

which is linear well below F₀ and the power well above, the simplest smooth form that has both
regimes. What enters: numbers or draws that
broadcast; what leaves: log points; :func:`simple` turns them into a return.

References: kyle1985 (linear); toth2011, donier2015 (square root); gabaix2021 (inelastic);
kyle2016, kyle2023 (invariance); bucci2019 (crossover).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.special import expit

from attribution.errors import DataError, nearest
from attribution.mechanics.inputs import Array, arrays

LAWS = ("square_root", "linear", "inelastic", "invariance")
"""The laws by their index in a model that averages over them."""
REFERENCE_VOLUME, REFERENCE_VOL, REFERENCE_SHARE = 40.0, 0.02, 0.01
"""Kyle and Obizhaeva's stock: USD million a day, daily volatility, share of a day's volume."""
STEPS = 30
"""Newton steps to undo a crossover; a handful are enough from anywhere."""


@dataclass(frozen=True)
class Response:
    """What the price does when somebody trades.

    Attributes
    ----------
    coefficient : log points for a flow of USD 1 million, zero or more.
    exponent : above zero; 1 where moves add up, 0.5 for the square root.
    crossover : USD million, zero or more; flows well below move the price in proportion.
    """

    coefficient: np.ndarray
    exponent: np.ndarray
    crossover: np.ndarray = field(default_factory=lambda: np.zeros(()))

    def __post_init__(self) -> None:
        (width,) = arrays("impact", crossover=self.crossover)
        if (width < 0.0).any():
            raise DataError("impact: a crossover is below zero; give USD million, or zero for none")

    def move(self, flow: Array) -> np.ndarray:
        """Return log points for a flow in USD million; above zero is bought."""
        (q,) = arrays("impact", flow=flow)
        sharp = self.coefficient * np.sign(q) * np.abs(q) ** self.exponent
        width = np.asarray(self.crossover, dtype=float)
        if not width.any():
            return np.asarray(sharp)
        size = np.hypot(q, np.where(width > 0.0, width, 1.0))
        smooth = self.coefficient * q * size ** (self.exponent - 1.0)
        return np.asarray(np.where(width > 0.0, smooth, sharp))

    def slope(self, flow: Array) -> np.ndarray:
        r"""Return log points for one more USD million at a flow.

        .. math:: I'(Q) = c\,(Q^2 + F_0^2)^{(p-3)/2}(p\,Q^2 + F_0^2)

        Infinite at no flow for an exponent below one without a crossover.
        """
        (q,) = arrays("impact", flow=flow)
        size = np.hypot(q, self.crossover)
        power = np.asarray(self.exponent, dtype=float) - 1.0
        share = np.where(size > 0.0, q / np.where(size > 0.0, size, 1.0), 1.0) ** 2
        with np.errstate(divide="ignore"):
            steep = np.where(power == 0.0, 1.0, size**power)
        found = np.where(np.asarray(self.coefficient) > 0.0, steep, 0.0)
        return np.asarray(self.coefficient * found * (1.0 + power * share))

    def flow(self, move: Array) -> np.ndarray:
        """Return the USD million that must trade for a move in log points."""
        (r,) = arrays("impact", move=move)
        if (np.asarray(self.coefficient) <= 0.0).any():
            raise DataError(
                "impact: no flow makes a move where the coefficient is zero; give one above zero"
            )
        sharp = (np.abs(r) / self.coefficient) ** (1.0 / self.exponent)
        width = np.asarray(self.crossover, dtype=float)
        if width.any():
            sharp = np.where(width > 0.0, _rounded(sharp, self.exponent, width), sharp)
        return np.asarray(np.sign(r) * sharp)


def square_root(scale: Array, vol: Array, volume: Array, exponent: Array = 0.5) -> Response:
    """Square-root law of a metaorder, Y σ (Q/V)^p.

    Parameters
    ----------
    scale : Y, about one.
    vol : daily volatility (0.02 is 2 %).
    volume : USD million a day.
    exponent : about 0.5. Measured on orders up to a tenth of the day's volume.
    """
    y, sigma, v, p = arrays(
        "square-root impact", ("scale", "vol", "volume", "exponent"),
        scale=scale, vol=vol, volume=volume, exponent=exponent,
    )  # fmt: skip
    return Response(np.asarray(y * sigma * v**-p), p)


def linear(slope: Array) -> Response:
    """Kyle's lambda: log points per USD million of signed flow."""
    (each,) = arrays("linear impact", ("slope",), slope=slope)
    return Response(each, np.ones(()))


def inelastic(multiplier: Array, capitalisation: Array) -> Response:
    """Gabaix and Koijen's inelastic market: M times the flow as a share of what is held.

    Parameters
    ----------
    multiplier : M; about 5 for US equities.
    capitalisation : USD million.
    """
    m, cap = arrays(
        "inelastic impact", ("multiplier", "capitalisation"),
        multiplier=multiplier, capitalisation=capitalisation,
    )  # fmt: skip
    return Response(np.asarray(m / cap), np.ones(()))


def invariance(cost: Array, vol: Array, volume: Array) -> Response:
    """Kyle and Obizhaeva's invariance: what a bet costs where business time runs at its own speed.

    Parameters
    ----------
    cost : λ, basis points for one percent of the volume of the reference stock; 5.00 (s.e. 0.38).
    vol : daily volatility.
    volume : USD million a day.
    """
    bps, sigma, v = arrays(
        "invariance impact", ("cost", "vol", "volume"), cost=cost, vol=vol, volume=volume
    )
    speed = (v / REFERENCE_VOLUME) ** (1.0 / 3.0) * (sigma / REFERENCE_VOL) ** (4.0 / 3.0)
    return Response(np.asarray(1e-4 * bps * speed / (REFERENCE_SHARE * v)), np.ones(()))


def chosen(index: Array, responses: Mapping[str, Response]) -> Response:
    """Take the law with the given index in ``LAWS`` at every draw.

    Parameters
    ----------
    index : whole numbers, (draw,).
    responses : by law; laws that no draw uses may be missing.

    Raises
    ------
    DataError
        An unknown law, an index outside ``LAWS``, or one whose law is not given.
    """
    for name in responses:
        if name not in LAWS:
            raise DataError(
                f"impact: law '{name}' is unknown; use a known one{nearest(name, LAWS)}"
            )
    at = np.asarray(index)
    if at.dtype.kind not in "iu" or (at < 0).any() or (at >= len(LAWS)).any():
        raise DataError(
            f"impact: the index of a law is no whole number below {len(LAWS)}; give one"
        )
    coefficient, exponent = np.full(at.shape, np.nan), np.full(at.shape, np.nan)
    crossover = np.zeros(at.shape)
    for number, name in enumerate(LAWS):
        used = at == number
        if not used.any():
            continue
        if name not in responses:
            raise DataError(f"impact: draws use the law '{name}', which is not given; give it")
        law = responses[name]
        coefficient = np.where(used, law.coefficient, coefficient)
        exponent = np.where(used, law.exponent, exponent)
        crossover = np.where(used, law.crossover, crossover)
    return Response(coefficient, exponent, crossover)


def simple(move: Array) -> np.ndarray:
    """Turn log points into a simple return, which never falls below -1."""
    return np.asarray(np.expm1(move))


def _rounded(sharp: np.ndarray, exponent: Array, width: np.ndarray) -> np.ndarray:
    """Turn the flow that the bare power needs into the one that the law with a crossover needs.

    In x = ln(Q/F₀) the equation is x + (p-1)/2 ln(1 + e^2x) = p ln(sharp/F₀). Its left side bends
    one way only, so Newton steps from the smaller asymptote arrive from one side.
    """
    p, safe = np.asarray(exponent, dtype=float), np.where(width > 0.0, width, 1.0)
    target = p * np.log(np.where(sharp > 0.0, sharp, 1.0) / safe)
    x = np.where(p < 1.0, np.maximum(target, target / p), np.minimum(target, target / p))
    for _ in range(STEPS):
        miss = x + 0.5 * (p - 1.0) * np.logaddexp(0.0, 2.0 * x) - target
        x = x - miss / (1.0 + (p - 1.0) * expit(2.0 * x))
    return np.where(sharp > 0.0, safe * np.exp(x), 0.0)
