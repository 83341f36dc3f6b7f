"""A prior of rows and a law per shock in; parameters, data and posterior chains of a trial out.

What simulation-based calibration and the joint-distribution test of a Gibbs sampler need: the
prior stays put while the data change, as it does not where it is scaled by the data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.core import niw
from attribution.core.laws import structural_form as form
from attribution.core.laws import structural_simulation


@dataclass(frozen=True)
class Trial:
    """Parameters drawn from the prior, and data drawn given them.

    Attributes
    ----------
    impact : (draw, variable, shock).
    coefficients : (draw, regressor, variable); constant first if any, then nearest lag first.
    scale : (draw, time, shock); standard deviation of each shock.
    hyper : (draw, shock, hyperparameter), in the order of ``law.names``.
    tightness : (draw,).
    series : (draw, lag + time, variable).
    """

    impact: np.ndarray
    coefficients: np.ndarray
    scale: np.ndarray
    hyper: np.ndarray
    tightness: np.ndarray
    series: np.ndarray


@dataclass(frozen=True)
class StructuralModel:
    """A structural VAR with a proper prior, ready to be drawn from and fitted.

    Attributes
    ----------
    prior, law : of the rows, and of the shocks; the law fixes how many days there are.
    start : (lag, variable); the days before the first.
    constant : whether the first regressor is a constant.
    """

    prior: form.RowPrior
    law: form.ShockLaw
    start: np.ndarray
    constant: bool

    def draw(self, draws: int, rng: np.random.Generator) -> Trial:
        """Draw parameters from the prior, and data."""
        n = self.start.shape[1]
        rows, tightness = structural_simulation.draw_rows(self.prior, n, draws, rng)
        hyper = form.draw_hyper(self.law, (draws, n), rng)
        precision = structural_simulation.draw_precision(self.law, hyper, rng)
        series = structural_simulation.simulate(
            rows, precision, self.start, constant=self.constant, rng=rng
        )
        return Trial(
            *structural_simulation.structural_coefficients(rows),
            scale=precision.swapaxes(1, 2) ** -0.5,
            hyper=hyper,
            tightness=tightness,
            series=series,
        )

    def chain(self, series: np.ndarray, rng: np.random.Generator) -> form.Chain:
        """Return a chain for one data set (lag + time, variable), started at a prior draw."""
        lags, n = self.start.shape
        response, regressors = niw.design(series, lags=lags, constant=self.constant)
        rows, _ = structural_simulation.draw_rows(self.prior, n, 1, rng)
        z = np.hstack([regressors, response])
        return form.Chain(z, self.prior, self.law, rows[0], rng)
