"""A VAR with an external instrument: the instrument's noise in the likelihood, days missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from calibration import quantities, simulation
from calibration.conjugate import Conjugate, Observed
from calibration.ranks import Drawn, World

from attribution.core import niw
from attribution.core.instruments.gibbs import ProxyData, sample, start
from attribution.core.instruments.model import ProxyPrior, prior_draw
from attribution.core.instruments.model import simulate as simulated
from attribution.posterior import StructuralPosterior

NAMES = ("price", "volume")
BURN_IN, START = 400, np.array([[0.5, -1.0]])


@dataclass(frozen=True)
class Instrumented:
    """What a fit may see: the days, and the instrument on some of them."""

    seen: Observed
    instrument: np.ndarray


@dataclass(frozen=True)
class Proxied:
    """One instrument of the first shock, unseen on the first days; its loading is positive.

    Column and loading may be turned together, so truth and draws are both turned to a positive
    loading before they are ranked.
    """

    name: str = "proxy"
    days: int = 24
    unseen: int = 8
    draws: int = 99
    thin: int = 40

    @property
    def prior(self) -> ProxyPrior:
        """The closed-form designs' prior with one lag, and an instrument of spread 0.5."""
        reduced = Conjugate(lags=1).prior
        return ProxyPrior(reduced, np.array([0]), np.array([0.5]))

    def simulate(self, rng: np.random.Generator) -> World:
        """Draw parameters and data, and split the last day by hand."""
        prior = self.prior
        drawn = prior_draw(prior, 1, rng)
        series, instrument = simulated(
            prior, drawn, 0, before=START, periods=self.days, constant=True, rng=rng
        )
        instrument[: self.unseen] = np.nan
        impact = drawn.impact.copy()
        impact[:, :, 0] *= np.sign(drawn.loading[:, :1])
        slopes, intercept = niw.split(drawn.coefficients, constant=True)
        truth = simulation.Truth(slopes[0], intercept[0], impact[0])
        told = quantities.parameters(impact, slopes, intercept)
        known = {name: float(value[0]) for name, value in told.items()}
        error = series[-1] - intercept[0] - slopes[0, 0] @ series[-2]
        shocks = np.linalg.solve(impact[0], error)[None]
        known |= quantities.true_parts(truth, shocks, 1)
        known["baseline"] = quantities.true_baseline(truth, series[-2:-1], 1)
        known["loading"] = float(np.abs(drawn.loading[0, 0]))
        known["noise"] = float(np.log(drawn.noise[0, 0, 0]))
        known["reliability"] = float(drawn.reliability[0, 0])
        values: pd.DataFrame = simulation.frame(series, NAMES)
        seen = Observed(values, len(values), simulation.last_days(values, 1))
        return World(known, Instrumented(seen, instrument))

    def fit(self, data: Any, rng: np.random.Generator) -> Drawn:
        """Run the sampler of the product; keep draws that are far apart."""
        assert isinstance(data, Instrumented)
        prior, values = self.prior, data.seen.values
        response, regressors = niw.design(values.to_numpy(), lags=1)
        seen = ProxyData(response, regressors, data.instrument)
        found, _ = sample(
            prior,
            seen,
            start(prior, seen, rng),
            draws=self.draws,
            burn_in=BURN_IN,
            thin=self.thin,
            rng=rng,
        )
        impact = found.impact.copy()
        impact[:, :, 0] *= np.sign(found.loading[:, :1])
        slopes, intercept = niw.split(found.coefficients, constant=True)
        posterior = StructuralPosterior(
            variables=NAMES,
            shocks=("instrumented", "unnamed"),
            channels=("instrumented",),
            impact=impact[None],
            lag_coefficients=slopes[None],
            intercept=intercept[None],
            weight=np.ones((1, self.draws)),
        )
        drawn = quantities.parameters(impact, slopes, intercept)
        drawn |= quantities.drawn_parts(posterior, values, data.seen.window)
        drawn["loading"] = np.abs(found.loading[:, 0])
        drawn["noise"] = np.log(found.noise[:, 0, 0])
        drawn["reliability"] = found.reliability[:, 0]
        return Drawn(drawn)
