"""The question, typed: what a model file says once it has been read and accepted."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

UNATTRIBUTED = "unattributed"


@dataclass(frozen=True)
class Window:
    """Consecutive days of the event that are decomposed together.

    ``start`` and ``end`` are the first and the last *day whose change* is decomposed; the eve,
    on which the baseline is conditioned, is the last observed day before ``start``.
    """

    name: str
    start: date
    end: date


@dataclass(frozen=True)
class Event:
    """What is explained: the outcome variable, the windows, and the days kept out of estimation."""

    name: str
    outcome: str
    windows: tuple[Window, ...]
    hold_out: tuple[date, date]

    @property
    def start(self) -> date:
        """First day of the first window."""
        return min(window.start for window in self.windows)

    @property
    def end(self) -> date:
        """Last day of the last window."""
        return max(window.end for window in self.windows)


@dataclass(frozen=True)
class Sample:
    """Which panel, and the first and last day that may be used."""

    panel: str
    start: date
    end: date


@dataclass(frozen=True)
class System:
    """The VAR: its variables in the order of every ``variable`` axis, and the series beside it.

    ``auxiliary`` series have missing spells; they load on the shocks of the core with noise of
    their own and never feed back.  ``tests`` are series that no restriction may touch.
    """

    variables: tuple[str, ...]
    lags: int
    constant: bool = True
    auxiliary: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()


@dataclass(frozen=True)
class Minnesota:
    """Hyperparameters of the Minnesota prior on lag coefficients."""

    tightness: float = 0.2
    decay: float = 1.0
    own_lag: float = 0.0
    own_lags: tuple[tuple[str, float], ...] = ()
    intercept_scale: float = 10.0
    flat: bool = False

    def mean_of(self, variable: str) -> float:
        """Prior mean of the first own lag of ``variable``."""
        return dict(self.own_lags).get(variable, self.own_lag)


@dataclass(frozen=True)
class Exposure:
    """A pre-determined column whose upper half marks the days of another shock variance."""

    channel: str
    column: str
    reason: str


@dataclass(frozen=True)
class Expectation:
    """What a channel should do to a test series, asked of the fitted model and never imposed."""

    series: str
    channel: str
    sign: int
    reason: str


@dataclass(frozen=True)
class Cell:
    """One claim: what a channel's shock does to a variable on the day it strikes.

    ``low`` and ``high`` bound the response of ``variable``, in its own unit, *per unit by which
    the shock moves the outcome in its normal direction* (an elasticity); an infinite end is open.
    ``center`` is the prior median used by the structural prior.
    """

    channel: str
    variable: str
    low: float
    high: float
    reason: str
    source: str
    center: float | None = None

    @property
    def signed(self) -> bool:
        """Whether the cell fixes a sign: it lies on one side of zero and is open at that end."""
        return (self.low >= 0 and math.isinf(self.high)) or (
            self.high <= 0 and math.isinf(self.low)
        )

    @property
    def claim(self) -> str:
        """The cell as it is printed: ``+``, ``-``, ``>= a``, ``<= b`` or ``[a, b]``."""
        if math.isinf(self.high):
            return "+" if self.low == 0 else f">= {self.low:g}"
        if math.isinf(self.low):
            return "-" if self.high == 0 else f"<= {self.high:g}"
        return f"[{self.low:g}, {self.high:g}]"


@dataclass(frozen=True)
class Channel:
    """A named structural shock."""

    name: str
    title: str


@dataclass(frozen=True)
class Identification:
    """The identification table: channels, and cells with a reason and a source each.

    ``direction`` is the sign of the outcome's response to every named shock (−1: each named
    shock lowers the outcome).  What no cell mentions is unrestricted.
    """

    name: str
    path: Path | None
    outcome: str
    direction: int
    channels: tuple[Channel, ...]
    cells: tuple[Cell, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the channels, in table order."""
        return tuple(channel.name for channel in self.channels)

    def cells_of(self, channel: str) -> tuple[Cell, ...]:
        """Return the cells of one channel."""
        return tuple(cell for cell in self.cells if cell.channel == channel)


@dataclass(frozen=True)
class StructuralPrior:
    """Settings of the structural prior (elasticities, importance, noise, tails, variances).

    ``unnamed`` are variables with a structural shock of their own that may reach every other
    variable; every remaining variable but the outcome has a shock that reaches it alone.
    ``scale_columns`` are pre-determined columns that move all variances of a day together.
    A channel or unnamed shock *jumps* on a small share of days: the probabilities of a calm day
    and of each jump are Dirichlet(``jump_calm``, 1, ..., 1), and a jump multiplies the shock's
    variance by one plus a log-normal of median ``jump_ratio`` and log sd ``jump_ratio_sd``.
    """

    elasticity_sd: float = 0.7
    free_scale: float = 2.0
    own_median: float = 0.7
    own_sd: float = 0.5
    unnamed: tuple[str, ...] = ()
    unnamed_reach: float = 0.3
    unnamed_on_outcome: float = 0.1
    outcome_scale_sd: float = 0.2
    intercept_sd: float = 0.1
    tail_shape: float = 4.0
    tail_rate: float = 0.6
    exposure_sd: float = 0.8
    scale_columns: tuple[str, ...] = ()
    scale_sd: float = 0.3
    jump_calm: float = 80.0
    jump_ratio: float = 8.0
    jump_ratio_sd: float = 0.5


@dataclass(frozen=True)
class ModelSpec:
    """A model file, read and accepted."""

    name: str
    kind: str
    title: str
    references: tuple[str, ...]
    sample: Sample
    event: Event
    system: System
    path: Path | None = None
    prior: Minnesota = field(default_factory=Minnesota)
    structural: StructuralPrior = field(default_factory=StructuralPrior)
    identification: Identification | None = None
    exposures: tuple[Exposure, ...] = ()
    expectations: tuple[Expectation, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the panel that the model reads, each once."""
        names = (
            self.event.outcome,
            *self.system.variables,
            *self.system.auxiliary,
            *self.system.tests,
            *(exposure.column for exposure in self.exposures),
            *self.structural.scale_columns,
        )
        return tuple(dict.fromkeys(names))

    @property
    def predetermined(self) -> tuple[str, ...]:
        """Columns known before the day; they must be complete over the sample."""
        names = (*(e.column for e in self.exposures), *self.structural.scale_columns)
        return tuple(dict.fromkeys(names))

    @property
    def channels(self) -> tuple[str, ...]:
        """Named shocks, in table order; the variables' own names where there is no table."""
        if self.identification is None:
            return self.system.variables
        return self.identification.names
