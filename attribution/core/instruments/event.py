r"""A VAR with an instrument and the days of a window in; what the instrument's shock added out.

With :math:`M = \Sigma^{-1}` the shock is :math:`\Gamma'M u_t / \sqrt{\Gamma'M\Gamma}`, and its
contribution to the sum of variable i over the window's days :math:`s = 1, \ldots, S` is

.. math::
    c = \sum_s r_{S-s}' \Gamma \, \frac{\Gamma' M u_s}{\Gamma' M \Gamma}
      = \frac{\Gamma' N \Gamma}{\Gamma' M \Gamma}, \qquad
    r_d = \sum_{j \le d} e_i' \Psi_j

the same for Γ of every length and either sign.  So c is always bounded, by the extreme eigenvalues
of N against M: those are its values over *all* directions, and all that is left to say where the
instrument says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh
from scipy.optimize import minimize
from scipy.stats import chi2

from attribution.core.instruments.first_stage import ConfidenceSet
from attribution.core.instruments.instrument import (
    Estimate,
    ProxyVar,
    coefficient_influence,
    covariance_of,
    delta_interval,
    moving_average,
    response_gradient,
)

STARTS = 4
"""Local searches behind an end of a set, from the best of some trial directions."""


@dataclass(frozen=True)
class EventEstimate:
    """A contribution, its sets, and what a shock of any direction could have added.

    Attributes
    ----------
    estimate : the contribution; its ``robust`` set is a projection.
    possible : extremes over all directions, at the estimated coefficients.
    silent : whether the instrument excludes no direction at all.
    """

    estimate: Estimate
    possible: ConfidenceSet
    silent: bool

    def scaled(self, factor: float) -> EventEstimate:
        """Return the same in another unit; the factor is positive."""
        possible = self.possible.scaled(factor)
        return EventEstimate(self.estimate.scaled(factor), possible, self.silent)


def contribution(
    var: ProxyVar, response: np.ndarray, regressors: np.ndarray, *, variable: int, level: float
) -> EventEstimate:
    r"""Estimate what the instrument's shock added to the sum of a variable over a window.

    A direction and a value are tested together: given a direction :math:`\gamma`, both
    :math:`\hat\Gamma - r\gamma` and :math:`c(\gamma; \hat B, \hat\Sigma)` are normal to first
    order however weak the instrument is, with n − 1 degrees of freedom and one.  The robust set
    holds every value that some direction keeps within :math:`\chi^2_n(\mathrm{level})`.  Being a
    projection it is conservative, the more so the more variables there are.

    Parameters
    ----------
    response, regressors : (day, variable), (day, regressor); consecutive days of the window.

    References
    ----------
    montielolea2021, sec. 3; dufour1997
    """
    window = _Window(var, response, regressors, variable)
    value, se = _plug_in(window)
    ends = eigh(window.form, window.precision, eigvals_only=True)
    critical = float(chi2.ppf(level, len(var.gamma)))
    search = _Search(window, critical)
    robust = ConfidenceSet("interval", -search.farthest(-1.0), search.farthest(1.0))
    return EventEstimate(
        Estimate(value, se, delta_interval(value, se, level), robust),
        ConfidenceSet("interval", float(ends[0]), float(ends[-1])),
        search.room >= 0.0,
    )


def plug_in(
    var: ProxyVar, response: np.ndarray, regressors: np.ndarray, *, variable: int
) -> tuple[float, float]:
    """Return the contribution and its delta-method standard error; see ``contribution``."""
    return _plug_in(_Window(var, response, regressors, variable))


def _plug_in(window: _Window) -> tuple[float, float]:
    var = window.var
    value, gradient, by_rest = window.at(var.gamma)
    influence = by_rest + var.gamma_influence @ gradient
    return value, float(np.sqrt(covariance_of(influence[:, None], var.hac_lags)[0, 0]))


class _Window:
    """The contribution as a function of Γ, with its gradient and the influence of B and Σ."""

    def __init__(
        self, var: ProxyVar, response: np.ndarray, regressors: np.ndarray, variable: int
    ) -> None:
        days = len(response)
        self.var, self.variable, self.regressors = var, variable, regressors
        self.precision = np.linalg.inv(var.covariance)
        self.moved = (response - regressors @ var.coefficients) @ self.precision  # M u_s
        self.psi = moving_average(var.slopes, days - 1)
        self.reach = np.cumsum(self.psi[:, variable], 0)[::-1]  # (day, variable): r_{S-s}
        outer = self.reach.T @ self.moved
        self.form = 0.5 * (outer + outer.T)

    def at(self, gamma: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Return value, gradient (variable,) and influence (time,) at one Γ."""
        seen = self.precision @ gamma
        size = float(gamma @ seen)
        struck, passed = self.moved @ gamma / size, self.reach @ gamma
        value = float(passed @ struck)
        pull = passed @ self.moved - value * seen
        by_gamma = struck @ self.reach + (pull - value * seen) / size
        by_sigma = -0.5 * (np.outer(seen, pull) + np.outer(pull, seen)) / size
        by_b = -np.outer(passed @ self.regressors, seen) / size
        theta = self.psi @ gamma
        later = np.cumsum(struck)[::-1]  # response j is felt by all but the last j days' sums
        for h in range(1, len(struck)):
            by_b += later[h] * response_gradient(self.var, self.psi, theta, h, self.variable)
        scatter = ((self.var.errors @ by_sigma) * self.var.errors).sum(1)
        influence = scatter - scatter.mean() + coefficient_influence(self.var, by_b)
        return value, by_gamma, influence


class _Search:
    r"""Extremes of a contribution over directions that an instrument does not exclude.

    In the metric of Γ's covariance a direction is a unit vector x, :math:`g = L^{-1}\hat\Gamma`,
    the nearest point of its line misses g by :math:`w = (x'g) x - g`, and what is left of the
    critical value, :math:`q - w'w`, is spent on the noise of B and Σ that Γ's does not share.
    """

    def __init__(self, window: _Window, critical: float) -> None:
        var = window.var
        self.window, self.critical, self.hac_lags = window, critical, var.hac_lags
        self.root = np.linalg.cholesky(covariance_of(var.gamma_influence, var.hac_lags))
        self.center = np.linalg.solve(self.root, var.gamma)
        self.white = np.linalg.solve(self.root, var.gamma_influence.T).T
        self.room = critical - float(self.center @ self.center)

    def left(self, x: np.ndarray) -> float:
        """Return what a direction leaves of the critical value; negative where it is excluded."""
        return self.room + float(x @ self.center) ** 2 / float(x @ x)

    def reached(self, point: np.ndarray, side: float) -> float:
        """Contribution (or its negative) of a direction, plus so many sd of B's and Σ's noise."""
        x = point[:-1] / np.linalg.norm(point[:-1])
        value, _, influence = self.window.at(self.root @ x)
        both = covariance_of(np.column_stack([influence, self.white]), self.hac_lags)
        shared = both[0, 1:]
        own = max(both[0, 0] - float(shared @ shared), 0.0)
        missed = (x @ self.center) * x - self.center
        return side * (value + float(shared @ missed)) + float(np.sqrt(own) * point[-1])

    def farthest(self, side: float) -> float:
        """Return the end of the set on one side, by local searches from the best trials."""
        points = [np.append(x, np.sqrt(max(self.left(x), 0.0))) for x in self.trials()]
        points.sort(key=lambda point: -self.reached(point, side))
        best = self.reached(points[0], side)
        for point in points[:STARTS]:
            found = minimize(
                lambda y: -self.reached(y, side),
                point,
                method="SLSQP",
                constraints={"type": "ineq", "fun": lambda y: self.left(y[:-1]) - y[-1] ** 2},
            ).x
            if self.left(found[:-1]) - found[-1] ** 2 >= -1e-6 * self.critical:
                best = max(best, self.reached(found, side))
        return best

    def trials(self) -> list[np.ndarray]:
        """Return the estimate, and the edge of what is not excluded along each axis."""
        n, size = len(self.center), float(np.linalg.norm(self.center))
        middle = self.center / size
        reach = np.inf if self.room >= 0 else np.sqrt(self.critical / -self.room)
        found = [middle]
        for axis in np.linalg.svd(middle[None])[2][1:]:
            for tilt in (0.5, 0.999):
                slope = min(reach, 1e3) * tilt
                found += [middle + slope * axis, middle - slope * axis]
        vectors = eigh(self.window.form, self.window.precision)[1]
        ends = np.linalg.solve(self.root, vectors[:, [0, n - 1]]).T
        found += [end for end in ends if self.left(end) >= 0.0]
        return [x / np.linalg.norm(x) for x in found]
