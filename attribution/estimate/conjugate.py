r"""A question and the observed rows in; the conjugate prior and independent draws out.

.. math:: \Sigma \mid Y \sim IW(S, \nu), \qquad
    \mathrm{vec}\,B \mid \Sigma, Y \sim N(\mathrm{vec}\,\bar B, \Sigma \otimes P^{-1})
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.core import niw
from attribution.core.dummies import unit_root_dummies
from attribution.core.standard import Standard
from attribution.model.spec import ModelSpec
from attribution.reduced import Batch


def conjugate_prior(
    spec: ModelSpec,
    series: np.ndarray,
    *,
    spread: np.ndarray | None = None,
) -> niw.NormalInverseWishart:
    """Return the prior that the model file asks for, its dummy observations absorbed.

    Parameters
    ----------
    series : (time, variable); the estimation rows, lags included, measured from where the prior of
        the constants is centred.
    spread : (variable,); residual scales of the prior, those of the series' own autoregressions if
        not given.

    References
    ----------
    doan1984; giannone2015; uhlig2005, app. B
    """
    lags, constant, settings = spec.system.lags, spec.system.constant, spec.prior
    n = len(spec.system.variables)
    if settings.flat:
        start = niw.flat(n, int(constant) + n * lags)
    else:
        start = niw.minnesota(
            niw.autoregressive_spread(series) if spread is None else np.asarray(spread, float),
            lags=lags,
            constant=constant,
            own_lag=own_lags(spec),
            tightness=settings.tightness,
            decay=settings.decay,
            intercept_scale=settings.intercept_scale,
        )
    response, regressors = unit_root_dummies(
        series[:lags].mean(axis=0),
        lags=lags,
        constant=constant,
        sum_of_coefficients=settings.sum_of_coefficients,
        single_unit_root=settings.single_unit_root,
    )
    return niw.posterior(start, response, regressors) if len(response) else start


def standardised(spec: ModelSpec, frame: pd.DataFrame) -> tuple[Standard, np.ndarray]:
    """Return coordinates for the estimation rows (time, variable), and the rows in them.

    The prior of the constants is centred on the first rows; where artificial observations of unit
    roots join it, on the zero of the data, as all of them are published.
    """
    system, series = spec.system, frame.to_numpy(float)
    standard = Standard.of(
        series, lags=system.lags, constant=system.constant, centred=not spec.prior.unit_roots
    )
    return standard, standard.inward(series)


def own_lags(spec: ModelSpec) -> np.ndarray:
    """Prior means of the first own lags (variable,)."""
    return np.array([spec.prior.mean_of(name) for name in spec.system.variables])


def mode_of(posterior: niw.NormalInverseWishart) -> tuple[np.ndarray, np.ndarray]:
    r"""Return coefficients (regressor, variable) and Σ at their marginal modes.

    .. math:: \bar B, \qquad \frac{S}{\nu + n + 1}
    """
    return posterior.mean, posterior.scale / (posterior.dof + len(posterior.scale) + 1.0)


@dataclass(eq=False)  # it goes on where its last batch ended
class ConjugateForm:
    """Independent draws from a closed-form posterior, laid out as chains of equal length.

    Attributes
    ----------
    inner : posterior of (B, Σ), the days in ``time`` taken in, in the coordinates of ``standard``.
    standard : the way back to units of the data.
    rng : what every draw comes from.
    """

    variables: tuple[str, ...]
    time: pd.DatetimeIndex
    constant: bool
    chains: int
    notes: Mapping[str, object]
    inner: niw.NormalInverseWishart
    standard: Standard
    rng: np.random.Generator

    @property
    def posterior(self) -> niw.NormalInverseWishart:
        """The posterior of (B, Σ) in units of the data."""
        return self.standard.restored(self.inner)

    @property
    def mode(self) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients (regressor, variable) and Σ at their marginal modes."""
        return mode_of(self.posterior)

    def batch(self, draws: int) -> Batch:
        """Draw factors now and coefficients for whichever of them are asked for."""
        n = len(self.variables)
        factor = niw.draw_factor(self.inner, self.chains * draws, self.rng)

        def coefficients(chosen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
            return self.standard.coefficients(
                niw.draw_coefficients(self.inner, factor[chosen], rng)
            )

        return Batch(
            factor=self.standard.impact(factor).reshape(self.chains, draws, n, n),
            coefficients=coefficients,
            weight=np.ones((self.chains, draws)),
        )


def conjugate_form(
    spec: ModelSpec,
    frame: pd.DataFrame,
    rng: np.random.Generator,
    *,
    chains: int,
    spread: np.ndarray | None = None,
) -> ConjugateForm:
    """Update the prior with the rows of ``frame`` (time, variable), lags included."""
    lags = spec.system.lags
    standard, series = standardised(spec, frame)
    given = None if spread is None else spread / standard.unit
    prior = conjugate_prior(spec, series, spread=given)
    response, regressors = niw.design(series, lags=lags, constant=spec.system.constant)
    posterior = niw.posterior(prior, response, regressors)
    proper = prior.dof > len(prior.scale) - 1 and not spec.prior.flat
    evidence = niw.log_evidence(prior, posterior) if proper else 0.0
    log_units = len(response) * np.log(standard.unit).sum()  # of a density of the data
    return ConjugateForm(
        variables=spec.system.variables,
        time=pd.DatetimeIndex(frame.index[lags:]),
        constant=spec.system.constant,
        chains=chains,
        notes={"log_evidence": evidence - float(log_units)} if proper else {},
        inner=posterior,
        standard=standard,
        rng=rng,
    )
