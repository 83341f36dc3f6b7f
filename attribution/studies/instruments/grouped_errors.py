r"""Scores of stacked rows in; the covariance of their sum, rows of a group taken together, out.

Rows of one entity, or of one day, move together, so that what counts is sums over groups:

.. math::
    S = \frac{G}{G - 1} \sum_g s_g s_g', \qquad s_g = \sum_{i \in g} s_i

By two groupings it is the sum of both less that of the groups they make together (cameron2011).  By
days with a kernel over them it is that of Driscoll and Kraay (driscoll1998): entities may move
together on a day, and on days near each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from attribution.core.instruments.first_stage import long_run

Test = tuple[float, float]
"""A statistic, chi-squared in large samples, and its p by the F of few groups."""


@dataclass(frozen=True)
class Grouping:
    """How rows are taken together.

    Attributes
    ----------
    labels : one or two times (row,), whole numbers from zero without a gap.
    bandwidth : last lag between days where the one grouping is by day; None without a kernel.
    names : of the groupings.
    """

    labels: tuple[np.ndarray, ...]
    bandwidth: int | None
    names: tuple[str, ...]

    @property
    def groups(self) -> int:
        """Return how many groups the grouping with fewest has; one less are its freedom."""
        return min(int(each.max()) + 1 for each in self.labels)

    def summed(self, scores: np.ndarray) -> np.ndarray:
        """Covariance (estimate, estimate) of the sum of scores (row, estimate)."""
        if self.bandwidth is not None:
            (days,) = self.labels
            return _own(scores, days, self.bandwidth)
        total = np.zeros((scores.shape[1],) * 2)
        for each in self.labels:
            total = total + _own(scores, each, 0)
        if len(self.labels) == 2:
            both = self.labels[0] * (int(self.labels[1].max()) + 1) + self.labels[1]
            total = total - _own(scores, np.unique(both, return_inverse=True)[1], 0)
        return total

    def sandwich(self, x: np.ndarray, moved: np.ndarray, left: np.ndarray) -> np.ndarray:
        r"""Covariance of coefficients that make :math:`\tilde x' e` zero.

        .. math:: \frac{n - 1}{n - k} (\tilde x' x)^{-1} S (x' \tilde x)^{-1}

        Parameters
        ----------
        x, moved : (row, column), regressors and the part of them that is used.
        left : (row,), residuals.
        """
        rows, columns = x.shape
        bread = np.linalg.inv(moved.T @ x)
        found: np.ndarray = bread @ self.summed(moved * left[:, None]) @ bread.T
        return np.asarray((rows - 1) / (rows - columns) * found)

    def zero(self, outcome: np.ndarray, x: np.ndarray, last: int) -> Test:
        """Test by least squares that the last coefficients are all zero."""
        beta = np.linalg.lstsq(x, outcome, rcond=None)[0]
        covariance = self.sandwich(x, x, outcome - x @ beta)
        return self.law(beta[-last:], covariance[-last:, -last:])

    def law(self, found: np.ndarray, covariance: np.ndarray) -> Test:
        """Return the Wald statistic of estimates and its p; refuse what is no covariance."""
        scaled = np.linalg.solve(np.linalg.cholesky(covariance), found)
        value = float(scaled @ scaled)
        return value, float(stats.f.sf(value / len(found), len(found), self.groups - 1))


def _own(scores: np.ndarray, group: np.ndarray, bandwidth: int) -> np.ndarray:
    count = int(group.max()) + 1
    sums = np.zeros((count, scores.shape[1]))
    np.add.at(sums, group, scores)
    return count / (count - 1) * long_run(sums, bandwidth)
