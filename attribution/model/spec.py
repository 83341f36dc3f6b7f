"""The question, typed: what a model file says once it has been read and accepted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from attribution.model.restriction import Identification
from attribution.model.scheme import Errors, Scheme

UNATTRIBUTED = "unattributed"
INFERRED = ("tightness", "decay", "sum_of_coefficients", "single_unit_root", "residual_scales")
"""Hyperparameters of the Minnesota prior that may be inferred."""
NEVER = date.max
"""Stands for a day that no sample reaches: start, end and hold-out where nothing is asked."""


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
    """What is explained: the outcome variable, the windows, and the days kept out of estimation.

    Without windows nothing is asked: the model reports responses and variance shares alone, and
    no day is held out.  ``whole`` names a window over the whole sample, whose days the data tell;
    until they are read nothing is asked.
    """

    name: str
    outcome: str
    windows: tuple[Window, ...]
    hold_out: tuple[date, date] = (NEVER, NEVER)
    whole: str = ""

    @property
    def asked(self) -> bool:
        """Whether there is a window to decompose."""
        return bool(self.windows)

    @property
    def start(self) -> date:
        """First day of the first window."""
        return min((window.start for window in self.windows), default=NEVER)

    @property
    def end(self) -> date:
        """Last day of the last window."""
        return max((window.end for window in self.windows), default=NEVER)


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
    ``horizons`` is how many periods after a shock responses are reported.  ``levels`` are variables
    in levels: over a window they move by their last value, where all others, changes themselves,
    add up.  Of ``cumulated`` ones, changes, responses and shares of variance are reported of their
    sum, too.
    """

    variables: tuple[str, ...]
    lags: int
    constant: bool = True
    auxiliary: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    horizons: int = 10
    levels: tuple[str, ...] = ()
    cumulated: tuple[str, ...] = ()


@dataclass(frozen=True)
class Minnesota:
    """Hyperparameters of the Minnesota prior on lag coefficients.

    ``sum_of_coefficients`` and ``single_unit_root`` are the tightness of the two priors that
    dummy observations at the mean of the first ``lags`` rows carry (GLP's mu and delta: smaller is
    tighter); None leaves one out.  ``hierarchical`` integrates over ``inferred``; where that is
    empty, over ``tightness``, the residual scales unless they are given, and whichever of the two
    is present.  What is inferred needs no number; what is not stands as it is given.
    ``residual_scales`` gives the residual standard deviations behind the prior, of every variable;
    those of the series' own autoregressions if empty.  ``intercept_scale`` is the prior sd of a
    constant, in residual sds, for series measured from the mean of the first ``lags`` rows; from
    zero where one of the two priors of dummy observations is present, as they are published.
    """

    tightness: float = 0.2
    decay: float = 1.0
    own_lag: float = 0.0
    own_lags: tuple[tuple[str, float], ...] = ()
    intercept_scale: float = 10.0
    flat: bool = False
    sum_of_coefficients: float | None = None
    single_unit_root: float | None = None
    hierarchical: bool = False
    residual_scales: tuple[tuple[str, float], ...] = ()
    inferred: tuple[str, ...] = field(default=(), metadata={"key": "hierarchical"})

    def infers(self, name: str) -> bool:
        """Whether a hyperparameter, one of ``INFERRED``, is integrated over."""
        if not self.hierarchical or self.inferred:
            return self.hierarchical and name in self.inferred
        present = {
            "tightness": True,
            "residual_scales": not self.residual_scales,
            "sum_of_coefficients": self.sum_of_coefficients is not None,
            "single_unit_root": self.single_unit_root is not None,
        }
        return present.get(name, False)

    @property
    def unit_roots(self) -> bool:
        """Whether artificial observations of unit roots join the prior."""
        return self.sum_of_coefficients is not None or self.single_unit_root is not None

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
    scheme: Scheme = field(default_factory=Scheme)
    errors: Errors = field(default_factory=Errors)
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
            *(instrument.column for instrument in self.scheme.instruments),
        )
        return tuple(dict.fromkeys(names))

    @property
    def predetermined(self) -> tuple[str, ...]:
        """Columns known before the day; they must be complete over the sample."""
        names = (*(e.column for e in self.exposures), *self.structural.scale_columns)
        return tuple(dict.fromkeys(names))

    @property
    def channels(self) -> tuple[str, ...]:
        """Named shocks: those of the table, of the scheme, or the ordered variables' own names."""
        if self.identification is not None:
            return self.identification.names
        return self.scheme.shocks or self.scheme.order or self.system.variables
