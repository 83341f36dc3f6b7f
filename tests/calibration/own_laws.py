"""Laws of every shock's own: heavy tails, volatility, regimes; they tell shocks apart, not by name.

Shocks come back in any order and with any sign, so what is ranked does not depend on either.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from calibration import quantities, simulation
from calibration.conjugate import Observed
from calibration.ranks import Drawn, World

from attribution.core import niw
from attribution.core.laws import structural_form as form
from attribution.errors import SpecError, nearest
from attribution.posterior import StructuralPosterior

LAWS = ("independent_t", "regimes", "stochastic_volatility")


@dataclass(frozen=True)
class OwnLaw:
    """A VAR(1) whose shocks have a law each; Gibbs, one chain, thinned."""

    name: str = "independent_t"
    law: str = "independent_t"
    variables: int = 2
    days: int = 30
    draws: int = 99
    burn_in: int = 500
    thin: int = 20
    ratio_sd: float = form.RATIO_SD

    def __post_init__(self) -> None:
        if self.law not in LAWS:
            raise SpecError(f"design '{self.name}': no law '{self.law}'{nearest(self.law, LAWS)}")

    @property
    def prior(self) -> niw.NormalInverseWishart:
        """Of coefficients and the covariance of unit shocks."""
        n = self.variables
        spread = 2.0 / (1.0 + np.arange(n))
        scale = np.diag(spread**2) + 0.4 * (np.outer(spread, spread) - np.diag(spread**2))
        return niw.NormalInverseWishart(
            np.vstack([np.zeros(n), 0.3 * np.eye(n)]),
            np.diag([1.0, *(10.0 * spread**2)]),
            scale,
            n + 4.0,
        )

    @property
    def spell(self) -> np.ndarray:
        """Regime of each day: the second begins after two fifths of the days."""
        return (np.arange(self.days) >= 2 * self.days // 5).astype(np.int64)

    def shock_law(self) -> form.ShockLaw:
        """Return the law that the sampler assumes."""
        if self.law == "regimes":
            return replace(form.regimes(self.spell), prior=(self.ratio_sd, 0.0, 0.0))
        laws = {
            "independent_t": form.independent_t,
            "stochastic_volatility": form.stochastic_volatility,
        }
        return laws[self.law](self.days)

    def _shocks(self, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Shocks (time, shock) by the definition of the law, and its hyperparameters (shock,)."""
        n, normal = self.variables, rng.standard_normal((self.days, self.variables))
        if self.law == "independent_t":
            dof = 2.1 + rng.gamma(form.DOF_SHAPE, 1.0 / form.DOF_RATE, n)
            wild = normal / np.sqrt(rng.chisquare(dof, (self.days, n)) / dof)
            return standardise(wild, dof), {"dof": dof}
        if self.law == "regimes":
            ratio = np.exp(self.ratio_sd * rng.standard_normal(n))
            return normal * np.where(self.spell[:, None] == 1, np.sqrt(ratio), 1.0), {
                "variance_2": ratio
            }
        persistence = 2 * rng.beta(*form.PERSISTENCE, n) - 1
        spread = np.abs(form.VOLATILITY_SD * rng.standard_normal(n))
        level = spread / np.sqrt(1 - persistence**2) * rng.standard_normal(n)
        logs = [level]
        for _ in range(self.days - 1):
            logs.append(persistence * logs[-1] + spread * rng.standard_normal(n))
        found = {"persistence": persistence, "volatility": spread}
        return normal * np.exp(0.5 * np.array(logs)), found

    def simulate(self, rng: np.random.Generator) -> World:
        """Draw a world; the last day, of which the sampler learns too, is split by hand."""
        n = self.variables
        sigma, drawn = simulation.conjugate(self.prior, 1, rng)
        impact = np.linalg.cholesky(sigma[0]) @ simulation.rotation(n, 1, rng)[0]
        truth = simulation.Truth(*simulation.split(drawn[0], n), impact)
        shocks, hyper = self._shocks(rng)
        path = np.concatenate([np.zeros((1, n)), truth.path(shocks, np.zeros((1, n)))])
        values = simulation.frame(path, tuple(f"series {i + 1}" for i in range(n)))
        parts = np.array([truth.carried(shocks[-1:], k)[:, 0].sum() for k in range(n)])
        told = self._known(
            impact[None],
            truth.lags[None],
            truth.intercept[None],
            parts[None],
            {name: value[None] for name, value in hyper.items()},
        )
        told["baseline"] = np.array([quantities.true_baseline(truth, path[-2:-1], 1)])
        window = simulation.last_days(values, 1)
        return World(
            {name: float(value[0]) for name, value in told.items()},
            Observed(values, len(path), window),
        )

    def _known(
        self,
        impact: np.ndarray,
        lags: np.ndarray,
        intercept: np.ndarray,
        parts: np.ndarray,
        hyper: dict[str, np.ndarray],
    ) -> dict[str, np.ndarray]:
        """Quantities that neither the order nor the sign of shocks changes."""
        found = quantities.parameters(impact, lags, intercept)
        found = {name: value for name, value in found.items() if not name.startswith("impact")}
        found["largest impact"] = np.abs(impact[:, 0]).max(1)
        found["fourth power of impacts"] = (impact**4).sum((1, 2))
        found["largest contribution"] = np.take_along_axis(
            parts, np.abs(parts).argmax(1)[:, None], 1
        )[:, 0]
        found["smallest contribution"] = parts.min(1)
        for name, value in hyper.items():
            if name != "accepted":
                found[f"least {name}"] = value.min(1)
                found[f"sum of {name}"] = value.sum(1)
        return found

    def fit(self, data: Any, rng: np.random.Generator) -> Drawn:
        """Run one chain from a dispersed start, and decompose the last day by the engine."""
        assert isinstance(data, Observed)
        series, n, law = data.values.to_numpy(), self.variables, self.shock_law()
        response, regressors = niw.design(series, lags=1)
        after = niw.posterior(self.prior, response, regressors)
        start = form.scattered_rows(after.mean, after.scale / after.dof, rng)
        z = np.hstack([regressors, response])
        chain = form.Chain(z, form.row_prior(self.prior), law, start, rng)
        chain.advance(1, every=self.burn_in)
        kept = chain.advance(self.draws, every=self.thin)
        impact = np.linalg.inv(kept.rows[:, :, -n:])
        coefficients = (-impact @ kept.rows[:, :, :-n]).swapaxes(1, 2)
        slopes, intercept = niw.split(coefficients, constant=True)
        names = tuple(map(str, data.values))
        shocks = tuple(f"shock {k + 1}" for k in range(n))
        posterior = StructuralPosterior(
            variables=names,
            shocks=shocks,
            channels=shocks,
            impact=impact[None],
            lag_coefficients=slopes[None],
            intercept=intercept[None],
            weight=np.ones((1, self.draws)),
        )
        parts = quantities.drawn_parts(posterior, data.values, data.window)
        each = np.stack([parts[f"contribution {k + 1}"] for k in range(n)], axis=1)
        hyper = {name: kept.hyper[..., i] for i, name in enumerate(law.names)}
        found = self._known(impact, slopes, intercept, each, hyper)
        return Drawn({**found, "baseline": parts["baseline"]})


def standardise(wild: np.ndarray, dof: np.ndarray) -> np.ndarray:
    r"""Scale Student shocks to variance one, :math:`\sqrt{(\nu - 2) / \nu}`."""
    found: np.ndarray = wild * np.sqrt((dof - 2) / dof)
    return found
