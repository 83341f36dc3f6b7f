"""Levels: a local level and static regression; rows in, exact independent draws out."""

from __future__ import annotations

import numpy as np
import xarray as xr

from attribution.core.level_regression import LevelModel, forecast_level, sample_level
from attribution.estimate.counterfactual import Counterfactual, chained
from attribution.estimate.counterfactual_rows import CounterfactualRows
from attribution.model.counterfactual import CounterfactualQuestion

BAND = 400
"""Draws from which the band of the pre-period is drawn."""


def level_model(question: CounterfactualQuestion) -> LevelModel:
    """Translate the question's prior."""
    slab = question.prior.law == "spike_and_slab"
    return LevelModel(
        level_sd=question.level.sd,
        level_df=question.level.df,
        slope_sd=None if slab else question.prior.sd,
        expected=question.prior.expected,
    )


def counterfactual_level(
    question: CounterfactualQuestion, rows: CounterfactualRows, *, draws: int, seed: int
) -> Counterfactual:
    r"""Predict the level that the controls and the local level before the event imply.

    .. math:: y_t = \mu_t + x_t'\beta + \varepsilon_t, \qquad \mu_{t+1} = \mu_t + \eta_t

    Outcome and controls are standardised by mean and sd of the pre-period.  State, coefficients
    and subsets of controls are integrated out in closed form; the two variances lie on a grid, so
    draws are independent and there is nothing to converge.

    Parameters
    ----------
    draws : a multiple of four.

    References
    ----------
    brodersen2015; scott2014; harvey1989
    """
    n, k = rows.pre, len(question.controls)
    rng = np.random.default_rng(seed)
    y, x = rows.outcome[:n], rows.controls[:n]
    centre, spread = y.mean(), y.std(ddof=1)
    means, sds = x.mean(0), x.std(0, ddof=1)
    found = sample_level(
        (y - centre) / spread, (x - means) / sds, level_model(question), draws=draws, rng=rng
    )
    ahead = (rows.controls[n:] - means) / sds
    predicted = centre + spread * forecast_level(found, ahead, rng)
    b = found.coefficients
    expected = centre + spread * (b[:, :1] + found.level[:, None] + b[:, 1:] @ ahead.T)
    slopes = b[:, 1:] * spread / sds
    moved = rows.controls[n:] - rows.controls[n - 1]
    noise = rng.standard_normal((min(BAND, draws), n)) * found.noise[:BAND, None]
    posterior = xr.Dataset(
        {
            "noise_sd": (("chain", "draw"), chained(found.noise * spread)),
            "level_sd": (("chain", "draw"), chained(found.step * spread)),
            "included": (("chain", "draw", "control"), chained((b[:, 1:] != 0).astype(float))),
        },
        {"control": list(question.controls)},
    )
    if question.prior.law != "spike_and_slab":
        posterior = posterior.drop_vars("included")
    return Counterfactual(
        predicted=chained(predicted),
        expected=chained(expected),
        accounted=chained(slopes[:, None, :] * moved[None]).reshape(*_shape(draws), -1, k),
        fitted=centre + spread * (found.fitted[:BAND] + noise),
        coefficients=chained(slopes),
        posterior=posterior,
    )


def _shape(draws: int) -> tuple[int, int]:
    shape = chained(np.empty(draws)).shape
    return shape[0], shape[1]
