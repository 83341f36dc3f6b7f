r"""An instrumental regression in; the values its instruments do not reject, in their shape, out.

With weak instruments the estimate over its standard error has no normal law; the moment of the
instruments with :math:`y - \beta x` has, whatever their strength.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial
from scipy import stats
from scipy.optimize import brentq

from attribution.core.instruments.first_stage import long_run
from attribution.studies.instruments.grouped_errors import Grouping

SHAPES = ("empty", "interval", "half_lines", "union", "line")


@dataclass(frozen=True)
class AndersonRubin:
    r"""The statistic as a function of the coefficient, free of exogenous columns.

    Attributes
    ----------
    moment : (2, instrument), sums of instruments with the outcome and with the endogenous column.
    covariance : (3, instrument, instrument); at :math:`\beta` the covariance of the moment is
        ``covariance[0] + beta covariance[1] + beta**2 covariance[2]``.
    freedom : degrees of freedom of the F that the statistic per instrument follows where variances
        are equal, or groups are few; infinite where it is chi-squared in large samples alone.
    """

    moment: np.ndarray
    covariance: np.ndarray
    freedom: float

    def statistic(self, beta: np.ndarray) -> np.ndarray:
        r"""Evaluate :math:`g(\beta)' S(\beta)^{-1} g(\beta)`, chi-squared under the null."""
        g = self.moment[0] - beta[:, None] * self.moment[1]
        s = np.einsum("pb,pij->bij", beta[None, :] ** np.arange(3)[:, None], self.covariance)
        return np.asarray(np.einsum("bi,bi->b", g, np.linalg.solve(s, g[..., None])[..., 0]))

    @property
    def at_infinity(self) -> float:
        """Its limit: the Wald statistic of the instruments in the first stage."""
        return float(self.moment[1] @ np.linalg.solve(self.covariance[2], self.moment[1]))

    def critical(self, level: float) -> float:
        """Quantile of its law: chi-squared with as many degrees of freedom as instruments, or F."""
        count = self.moment.shape[1]
        if np.isinf(self.freedom):
            return float(stats.chi2.ppf(level, count))
        return float(count * stats.f.ppf(level, count, self.freedom))


@dataclass(frozen=True)
class RealSet:
    """A set on the real line: disjoint intervals, increasing; ends may be infinite."""

    parts: tuple[tuple[float, float], ...]

    @property
    def shape(self) -> str:
        """Return one of ``SHAPES``; a union has several parts that are not two half-lines."""
        if not self.parts:
            return "empty"
        first, last = self.parts[0][0], self.parts[-1][1]
        if len(self.parts) == 1:
            if np.isinf(first) and np.isinf(last):
                return "line"
            return "half_lines" if np.isinf(first) or np.isinf(last) else "interval"
        return "half_lines" if len(self.parts) == 2 and np.isinf([first, last]).all() else "union"

    def __contains__(self, value: float) -> bool:
        return any(low <= value <= high for low, high in self.parts)

    def __str__(self) -> str:
        if self.shape in ("empty", "line"):
            return {"empty": "no value", "line": "every value"}[self.shape]
        said = []
        for low, high in self.parts:
            if np.isinf(low):
                said.append(f"at most {high:.4g}")
            elif np.isinf(high):
                said.append(f"at least {low:.4g}")
            else:
                said.append(f"{low:.4g} to {high:.4g}")
        return " or ".join(said)


def anderson_rubin(
    outcome: np.ndarray,
    endogenous: np.ndarray,
    exogenous: np.ndarray,
    instruments: np.ndarray,
    *,
    covariance: str,
    bandwidth: int = 0,
    grouping: Grouping | None = None,
) -> AndersonRubin:
    r"""Make the statistic of one endogenous column.

    .. math:: AR(\beta) = g(\beta)' S(\beta)^{-1} g(\beta), \qquad
        g(\beta) = \tilde Z'(\tilde y - \beta \tilde x)

    Tildes are residuals on the exogenous columns.  S is the covariance of g: from the residuals of
    :math:`\tilde y - \beta \tilde x` on :math:`\tilde Z` with equal variances (``unadjusted``),
    with each row's own (``robust``), with Bartlett weights up to a lag (``kernel``), or of sums
    over groups (``grouping``), where the statistic per instrument follows the F of their number.

    Parameters
    ----------
    outcome, endogenous : (row,).
    exogenous : (row, column), the constant among them.
    instruments : (row, instrument), those that are left out of the equation.

    References
    ----------
    anderson1949, newey1987
    """
    q, _ = np.linalg.qr(exogenous)
    y, x, z = (v - q @ (q.T @ v) for v in (outcome, endogenous, instruments))
    fit, *_ = np.linalg.lstsq(z, np.column_stack([y, x]), rcond=None)
    left = np.column_stack([y, x]) - z @ fit
    freedom = np.inf
    if covariance == "unadjusted":
        freedom = len(y) - exogenous.shape[1] - z.shape[1]
        cross = left.T @ left / freedom
        blocks = cross[:, :, None, None] * (z.T @ z)
    else:
        count = z.shape[1]
        freedom = np.inf if grouping is None else grouping.groups - 1
        scores = (left[:, :, None] * z[:, None, :]).reshape(len(z), -1)  # (row, 2 * instrument)
        if grouping is None:
            summed = long_run(scores, bandwidth, partial(np.einsum, "rp,rq->pq"))
        else:
            summed = grouping.summed(scores)
            np.linalg.cholesky(summed)  # two groupings need not make a covariance
        blocks = summed.reshape(2, count, 2, count).swapaxes(1, 2)
    parts = np.stack([blocks[0, 0], -blocks[0, 1] - blocks[1, 0], blocks[1, 1]])
    return AndersonRubin(np.stack([z.T @ y, z.T @ x]), parts, freedom)


def inverted(test: AndersonRubin, level: float) -> RealSet:
    r"""Return every coefficient that the test does not reject, exactly.

    .. math:: \{\beta : g' \operatorname{adj}(S)\, g \le c \det S\}

    Both sides are polynomials of degree twice the number of instruments, so the ends are roots.
    """
    count, critical = test.moment.shape[1], test.critical(level)
    centre, width = _span(test)
    degree = 2 * count
    nodes = np.cos(np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1))
    beta = centre + width * nodes
    s = np.einsum("pb,pij->bij", beta[None, :] ** np.arange(3)[:, None], test.covariance)
    scale = np.linalg.det(np.einsum("p,pij->ij", [1, centre, centre**2], test.covariance))
    gap = np.linalg.det(s) / scale * (test.statistic(beta) - critical)
    polynomial = Chebyshev.fit(nodes, gap, degree, domain=[-1, 1]).convert(kind=Polynomial)
    roots = polynomial.trim(1e-13 * np.abs(polynomial.coef).max()).roots()
    real = np.sort(roots.real[np.abs(roots.imag) < 1e-6 * np.maximum(1, np.abs(roots))])
    found = [_polished(test, centre + width * root, critical) for root in real]
    ends = np.concatenate([[-np.inf], found, [np.inf]])
    parts: list[tuple[float, float]] = []
    for low, high in pairwise(map(float, ends)):
        if not _kept(test, low, high, critical, width):
            continue
        if parts and parts[-1][1] == low:
            low = parts.pop()[0]
        parts.append((low, high))
    return RealSet(tuple(parts))


def _polished(test: AndersonRubin, end: float, critical: float) -> float:
    """Find the end once more on the statistic itself, where that changes sides there."""
    reach = 1e-4 * max(abs(end), 1e-300)

    def gap(beta: float) -> float:
        return float(test.statistic(np.array([beta]))[0] - critical)

    if gap(end - reach) * gap(end + reach) >= 0:
        return float(end)
    return float(brentq(gap, end - reach, end + reach, xtol=1e-15 * abs(end), rtol=1e-15))


def _span(test: AndersonRubin) -> tuple[float, float]:
    """Place and width at which the polynomials are of one size."""
    weight = np.linalg.inv(test.covariance[2])
    a = test.moment[1] @ weight @ test.moment[1]
    centre = float(test.moment[0] @ weight @ test.moment[1] / a)
    spread = np.trace(test.covariance[0]) / np.trace(test.covariance[2])
    return centre, float(np.sqrt(spread + centre**2))


def _kept(test: AndersonRubin, low: float, high: float, critical: float, width: float) -> bool:
    """Whether the statistic between two neighbouring ends is below its critical value."""
    if np.isinf(low) and np.isinf(high):
        inside = 0.0
    elif np.isinf(low) or np.isinf(high):
        inside = high - width if np.isinf(low) else low + width
    else:
        inside = (low + high) / 2
    return bool(test.statistic(np.array([inside]))[0] <= critical)
