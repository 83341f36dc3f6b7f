r"""A question and the observed rows in; the conjugate prior and independent draws out.

.. math:: \Sigma \mid Y \sim IW(S, \nu), \qquad
    \mathrm{vec}\,B \mid \Sigma, Y \sim N(\mathrm{vec}\,\bar B, \Sigma \otimes P^{-1})
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import xarray as xr

from attribution.core import niw
from attribution.core.niw import unit_root_dummies
from attribution.core.standard import Standard
from attribution.errors import DataError, SpecError, nearest
from attribution.model.spec import ModelSpec
from attribution.posterior import StructuralPosterior
from attribution.runs.labels import DRAW, lead
from attribution.var.reduced import Batch


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
    prior : that of (B, Σ) in the same coordinates; None where it is improper.
    """

    variables: tuple[str, ...]
    time: pd.DatetimeIndex
    constant: bool
    chains: int
    notes: Mapping[str, object]
    inner: niw.NormalInverseWishart
    standard: Standard
    rng: np.random.Generator
    prior: niw.NormalInverseWishart | None = None

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
            return self._coefficients(factor[chosen], rng)

        return Batch(
            factor=self.standard.impact(factor).reshape(self.chains, draws, n, n),
            coefficients=coefficients,
            weight=np.ones((self.chains, draws)),
        )

    def coefficients(self, impact: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw B (draw, regressor, variable), one for each impact (draw, variable, shock)."""
        return self._coefficients(impact / self.standard.unit[:, None], rng)

    def _coefficients(self, inner: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return self.standard.coefficients(niw.draw_coefficients(self.inner, inner, rng))


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
        prior=prior if proper else None,
    )


def log_prior(
    prior: niw.NormalInverseWishart | None, standard: Standard, of: StructuralPosterior
) -> dict[str, xr.Dataset]:
    """Make group ``/log_prior`` (chain, draw): that of (B, Σ); nothing where it is improper.

    The uniform law of rotations and the claims of a table add constants, which are left out.

    Parameters
    ----------
    prior : in the coordinates of ``standard``.
    """
    if prior is None:
        return {}
    coefficients = niw.joined(of.lag_coefficients, of.intercept, constant=standard.constant)
    log = niw.log_density(standard.restored(prior), of.impact, coefficients)
    return {"/log_prior": xr.Dataset({"coefficients_and_covariance": (DRAW, log)}, lead(of.weight))}


# A question and the observed series in; the rows a closed-form estimator may use out.

CHAINS = 4


def refuse_settings(spec: ModelSpec, draws: int, event_in: str, *, estimator: str) -> None:
    """Refuse settings that an estimator without a scale of its own for each day cannot meet.

    Raises
    ------
    SpecError
        If the event is to be scaled, the setting is unknown, or the draws do not fill the chains.
    """
    place = f"model '{spec.name}'"
    if event_in == "scale":
        raise SpecError(
            f"{place}: {estimator} has no scale of its own for the event days;"
            " use --event-in out or in, or kind 'bvar'"
        )
    if event_in not in ("out", "in"):
        raise SpecError(
            f"{place}: event-in is '{event_in}'; use out or in{nearest(event_in, ('out', 'in'))}"
        )
    if draws < CHAINS or draws % CHAINS:
        raise SpecError(
            f"{place}: {draws} draws do not fill {CHAINS} equal chains;"
            f" ask for {max(1, -(-draws // CHAINS)) * CHAINS}"
        )


def estimation_sample(
    spec: ModelSpec, values: pd.DataFrame, event_in: str, *, last: date
) -> pd.DataFrame:
    """Return the estimation rows, lags included: complete, long enough, no column degenerate.

    Leading days on which a series has not begun are left out.

    Parameters
    ----------
    event_in : ``out`` ends the sample before ``event.hold_out``, ``in`` with the day ``last``.

    Raises
    ------
    DataError
        If a column or a value is missing, a column constant, two collinear, or rows too few.
    """
    names = list(spec.system.variables)
    for name in names:
        if name not in values:
            raise DataError(f"column '{name}': the data lack it{nearest(name, values.columns)}")
    frame = values.loc[pd.Timestamp(spec.sample.start) : pd.Timestamp(last), names]
    first = pd.Timestamp(spec.event.hold_out[0])
    frame = frame.loc[frame.index < first] if event_in == "out" else frame
    complete = frame.notna().all(axis=1).to_numpy()
    frame = frame.iloc[int(complete.argmax()) if complete.any() else len(frame) :]
    if frame.isna().to_numpy().any():
        column = frame.isna().any().idxmax()
        day = frame.index[frame[column].isna()][0]
        raise DataError(
            f"column '{column}': no value on {day:%Y-%m-%d}, inside the estimation sample;"
            " supply it, move the sample, or use a model without it"
        )
    regressors = len(names) * spec.system.lags + spec.system.constant
    if len(frame) - spec.system.lags <= regressors + len(names):
        raise DataError(
            f"model '{spec.name}': {len(frame)} complete days for {regressors} coefficients an"
            " equation; lengthen the sample, or use fewer lags or variables"
        )
    _refuse_degenerate(frame)
    return frame


def _refuse_degenerate(frame: pd.DataFrame) -> None:
    series = frame.to_numpy(float)
    for column, spread in zip(frame, np.ptp(series, 0), strict=True):
        if spread == 0:
            raise DataError(f"column '{column}': it is constant in the estimation sample; drop it")
    if np.linalg.matrix_rank((series - series.mean(0)) / series.std(0)) < series.shape[1]:
        raise DataError(
            f"columns {', '.join(map(str, frame))}: they are collinear in the estimation sample;"
            " drop one of them"
        )
