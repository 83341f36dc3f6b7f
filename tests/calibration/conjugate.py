"""The closed form: conjugate prior, recursive identification, and an event split by the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from calibration import quantities, simulation
from calibration.ranks import Drawn, World

from attribution.core import niw
from attribution.model.spec import Window
from attribution.posterior import StructuralPosterior


@dataclass(frozen=True)
class Observed:
    """What a fit may see: all days, the days it may learn from, and the event."""

    values: pd.DataFrame
    learnt: int
    window: Window


@dataclass(frozen=True)
class Conjugate:
    """Normal-inverse-Wishart VAR, impact matrix the Cholesky factor.

    ``event_days`` at the end are decomposed; the posterior learns from them too, for calibration
    is a property of the full posterior.  With ``crash`` other than one the shocks of the event are
    that many times larger, the posterior must not learn from them, and only parameters are ranked:
    a cut posterior is calibrated for nothing else.
    """

    name: str = "conjugate"
    variables: int = 2
    lags: int = 2
    days: int = 24
    event_days: int = 2
    draws: int = 99
    crash: float = 1.0

    @property
    def prior(self) -> niw.NormalInverseWishart:
        """Proper, no variable of unit variance: there some faults of a decomposition hide."""
        n = self.variables
        spread = 3.0 / (1.0 + np.arange(n))
        start = niw.minnesota(
            spread,
            lags=self.lags,
            constant=True,
            own_lag=np.full(n, 0.3),
            tightness=0.3,
            decay=1.0,
            intercept_scale=1.0,
        )
        scale = start.scale + 0.4 * (np.outer(spread, spread) - start.scale)
        return niw.NormalInverseWishart(start.mean, start.precision, scale, n + 4.0)

    def simulate(self, rng: np.random.Generator) -> World:
        """Draw Σ and B from the prior, days from them, and split the last ones by hand."""
        n, p = self.variables, self.lags
        sigma, drawn = simulation.conjugate(self.prior, 1, rng)
        truth = simulation.Truth(*simulation.split(drawn[0], n), np.linalg.cholesky(sigma[0]))
        shocks = rng.standard_normal((self.days + self.event_days, n))
        shocks[self.days :] *= self.crash
        path = np.concatenate([np.zeros((p, n)), truth.path(shocks, np.zeros((p, n)))])
        values = simulation.frame(path, tuple(f"series {i + 1}" for i in range(n)))
        learnt = len(path) if self.crash == 1 else p + self.days
        seen = Observed(values, learnt, simulation.last_days(values, self.event_days))
        known = quantities.parameters(truth.impact[None], truth.lags[None], truth.intercept[None])
        response, regressors = quantities.by_hand(path[:learnt], p)
        known["log likelihood"] = quantities.log_likelihood(
            response, regressors, drawn, truth.impact[None]
        )
        told = {name: float(value[0]) for name, value in known.items()}
        if self.crash == 1:
            event = slice(len(path) - self.event_days, None)
            history = path[: event.start][-p:]
            told |= quantities.true_parts(truth, shocks[self.days :], n)
            told["baseline"] = quantities.true_baseline(truth, history, self.event_days)
        return World(told, seen)

    def fit(self, data: Any, rng: np.random.Generator) -> Drawn:
        """Draw the posterior in closed form; decompose by the engine."""
        assert isinstance(data, Observed)
        series = data.values.to_numpy()[: data.learnt]
        after = niw.posterior(self.prior, *niw.design(series, lags=self.lags))
        impact = niw.draw_factor(after, self.draws, rng)
        coefficients = niw.draw_coefficients(after, impact, rng)
        slopes, intercept = niw.split(coefficients, constant=True)
        found = quantities.parameters(impact, slopes, intercept)
        response, regressors = quantities.by_hand(series, self.lags)
        found["log likelihood"] = quantities.log_likelihood(
            response, regressors, coefficients, impact
        )
        if self.crash != 1:
            return Drawn(found)
        names = tuple(map(str, data.values))
        posterior = StructuralPosterior(
            variables=names,
            shocks=names,
            channels=names,
            impact=impact[None],
            lag_coefficients=slopes[None],
            intercept=intercept[None],
            weight=np.ones((1, self.draws)),
        )
        return Drawn({**found, **quantities.drawn_parts(posterior, data.values, data.window)})
