"""Listed options as columns: what is open, at which strike and expiry.

What enters: one row a contract; what leaves: a checked chain, tables by strike and expiry, and the
chain less what another part of a model already counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from attribution.errors import DataError
from attribution.mechanics.inputs import arrays


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
