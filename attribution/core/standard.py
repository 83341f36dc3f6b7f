r"""Series in their own units in; series of order one, and the way back for a VAR of them, out.

.. math:: z_{it} = (y_{it} - o_i) / s_i

with o the mean of the first ``lags`` rows, on which every estimate is conditioned, or zero, and s
the standard deviation.  Estimators work in z: no unit, and no distance from zero, touches a digit,
a threshold or a prior.  A VAR of z is one of y, with

.. math:: A_l = \mathrm{diag}(s)\,A^z_l\,\mathrm{diag}(s)^{-1}, \qquad
    c = o + \mathrm{diag}(s)\,c^z - \sum_l A_l\,o
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.core.niw import NormalInverseWishart


@dataclass(frozen=True)
class Standard:
    """Coordinates of every series.

    Attributes
    ----------
    origin : (variable,) o; zero where there is no constant, for the model then says where zero is,
        and where the prior does.
    unit : (variable,) s; unit of the variable.
    constant : whether the first regressor is a constant.
    """

    origin: np.ndarray
    unit: np.ndarray
    constant: bool

    @staticmethod
    def of(series: np.ndarray, *, lags: int, constant: bool, centred: bool = True) -> Standard:
        """Choose coordinates for series (time, variable), none of them constant."""
        origin = (
            series[: max(lags, 1)].mean(0) if constant and centred else np.zeros(series.shape[1])
        )
        return Standard(origin, (series - origin).std(0), constant)

    def inward(self, series: np.ndarray) -> np.ndarray:
        """Series (..., variable) in these coordinates."""
        moved: np.ndarray = (series - self.origin) / self.unit
        return moved

    def impact(self, inner: np.ndarray) -> np.ndarray:
        """Impacts (..., variable, shock), or factors of a covariance, in units of the data."""
        outer: np.ndarray = self.unit[:, None] * inner
        return outer

    def covariance(self, inner: np.ndarray) -> np.ndarray:
        """Covariances (..., variable, variable) in units of the data."""
        outer: np.ndarray = inner * np.outer(self.unit, self.unit)
        return outer

    def coefficients(self, inner: np.ndarray) -> np.ndarray:
        """Coefficients (..., regressor, variable) of ``niw.design`` in units of the data."""
        first = int(self.constant)
        times = (inner.shape[-2] - first) // len(self.unit)
        outer = np.array(inner)
        outer[..., first:, :] *= self.unit / np.tile(self.unit, times)[:, None]
        if first:
            carried = np.tile(self.origin, times) @ outer[..., first:, :]
            outer[..., 0, :] = self.origin - carried + self.unit * inner[..., 0, :]
        return outer

    def regressors(self, size: int) -> np.ndarray:
        """Return M (regressor, regressor) with x = M z for the regressors of ``niw.design``."""
        first = int(self.constant)
        times = (size - first) // len(self.unit)
        change = np.diag(np.concatenate([np.ones(first), np.tile(self.unit, times)]))
        if first:
            change[1:, 0] = np.tile(self.origin, times)
        return change

    def restored(self, inner: NormalInverseWishart) -> NormalInverseWishart:
        """Return a law of (B, Σ) in units of the data."""
        change = self.regressors(len(inner.mean))
        return NormalInverseWishart(
            self.coefficients(inner.mean),
            change @ inner.precision @ change.T,
            self.covariance(inner.scale),
            inner.dof,
        )
