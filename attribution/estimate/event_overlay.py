r"""Listed puts that are sold against the vega of notes: what their hedge trades on a day.

Short n puts of delta Δ, the dealer holds nΔ and trades

.. math:: n\,[\Delta(S_1, \sigma_1) - \Delta(S_0, \sigma_0)]\,S_1, \qquad
          n = \frac{\text{vega of the notes}}{\text{vega of a put}}

so that the flow depends on the change of the listed volatility and not on that of the notes. What
enters: a book, its state on the evenings before, beliefs about the puts; what leaves: USD million.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.errors import DataError
from attribution.estimate.event_evenings import Evenings
from attribution.mechanics.note_deltas import put_table
from attribution.mechanics.note_prices import holders_put
from attribution.mechanics.notes import Notes, PricePath, notes

RATE, CARRY = 0.04, 0.04
"""Per year; the underlying pays nothing."""


@dataclass(frozen=True)
class ListedPuts:
    """Beliefs about the puts that are sold against the vega of notes.

    Attributes
    ----------
    strike : lowest and highest, as fractions of the close, drawn evenly.
    tenor : shortest and longest, years, drawn evenly in logarithms.
    root_time : probability that the number sold is cut by √(tenor/maturity), since volatilities of
        long tenors move less; else the whole vega is sold.
    """

    strike: tuple[float, float]
    tenor: tuple[float, float]
    root_time: float

    def __post_init__(self) -> None:
        for name, (low, high) in (("strike", self.strike), ("tenor", self.tenor)):
            if not 0.0 < low <= high < np.inf:
                raise DataError(
                    f"listed puts: {name} from {low} to {high} is no range above zero; give the "
                    "lower number first"
                )
        if not 0.0 <= self.root_time <= 1.0:
            raise DataError(
                f"listed puts: root_time is {self.root_time}; give a probability from 0 to 1"
            )


def overlay_table(
    book: Notes, state: tuple[np.ndarray, ...], known: Evenings, puts: ListedPuts,
    grid: tuple[np.ndarray, np.ndarray, tuple[float, float]], rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Flow of the puts that stand against all vega, (scenario, day, move, listed)."""
    weight, _, left = state
    scenarios = len(weight)
    strike = rng.uniform(*puts.strike, size=scenarios)
    tenor = puts.tenor[0] * (puts.tenor[1] / puts.tenor[0]) ** rng.uniform(size=scenarios)
    damped = rng.uniform(size=scenarios) < puts.root_time
    if (tenor[:, None] <= known.span).any():
        raise DataError(
            "listed puts: one ends before the day does; give tenors longer than the longest gap "
            "between two closes"
        )
    flow, vega = put_table(strike, tenor, known.spot, known.listed, known.span, *grid)
    cut = np.where(damped[:, None, None], np.sqrt(tenor[:, None, None] / left), 1.0)
    number = (weight * _vega(book, state, known) * cut).sum(axis=-1) / vega
    return np.asarray(number[..., None, None] * flow)


def _vega(book: Notes, state: tuple[np.ndarray, ...], known: Evenings) -> np.ndarray:
    """Vega of what the dealer is long on the evenings before, per unit, (scenario, day, note)."""
    weight, touched, left = state
    out = np.zeros(weight.shape)
    for i, name in enumerate(book.names):
        own = book.note(i)
        for code in np.unique(own.watched):
            here = (weight[..., i] != 0.0) & np.broadcast_to(own.watched == code, weight.shape[:2])
            scenario, day = np.nonzero(here)
            if not len(day):
                continue
            fields = {
                key: np.broadcast_to(getattr(own, key), (len(weight), 1))[scenario]
                for key in ("face", "initial", "level", "leverage", "participation", "cap")
            }
            entry = notes(
                (name,), own.kinds, watched=code, maturity=left[here, i][:, None],
                touched=touched[here, i][:, None], **fields,
            )  # fmt: skip
            path = PricePath(
                known.spot[day][:, None], known.vol[day][:, None, None], np.zeros(1),
                np.ones(1, dtype=bool), RATE, CARRY,
            )  # fmt: skip
            out[here, i] = holders_put(entry, path).vega[:, 0, 0]
    return out
