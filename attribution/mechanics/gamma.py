r"""A gamma book: what hedgers of listed options hold, and what they trade when the price moves.

With open interest O, multiplier m and position s of the dealer, from -1 (short) to 1 (long),

.. math::
    G = \sum_i s_i O_i m_i \Gamma_i S^2, \qquad
    h = -\sum_i s_i O_i m_i \Delta_i, \qquad \text{flow} = (h_1 - h_0) S_1 \approx -G\,r

The position is always given, never assumed; the convention behind "gamma exposure" figures,
:func:`~attribution.mechanics.gamma.calls_long_puts_short`, has to be asked for. Volatilities
stay with their strikes. What enters: a chain, positions, prices; what leaves: USD million. A flow
above zero is bought.

References: black1973; barbon2021 (hedging of net gamma); ni2021.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats
from scipy.special import erf

from attribution.errors import DataError
from attribution.mechanics.inputs import Array, arrays
from attribution.mechanics.vanilla import vanilla

# Listed options as columns: what is open, at which strike and expiry.


@dataclass(frozen=True)
class Chain:
    """Listed options; every array is (contract,).

    Attributes
    ----------
    call : True for a call, False for a put.
    strike : USD.
    time : years to expiry.
    vol : annual implied volatility.
    open_interest : contracts.
    multiplier : units of the underlying a contract.
    """

    call: np.ndarray
    strike: np.ndarray
    time: np.ndarray
    vol: np.ndarray
    open_interest: np.ndarray
    multiplier: np.ndarray

    @property
    def units(self) -> np.ndarray:
        """Units of the underlying behind the open interest, (contract,)."""
        return np.asarray(self.open_interest * self.multiplier)


def chain(
    call: object, strike: object, time: object, vol: object, open_interest: object,
    multiplier: object = 100.0,
) -> Chain:  # fmt: skip
    """Make a chain; numbers stand for every contract.

    Raises
    ------
    DataError
        Numbers that are not finite or have the wrong sign; ``call`` that is not true or false;
        no contract.
    """
    given = arrays(
        "option chain", ("strike", "multiplier"), strike=strike, time=time, vol=vol,
        open_interest=open_interest, multiplier=multiplier,
    )  # fmt: skip
    kind = np.asarray(call)
    if kind.size == 0:
        raise DataError("option chain: no contract is given; give at least one row")
    if kind.dtype != bool:
        raise DataError("option chain: call holds other things than true and false; give booleans")
    try:
        flag, *rest = np.broadcast_arrays(np.atleast_1d(kind), *given)
    except ValueError:
        raise DataError("option chain: call does not fit the other columns; align them") from None
    made = Chain(flag, *rest)
    if flag.ndim != 1:
        raise DataError("option chain: a column has more than one dimension; give (contract,)")
    if (made.open_interest < 0.0).any():
        raise DataError("option chain: open interest is below zero; put the sign in the position")
    return made


def calls_long_puts_short(book: Chain) -> np.ndarray:
    """Dealer long calls and short puts everywhere: a convention, not evidence; (contract,)."""
    return np.where(book.call, 1.0, -1.0)


def by_strike_and_expiry(book: Chain, values: np.ndarray) -> tuple[np.ndarray, ...]:
    """Sum values of contracts, calls and puts together, in a table.

    Returns
    -------
    Strikes (strike,), times to expiry (expiry,), sums (..., strike, expiry).
    """
    strikes, row = np.unique(book.strike, return_inverse=True)
    times, column = np.unique(book.time, return_inverse=True)
    cells = np.zeros((len(book.strike), len(strikes) * len(times)))
    cells[np.arange(len(book.strike)), row * len(times) + column] = 1.0
    table = np.asarray(values) @ cells
    return strikes, times, table.reshape(*table.shape[:-1], len(strikes), len(times))


def less(book: Chain, contracts: np.ndarray) -> Chain:
    """Take contracts that are counted elsewhere, such as an overlay on notes, out of a chain.

    Raises
    ------
    DataError
        More contracts than are open.
    """
    rest = book.open_interest - np.asarray(contracts, dtype=float)
    if (rest < 0.0).any():
        i = int(np.argmin(rest))
        raise DataError(
            f"option chain: strike {book.strike[i]:g} has {book.open_interest[i]:g} open contracts,"
            f" {-rest[i]:g} fewer than are to be taken out; take out at most those"
        )
    return replace(book, open_interest=rest)


MILLION = 1e6


def dollar_gamma(book: Chain, position: Array, spot: Array, *, rate: Array, carry: Array) -> Array:
    """Return the gamma of each contract in USD million per unit of return.

    Parameters
    ----------
    book : the chain.
    position : of the dealer, -1 to 1, broadcasting to (..., contract).
    spot : USD, (...).
    rate, carry : per year.

    Returns
    -------
    (..., contract); a hundredth of it is what "gamma exposure per 1 %" means. The sum over
    contracts is the net gamma: above zero hedging dampens moves, below zero it amplifies them.
    """
    price, sign = _prices(spot), _positions(position, book)
    greeks = vanilla("call", price, book.strike, book.time, book.vol, rate, carry)
    return sign * book.units * greeks.gamma * price**2 / MILLION


def hedge_flow(
    book: Chain,
    position: Array,
    start: Array,
    end: Array,
    *,
    rate: Array,
    carry: Array,
    elapsed: float = 0.0,
    vol_rise: Array = 0.0,
) -> Array:
    """Return what the hedge of each contract trades on a move, by full repricing.

    Parameters
    ----------
    book, position : as in :func:`dollar_gamma`.
    start, end : price before and after, USD, (...); an array of ends gives the flow profile.
    rate, carry : per year.
    elapsed : years that the move takes.
    vol_rise : change of implied volatility (0.1 is ten points), broadcasting to (..., contract).

    Returns
    -------
    USD million at the price after the move, (..., contract); above zero is bought.

    Raises
    ------
    DataError
        A contract that expires before the move is over.
    """
    if elapsed < 0.0 or (book.time < elapsed).any():
        raise DataError(
            "option chain: a contract expires within the move, or the move takes less than no "
            "time; leave it out or shorten the move"
        )
    before, after = _prices(start), _prices(end)
    first = _delta(book, before, book.time, book.vol, rate, carry)
    last = _delta(book, after, book.time - elapsed, book.vol + vol_rise, rate, carry)
    return -_positions(position, book) * book.units * (last - first) * after / MILLION


def gamma_flow(gamma: Array, move: Array) -> Array:
    """Approximate a hedge flow by gamma times return, -G r in USD million.

    The limit of small moves; a crash leaves the strikes behind, where :func:`hedge_flow` holds.
    """
    return -np.asarray(gamma) * np.asarray(move)


def bell_flow(position: Array, gamma: Array, width: Array, move: Array) -> np.ndarray:
    r"""Return the hedge flow of a whole book whose gamma falls off with the distance.

    .. math::
        G(r) = -s \int_0^r \Gamma e^{-x^2/2d^2} dx
             = -s\,\Gamma\,d\sqrt{\pi/2}\,\mathrm{erf}\frac{r}{d\sqrt2}

    For small moves :func:`gamma_flow`; a crash leaves the strikes behind.

    Parameters
    ----------
    position : s, of the dealer, -1 to 1.
    gamma : Γ, of the open interest at no move, USD million per unit of return.
    width : d, log points, above zero.
    move : r, log points.

    Returns
    -------
    USD million; above zero is bought.
    """
    area = width * np.sqrt(0.5 * np.pi) * erf(move / (width * np.sqrt(2.0)))
    return np.asarray(-position * gamma * area)


def zero_gamma(
    book: Chain, position: Array, near: float, *, rate: float, carry: float, low: float,
    high: float, nodes: int = 2001,
) -> np.ndarray:  # fmt: skip
    """Find the price nearest to ``near`` at which net gamma changes sign.

    Parameters
    ----------
    position : (contract,) or (draw, contract).
    near : USD, usually today's price.
    low, high : USD, between which to look.
    nodes : prices tried, equal ratios apart; the sign change is then interpolated.

    Returns
    -------
    USD, () or (draw,); NaN where net gamma keeps its sign between ``low`` and ``high``.
    """
    if not 0.0 < low < high:
        raise DataError(f"zero gamma: looked for between {low} and {high}; give 0 < low < high")
    grid = np.geomspace(low, high, nodes)
    each = dollar_gamma(book, 1.0, grid, rate=rate, carry=carry)
    sign = _positions(position, book)
    net = np.asarray(sign @ each.T)
    left, right = net[..., :-1], net[..., 1:]
    side = np.sign(net)
    side[..., 1:] = np.where(side[..., 1:] == 0.0, side[..., :-1], side[..., 1:])
    turns = side[..., :-1] * side[..., 1:] < 0.0
    gap = np.where(turns, left - right, 1.0)
    at = grid[:-1] + np.diff(grid) * np.where(turns, left, 0.0) / gap
    distance = np.where(turns, np.abs(np.log(at / near)), np.inf)
    best = distance.argmin(axis=-1)[..., None]
    found = np.take_along_axis(at, best, -1)[..., 0]
    return np.where(turns.any(axis=-1), found, np.nan)


def _delta(
    book: Chain, price: np.ndarray, time: np.ndarray, vol: Array, rate: Array, carry: Array
) -> Array:
    """Delta a unit; that of a put by parity, so that one evaluation serves both."""
    found = vanilla("call", price, book.strike, time, vol, rate, carry).delta
    yields = np.asarray(carry) - np.asarray(rate)
    return found - np.where(book.call, 0.0, np.exp(yields * time))


def _prices(spot: Array) -> np.ndarray:
    return np.asarray(spot, dtype=float)[..., None]


def _positions(position: Array, book: Chain) -> np.ndarray:
    """Check positions; one number stands for every contract."""
    (sign,) = arrays("dealer position", position=position)
    if (np.abs(sign) > 1.0).any():
        raise DataError("dealer position: beyond the open interest; give numbers from -1 to 1")
    if sign.shape[-1:] not in ((), (1,), book.strike.shape):
        raise DataError(
            f"dealer position: {sign.shape[-1]} numbers for {len(book.strike)} contracts; give one "
            "each, or one for all"
        )
    return np.broadcast_to(sign, (*sign.shape[:-1], len(book.strike)))


# Net gamma of dealers where their positions are not observed: a prior, and what it implies.


@dataclass(frozen=True)
class PositionPrior:
    r"""Prior of a dealer's position in open options, from -1 (short all) to 1 (long all).

    .. math:: s = a + (b - a)\,X, \quad X \sim \text{Beta}(p, q); \qquad G = s_c G_c + s_p G_p

    Attributes
    ----------
    none, all : position where X is zero and one; ``all`` below ``none`` is a prior of being short.
    p, q : parameters of the beta distribution of X.

    References
    ----------
    gelman2013 (weakly informative priors); frey1997 (loop gain)
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
