r"""How relevant instruments are, and the sets of values that quadratic inequalities hold.

.. math:: u_t = \alpha + \pi' z_t + w_t

A test inverted for a ratio of two estimated numbers (Fieller 1954, Anderson and Rubin 1949) is

.. math:: a \lambda^2 + b \lambda + c \le 0

whose solutions are an interval only while the denominator is surely not zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import ncx2

BIAS = 0.1
"""Largest tolerated bias, as a share of the worst case, behind the effective F's critical value."""
SIZE = 0.05
WEAK_F = 10.0
"""Rule of thumb of Staiger and Stock (1997): below it first-stage F calls an instrument weak."""


@dataclass(frozen=True)
class FirstStage:
    """Least squares of one residual on a constant and its instruments.

    Attributes
    ----------
    observations : periods on which every instrument is observed.
    slope : (instrument,); unit of the residual per unit of the instrument.
    t_robust : (instrument,); slope by its HC1 standard error.
    f, f_hc0, f_hc1 : F of all slopes: classical, White's, White's times T / (T − k).
    r2, r2_adjusted : shares, 0 to 1.
    f_effective, f_critical : Montiel Olea and Pflueger's F and the value that it has to exceed
        for a bias of at most a tenth of the worst case, at 5 % (23.1 for one instrument).
    """

    observations: int
    slope: np.ndarray
    t_robust: np.ndarray
    f: float
    f_hc0: float
    f_hc1: float
    r2: float
    r2_adjusted: float
    f_effective: float
    f_critical: float

    @property
    def weak(self) -> bool:
        """Whether F is below ten, or the effective F below its critical value."""
        return self.f < WEAK_F or self.f_effective < self.f_critical


def _alone(score: np.ndarray) -> np.ndarray:
    found: np.ndarray = score.T @ score
    return found


def first_stage(
    residual: np.ndarray,
    instruments: np.ndarray,
    summed: Callable[[np.ndarray], np.ndarray] = _alone,
) -> FirstStage:
    """Regress a residual on a constant and its instruments.

    Parameters
    ----------
    residual : (time,).
    instruments : (time, instrument); complete, not collinear.
    summed : of scores (time, instrument) the covariance of their sum, behind the effective F; by
        default every row stands alone.

    References
    ----------
    white1980; montielolea2013, Theorem 1; staiger1997
    """
    periods, k = instruments.shape
    z, x = instruments - instruments.mean(0), residual - residual.mean()
    inverse = np.linalg.inv(z.T @ z)
    slope = inverse @ (z.T @ x)
    rest = x - z @ slope
    free = periods - k - 1
    r2 = float(1.0 - rest @ rest / (x @ x))
    moments = z * rest[:, None]
    hc0 = inverse @ (moments.T @ moments) @ inverse
    hc1 = hc0 * periods / free
    effective, critical = _effective(z, slope, rest, summed)
    return FirstStage(
        observations=periods,
        slope=slope,
        t_robust=slope / np.sqrt(np.diag(hc1)),
        f=r2 / k / ((1.0 - r2) / free),
        f_hc0=float(slope @ np.linalg.solve(hc0, slope)) / k,
        f_hc1=float(slope @ np.linalg.solve(hc1, slope)) / k,
        r2=r2,
        r2_adjusted=1.0 - (1.0 - r2) * (periods - 1) / free,
        f_effective=effective,
        f_critical=critical,
    )


def _effective(
    z: np.ndarray,
    slope: np.ndarray,
    rest: np.ndarray,
    summed: Callable[[np.ndarray], np.ndarray],
) -> tuple[float, float]:
    r"""Return the effective F and its critical value, by Patnaik's approximation.

    With instruments made orthonormal and W the robust covariance of their slopes,
    :math:`F = T \pi'\pi / \mathrm{tr} W`, and its critical value is the :math:`1 - \alpha`
    quantile of :math:`\chi^2(K; x K) / K` with :math:`x = 1/\tau` and
    :math:`K = \mathrm{tr}^2 W (1 + 2x) / (\mathrm{tr} W'W + 2x\,\mathrm{tr} W \max\mathrm{eig} W)`.
    """
    root = np.linalg.cholesky(z.T @ z)
    moments = np.linalg.solve(root, (z * rest[:, None]).T)
    w = summed(moments.T)
    trace, x = float(np.trace(w)), 1.0 / BIAS
    strength = root.T @ slope
    k = trace**2 * (1 + 2 * x) / (float((w * w).sum()) + 2 * x * trace * np.linalg.eigvalsh(w)[-1])
    return float(strength @ strength) / trace, float(ncx2.ppf(1.0 - SIZE, k, x * k)) / k


# Scores day by day in; the covariance of their sum, neighbouring days taken together, out.


def _product(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    found: np.ndarray = one.T @ other
    return found


def long_run(
    score: np.ndarray,
    width: int,
    product: Callable[[np.ndarray, np.ndarray], np.ndarray] = _product,
) -> np.ndarray:
    r"""Sum products of scores, and of those up to ``width`` rows apart, with falling weights.

    .. math:: S_0 + \sum_{l=1}^{L} \Big(1 - \frac{l}{L+1}\Big) (S_l + S_l'), \qquad
        S_l = \sum_t \psi_t \psi_{t-l}'

    Parameters
    ----------
    score : (row, estimate).
    width : L; zero leaves the rows' own products, White's covariance.
    product : of scores (row, estimate) with those of other rows, summed over rows.

    References
    ----------
    newey1987
    """
    total = product(score, score)
    for lag in range(1, width + 1):
        apart = product(score[lag:], score[:-lag])
        total = total + (1.0 - lag / (width + 1.0)) * (apart + apart.T)
    return total


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
