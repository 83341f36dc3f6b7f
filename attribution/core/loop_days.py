"""The days of a density of moves with feedback: everything in it that no parameter touches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SCALARS = (
    "mu", "s0", "s1", "nu", "log_impact", "exponent",
    "alpha_long", "base_long", "power_long", "tau_long", "funding_long",
    "alpha_short", "base_short", "power_short", "tau_short", "funding_short",
    "liquidation_multiple", "gross_gamma", "gamma_width", "face", "pass_through",
    "dealer_position", "overlay", "through", "vol_down", "vol_up",
)  # fmt: skip
"""Order of the scalar parameters; ``through`` is the futures leg's flow that reaches spot."""


@dataclass(frozen=True)
class Days:
    """What no parameter touches; arrays are (day,) unless said otherwise.

    Attributes
    ----------
    move, noise, funding, volatility : log units, centred log scale, standardised, fraction.
    drivers : (day, driver).
    log_unit, log_volume : coefficient of impact at unit scale and exponent zero, and the log of
        what its power divides by; zero where the law is linear.
    floor : crossover of impact squared.
    log_size : log of the move over its reference.
    log_held : log of open interest, USD million.
    total : (side, day), liquidated, longs first; published : whether both are known.
    held : whether the day's move is given, and its density left out.
    named, latent : position among named days, and among those without totals; -1 elsewhere.
    relative : price over that of the event's day.
    noted : row of the tables below, -1 where notes do not trade.
    book, book_slope : (noted, node), at the day's move.
    put, put_slope, put_by_vol : (noted,), at the day's move and volatility.
    vol : (node,).
    """

    move: np.ndarray
    noise: np.ndarray
    funding: np.ndarray
    volatility: np.ndarray
    drivers: np.ndarray
    log_unit: np.ndarray
    log_volume: np.ndarray
    floor: float
    log_size: np.ndarray
    log_held: np.ndarray
    total: np.ndarray
    published: np.ndarray
    held: np.ndarray
    named: np.ndarray
    latent: np.ndarray
    relative: np.ndarray
    noted: np.ndarray
    book: np.ndarray
    book_slope: np.ndarray
    put: np.ndarray
    put_slope: np.ndarray
    put_by_vol: np.ndarray
    vol: np.ndarray

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """Arguments of the kernel, in order."""
        return (
            self.move, self.noise, self.funding, self.volatility, self.drivers, self.log_unit,
            self.log_volume, np.array([self.floor]), self.log_size, self.log_held, self.total,
            self.published, self.held, self.named, self.latent, self.relative, self.noted,
            self.book, self.book_slope, self.put, self.put_slope, self.put_by_vol, self.vol,
        )  # fmt: skip
