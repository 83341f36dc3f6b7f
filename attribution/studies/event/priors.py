"""Priors of the mechanisms of a day, as the sections of a model file state them.

How a law is written: :mod:`attribution.model.uncertain`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

LAWS = ("square_root", "linear", "inelastic", "invariance")
"""Laws of impact, by their index in a fit."""

GAMMA_DAYS = ("named", "all")
"""Days on which listed options are hedged apart; on others their hedges are part of the noise."""


@dataclass(frozen=True)
class LogNormal:
    """Positive, with its median and the standard deviation of its logarithm."""

    median: float
    sd: float


@dataclass(frozen=True)
class Normal:
    """With its mean and standard deviation."""

    mean: float
    sd: float


@dataclass(frozen=True)
class Beta:
    """Between zero and one."""

    p: float
    q: float


@dataclass(frozen=True)
class Law:
    """One law of impact: its prior weight (they sum to one) and the prior of its scale."""

    name: str
    weight: float
    scale: LogNormal


@dataclass(frozen=True)
class ImpactLaws:
    """How far flows move the price.

    Attributes
    ----------
    laws : in the order of :data:`LAWS`.
    exponent : of the square-root law; that of the others is one.
    crossover : USD million below which the square-root law is linear.
    volume : column of the volume traded, in coins.
    volume_multiple : all venues' volume over that column's.
    window : days before over which volume is averaged.
    supply : coins in circulation, million.
    """

    laws: tuple[Law, ...]
    exponent: Normal
    crossover: float
    volume: str
    volume_multiple: float
    window: int
    supply: float


@dataclass(frozen=True)
class Reported:
    """Liquidations of a day that the series lack, USD million, and who published them."""

    day: date
    longs: float
    shorts: float
    source: str


@dataclass(frozen=True)
class LiquidationPrior:
    """What a move closes by force; both sides have the same priors and their own parameters.

    Attributes
    ----------
    longs, shorts, open_interest, funding : columns; the last known before the day.
    carry : days over which open interest in coins is carried forward where the series has ended.
    reference : log points/100 of the move in whose unit the response is written.
    level : log share of open interest closed at the reference move.
    base : closed without a move, as a multiple of what the reference move closes.
    power : of the move.
    spread : sd of the log total about its mean.
    funding_effect : sd of the effect of one standard deviation of funding on log totals.
    multiple : what meets the market over what is published.
    absorbed : probability that forced orders leave no mark on the price at any day's close, as
        whoever waits to buy absorbs them; zero: they surely leave one.
    edge : error of the two bounds of what was closed, as a share of the upper one.
    """

    longs: str
    shorts: str
    open_interest: str
    funding: str
    carry: int
    reference: float
    level: Normal
    base: LogNormal
    power: LogNormal
    spread: LogNormal
    funding_effect: float
    multiple: LogNormal
    absorbed: float
    edge: float
    reported: tuple[Reported, ...]


@dataclass(frozen=True)
class GammaPrior:
    """Listed options: ``gross`` USD million per unit of return, ``position`` of dealers.

    ``days`` says on which they hedge: ``named`` or ``all``.
    A dealer's position is ``none + (all - none) X`` with X beta distributed; ``width`` is the
    standard deviation of strikes about the last close, log points/100.
    """

    gross: LogNormal
    none: float
    all: float
    position: Beta
    width: LogNormal
    days: str


@dataclass(frozen=True)
class Puts:
    """Listed puts sold against the vega of notes.

    ``strike`` as fractions of the last close and ``tenor`` in years, lowest and highest;
    ``root_time`` the probability that their number allows for long volatilities moving less.
    """

    strike: tuple[float, float]
    tenor: tuple[float, float]
    root_time: float


@dataclass(frozen=True)
class NotesPrior:
    """Structured notes: ``records`` of their terms, ``closes`` of the fund they are written on.

    ``face`` USD million outstanding; ``overlay`` the share of a second hedge of volatility;
    ``pass_through`` the change of long-dated over that of 30-day volatility; ``watched`` the
    probabilities of a barrier observed at maturity, at closes, continuously; ``long_vol`` the
    level of long-dated volatility, percent a year, before a day; ``puts`` what is sold against
    the notes' vega.
    """

    records: str
    closes: str
    face: LogNormal
    overlay: Beta
    pass_through: LogNormal
    watched: tuple[float, float, float]
    long_vol: float
    puts: Puts


@dataclass(frozen=True)
class BasisPrior:
    """The basis trade: columns of the basis (basis points of price) and of net creations.

    ``unwound`` is the sd of what a named day closed, USD million; ``arbitrage`` how much of the
    futures leg passes to spot, ``leg_ratio`` the impact of the futures leg over the spot leg's,
    ``redeemed`` the share of the fund's leg redeemed on the day.
    """

    basis: str
    creations: tuple[str, ...]
    unwound: float
    arbitrage: Beta
    leg_ratio: LogNormal
    redeemed: Beta
