"""A question and a start in; parameters drawn from its prior and the series they make out.

The other half of calibration: what ``reduced_form`` is told to believe, made to happen.  Given
the first rows and the residual scales, both fixed beforehand, every prior here is proper and the
same as the estimator's, so that ranks of the truth among posterior draws are uniform.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from attribution.core import niw
from attribution.core.laws.hierarchy import (
    BOUNDS,
    DECAY_BOUNDS,
    WIDTH,
    decay_law,
    residual_rates,
    tightness_laws,
)
from attribution.core.laws.structural_simulation import paths
from attribution.core.standard import Standard
from attribution.errors import SpecError
from attribution.model.scheme import ROTATION_INVARIANT
from attribution.model.spec import ModelSpec
from attribution.var.estimate.conjugate import conjugate_prior
from attribution.var.estimate.reduced_form import scale_law, unit_variance

TRIES = 1000
"""Proposals made at once where a truncated law is drawn by rejection."""


@dataclass(frozen=True)
class PriorDraw:
    """One draw, in the terms of ``Batch``.

    Attributes
    ----------
    values : (time, variable); the given first rows, then the simulated ones.
    coefficients : (regressor, variable).
    factor : (variable, variable); lower triangular P.
    scale : (day,); s of every estimation day.
    hyper : name -> value(s) of whatever else was drawn.
    """

    values: pd.DataFrame
    coefficients: np.ndarray
    factor: np.ndarray
    scale: np.ndarray
    hyper: Mapping[str, np.ndarray] = field(default_factory=dict)


def prior_draw(
    spec: ModelSpec,
    start: np.ndarray,
    index: pd.DatetimeIndex,
    *,
    spread: np.ndarray,
    rng: np.random.Generator,
) -> PriorDraw:
    """Draw parameters from the prior and simulate a sample given its first rows.

    Parameters
    ----------
    start : (lag, variable); the first ``lags`` rows, which the dummy observations stand on.
    index : days of the sample, those of ``start`` included; ``errors.outliers`` are among them.
    spread : (variable,); residual scales of the prior, as given to ``reduced_form``.

    Raises
    ------
    SpecError
        If the prior is flat or the law is not invariant to rotations.

    References
    ----------
    giannone2015; lenza2022; talts2018
    """
    law, system = spec.errors.law, spec.system
    if spec.prior.flat or law not in ROTATION_INVARIANT:
        raise SpecError(
            f"model '{spec.name}': no data come from a flat prior or, here, from law '{law}'; use a"
            f" Minnesota prior and one of {', '.join(ROTATION_INVARIANT)}"
        )
    spread = np.asarray(spread, float)
    hyper: dict[str, np.ndarray] = {}
    if spec.prior.hierarchical:
        spec, spread, hyper = _given(spec, spread, rng)
    centred = system.constant and not spec.prior.unit_roots
    origin = start.mean(0) if centred else np.zeros(len(spread))
    standard = Standard(origin, np.ones(len(spread)), system.constant)
    prior = standard.restored(conjugate_prior(spec, standard.inward(start), spread=spread))
    factor = niw.draw_factor(prior, 1, rng)
    coefficients = niw.draw_coefficients(prior, factor, rng)[0]
    days = index[system.lags :]
    scales = scale_law(law, spec.errors.dof)
    parameters = scales.draw(rng)
    log_variance, mixing = scales.draw_scales(parameters, len(days), rng)
    scale = np.exp(0.5 * log_variance) * np.sqrt(mixing)
    if law == "student_t":
        hyper["dof"] = parameters[0]
    if law == "common_volatility":
        hyper |= {"persistence": parameters[1], "volatility": parameters[2]}
    if spec.errors.outliers:
        hyper["outlier_scale"] = 1.0 / (1.0 - rng.random(len(spec.errors.outliers)))
        listed = days.get_indexer(pd.DatetimeIndex(sorted(spec.errors.outliers)))
        scale[listed] *= hyper["outlier_scale"]
    errors = scale * (factor[0] @ rng.standard_normal((len(system.variables), len(days))))
    path = paths(coefficients.T[None], errors[None], start, constant=system.constant)[0]
    unit = unit_variance(parameters[None])[0]
    return PriorDraw(
        values=pd.DataFrame(path, index, list(system.variables)),
        coefficients=coefficients,
        factor=factor[0] * unit,
        scale=scale / unit,
        hyper={name: np.asarray(value) for name, value in hyper.items()},
    )


def _given(
    spec: ModelSpec, spread: np.ndarray, rng: np.random.Generator
) -> tuple[ModelSpec, np.ndarray, dict[str, np.ndarray]]:
    """Draw the hyperparameters and return the model in which they are given."""
    chosen: dict[str, float] = {}
    laws = tightness_laws() | {"decay": decay_law()}
    bounds = np.exp([*BOUNDS, DECAY_BOUNDS])
    for (name, (shape, rate)), (low, high) in zip(laws.items(), bounds, strict=True):
        if spec.prior.infers(name):
            tried = rng.gamma(shape, 1.0 / rate, TRIES)
            chosen[name] = float(tried[(tried > low) & (tried < high)][0])
    found = {name: np.asarray(value) for name, value in chosen.items()}
    if spec.prior.infers("residual_scales"):
        spread = np.array([_residual_scale(center, rng) for center in spread])
        found["residual_scale"] = spread
    elif spec.prior.residual_scales:
        given = dict(spec.prior.residual_scales)
        spread = np.array([given[name] for name in spec.system.variables])
    prior = replace(spec.prior, hierarchical=False, **chosen)  # type: ignore[arg-type]
    return replace(spec, prior=prior), spread, found


def _residual_scale(center: float, rng: np.random.Generator) -> float:
    """Draw ψ^½: an inverse gamma law of ψ inside its bounds, by rejection in logs."""
    shape, rate = residual_rates()
    low, high = 2.0 * np.log(center) - WIDTH, 2.0 * np.log(center) + WIDTH
    peak = np.clip(np.log(rate / shape), low, high)
    while True:
        tried = rng.uniform(low, high, TRIES)
        gain = -shape * (tried - peak) - rate * (np.exp(-tried) - np.exp(-peak))
        kept = tried[np.log1p(-rng.random(TRIES)) < gain]
        if len(kept):
            return float(np.exp(0.5 * kept[0]))
