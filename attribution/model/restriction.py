"""Claims about structural shocks, typed: what an identification table says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from pathlib import Path

SHOCK = "shock"
OUTCOME = "outcome"
READINGS = ("unconditional", "conditional")
CLAIMS = ("positive", "negative", "largest", "overwhelming", "smallest", "negligible", "between")


@dataclass(frozen=True)
class Response:
    r"""The response of ``variable`` to the shock of ``channel`` over a window of horizons.

    ``first`` ... ``last`` are periods after the shock, 0 the period in which it strikes;
    ``long_run`` is the sum over all horizons, :math:`\sum_h \Theta_h`, and then they are unused.
    """

    channel: str
    variable: str
    first: int = 0
    last: int = 0
    long_run: bool = False


@dataclass(frozen=True)
class Cell:
    """One claim: what a channel's shock does to a variable.

    ``low`` and ``high`` bound the response of ``variable``, in its own unit; an infinite end is
    open, and both zero is an exact zero.  ``per`` says per what: ``outcome``, per unit by which
    the shock moves the outcome in its normal direction (an elasticity); ``shock``, per one-scale
    shock; or the name of a variable, per unit by which the shock moves that variable on impact.
    ``center`` is the prior median used by the structural prior.
    """

    channel: str
    variable: str
    low: float
    high: float
    reason: str
    source: str
    center: float | None = None
    first: int = 0
    last: int = 0
    long_run: bool = False
    per: str = OUTCOME

    @property
    def zero(self) -> bool:
        """Whether the cell is an exact zero."""
        return self.low == self.high == 0

    @property
    def on_impact(self) -> bool:
        """Whether the cell speaks of the period of the shock alone."""
        return not self.long_run and self.last == 0

    @property
    def signed(self) -> bool:
        """Whether the cell fixes a sign: it lies on one side of zero and is open at that end."""
        return (self.low >= 0 and math.isinf(self.high)) or (
            self.high <= 0 and math.isinf(self.low)
        )

    @property
    def claim(self) -> str:
        """The cell as it is printed: ``+``, ``-``, ``0``, ``>= a``, ``<= b`` or ``[a, b]``."""
        if self.zero:
            return "0"
        if math.isinf(self.high):
            return "+" if self.low == 0 else f">= {self.low:g}"
        if math.isinf(self.low):
            return "-" if self.high == 0 else f"<= {self.high:g}"
        return f"[{self.low:g}, {self.high:g}]"


@dataclass(frozen=True)
class Ranking:
    """``larger`` is at least ``factor`` times ``smaller``; in absolute value if ``absolute``.

    Both sides are responses per one-scale shock over windows of equal length, compared horizon by
    horizon.
    """

    larger: Response
    smaller: Response
    factor: float
    absolute: bool
    reason: str
    source: str


@dataclass(frozen=True)
class VarianceShare:
    """Bounds on a channel's share, 0 to 1, of a variable's forecast error variance.

    ``horizon`` counts periods ahead as responses do: 0 is the one-step forecast error.
    """

    channel: str
    variable: str
    horizon: int
    low: float
    high: float
    reason: str
    source: str


@dataclass(frozen=True)
class Narrative:
    """A dated claim about a shock or about its contribution.

    ``positive`` and ``negative`` speak of the shock on ``start``.  The other claims speak of the
    channel's contribution to the unexpected change of ``to`` from ``start`` to ``end``, shocks of
    that window carried through the lags (Antolin-Diaz and Rubio-Ramirez 2018, eq. 7):
    ``largest`` and ``smallest`` rank its size among all shocks, ``overwhelming`` exceeds the sum
    of the sizes of all others, ``negligible`` is below that sum (types A and B and their
    complements), ``between`` bounds it by ``low`` and ``high`` in the unit of ``to``.
    ``inside_event`` admits that it touches the days held out for the event: what is asked is then
    partly assumed.  One that is not ``imposed`` restricts nothing: the share of draws that violate
    it is reported.
    """

    channel: str
    claim: str
    start: date
    end: date
    to: str | None
    low: float
    high: float
    reason: str
    source: str
    inside_event: bool = False
    imposed: bool = True


@dataclass(frozen=True)
class Channel:
    """A named structural shock."""

    name: str
    title: str


@dataclass(frozen=True)
class Identification:
    """The identification table: channels, and claims with a reason and a source each.

    ``direction`` is the sign of the outcome's response to every named shock (−1: each named
    shock lowers the outcome; 0: the table has no such normalisation).  What no claim mentions is
    unrestricted.  ``reading`` says what narratives do to the likelihood: ``unconditional`` keeps
    it, ``conditional`` divides each draw by the probability that they hold (weights).  ``asked``
    are narratives that are not imposed.
    """

    name: str
    path: Path | None
    outcome: str
    direction: int
    channels: tuple[Channel, ...]
    cells: tuple[Cell, ...]
    rankings: tuple[Ranking, ...] = ()
    shares: tuple[VarianceShare, ...] = ()
    narratives: tuple[Narrative, ...] = ()
    reading: str = "unconditional"
    asked: tuple[Narrative, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the channels, in table order."""
        return tuple(channel.name for channel in self.channels)

    def cells_of(self, channel: str) -> tuple[Cell, ...]:
        """Return the cells of one channel."""
        return tuple(cell for cell in self.cells if cell.channel == channel)

    @property
    def elastic(self) -> bool:
        """Whether every claim is a cell on impact, per unit of the outcome: a cone a channel."""
        whole = all(cell.on_impact and cell.per == OUTCOME and not cell.zero for cell in self.cells)
        return whole and not (self.rankings or self.shares or self.narratives)
