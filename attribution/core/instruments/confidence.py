r"""A quadratic inequality in; the set of values that satisfy it, with its shape, out.

A test inverted for a ratio of two estimated numbers (Fieller 1954, Anderson and Rubin 1949) is

.. math:: a \lambda^2 + b \lambda + c \le 0

whose solutions are an interval only while the denominator is surely not zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SHAPES = ("interval", "half_line", "two_half_lines", "everything")


@dataclass(frozen=True)
class ConfidenceSet:
    """A confidence set on the real line.

    Attributes
    ----------
    shape : ``interval``, [low, high]; ``half_line``, with one infinite end; ``two_half_lines``,
        all but the open gap between low and high; ``everything``, with both ends infinite.
    low, high : unit of what is estimated.
    """

    shape: str
    low: float
    high: float

    def __post_init__(self) -> None:
        if self.shape not in SHAPES:
            raise ValueError(f"shape '{self.shape}' is none of {', '.join(SHAPES)}")
        if not self.low <= self.high:
            raise ValueError(f"a set cannot run from {self.low} to {self.high}")

    @property
    def bounded(self) -> bool:
        """Whether the set is an interval."""
        return self.shape == "interval"

    def __contains__(self, value: float) -> bool:
        if self.shape == "two_half_lines":
            return value <= self.low or value >= self.high
        return self.low <= value <= self.high

    def __str__(self) -> str:
        low, high = f"{self.low:.4g}", f"{self.high:.4g}"
        if self.shape == "everything":
            return "every value"
        if self.shape == "two_half_lines":
            return f"at most {low} or at least {high}"
        if self.shape == "half_line":
            return f"at most {high}" if math.isinf(self.low) else f"at least {low}"
        return f"[{low}, {high}]"

    def scaled(self, factor: float) -> ConfidenceSet:
        """Return the set of ``factor`` times its values; the factor must not be zero."""
        if factor == 0:
            raise ValueError("a set scaled by zero has lost what it says")
        low, high = sorted((self.low * factor, self.high * factor))
        return ConfidenceSet(self.shape, low, high)


def ratio_set(
    numerator: float,
    denominator: float,
    variance: tuple[float, float, float],
    critical: float,
) -> ConfidenceSet:
    r"""Invert the test of :math:`n - \lambda d = 0` for every λ.

    .. math::
        (\hat n - \lambda \hat d)^2 \le
        q\,(\sigma_{nn} - 2\lambda \sigma_{\times} + \lambda^2 \sigma_{dd})

    The estimate satisfies its own inequality, so the set is never empty.

    Parameters
    ----------
    variance : variances and covariance of the estimates: nn, cross, dd.
    critical : q, of chi-squared with one degree of freedom.

    References
    ----------
    fieller1954; montielolea2021, eq. 11
    """
    nn, cross, dd = variance
    # In units in which both estimates have sd one, no coefficient is large for its unit alone.
    unit = math.sqrt(nn / dd) if nn > 0 and dd > 0 else 1.0
    n, d = numerator / unit, denominator
    a = d * d - critical * dd
    b = -2.0 * (n * d - critical * cross / unit)
    c = n * n - critical * nn / unit**2
    if a == 0.0:
        return _linear(b, c, unit)
    room = max(b * b - 4.0 * a * c, 0.0) if a > 0 else b * b - 4.0 * a * c
    if room < 0.0 or (a < 0.0 and room == 0.0):
        return ConfidenceSet("everything", -math.inf, math.inf)
    far = -0.5 * (b + math.copysign(math.sqrt(room), b))  # no cancellation
    roots = (far / a, c / far) if far != 0.0 else (0.0, 0.0)
    low, high = sorted(root * unit for root in roots)
    return ConfidenceSet("interval" if a > 0 else "two_half_lines", low, high)


def _linear(b: float, c: float, unit: float) -> ConfidenceSet:
    if b == 0.0:
        return ConfidenceSet("everything", -math.inf, math.inf)
    end = -c / b * unit
    return (
        ConfidenceSet("half_line", -math.inf, end)
        if b > 0
        else ConfidenceSet("half_line", end, math.inf)
    )
