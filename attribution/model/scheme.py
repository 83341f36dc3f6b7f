"""How a structural VAR is identified and what law its errors follow, typed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

LAWS = (
    "gaussian",
    "student_t",
    "independent_t",
    "common_volatility",
    "stochastic_volatility",
)
"""The first, second and fourth are invariant to rotations of the shocks; the others are not."""
ROTATION_INVARIANT = ("gaussian", "student_t", "common_volatility")
SCHEMES = (
    "restrictions",
    "recursive",
    "long_run",
    "proxy",
    "heteroskedasticity",
    "non_gaussian",
)


@dataclass(frozen=True)
class Errors:
    """The law of the errors.

    Attributes
    ----------
    law : ``gaussian``; ``student_t``, one heavy-tailed scale a day for all shocks;
        ``independent_t``, one a shock; ``common_volatility``, one log-volatility, a stationary
        autoregression, for all shocks; ``stochastic_volatility``, one a shock.
    dof : degrees of freedom of a Student law; inferred if None.
    outliers : days with a scale of their own, inferred (Lenza and Primiceri 2022, at any dates).
    """

    law: str = "gaussian"
    dof: float | None = None
    outliers: tuple[date, ...] = ()


@dataclass(frozen=True)
class Instrument:
    """An external series that is correlated with one channel's shock and with no other shock.

    It is read from ``start`` on, from its first value if None.
    """

    channel: str
    column: str
    reason: str
    start: date | None = None


@dataclass(frozen=True)
class Sign:
    """Which way up an ordered shock is reported: the sign of one of its responses in every draw.

    ``horizon`` is a period after the shock; None stands for the long run, the sum over all.
    """

    shock: str
    variable: str
    positive: bool
    horizon: int | None = 0


@dataclass(frozen=True)
class Scheme:
    """What identifies the shocks.

    Attributes
    ----------
    name : one of ``SCHEMES``.
    order : variables in causal order, for ``recursive`` and ``long_run``; those of the system if
        empty.
    shocks : names of the shocks in that order; the variables' own if empty.
    instruments : for ``proxy``; several may serve one channel.
    breaks : first day of each variance regime after the first, for ``heteroskedasticity``.
    signs : of shocks of ``recursive`` and ``long_run``; a shock without one moves the variable of
        its place up, on impact or in the long run.
    """

    name: str = "restrictions"
    order: tuple[str, ...] = ()
    shocks: tuple[str, ...] = ()
    instruments: tuple[Instrument, ...] = ()
    breaks: tuple[date, ...] = ()
    signs: tuple[Sign, ...] = ()
