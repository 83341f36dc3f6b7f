r"""Observed series and external instruments in; the posterior of a proxy VAR out.

.. math::
    y_t = B'x_t + PQ\varepsilon_t, \qquad
    m_{jt} = \mu_j + \beta_j \varepsilon_{c(j),t} + v_{jt}, \quad v_t \sim N(0, \Omega)

The noise of the instruments is part of the likelihood, so that an instrument that is next to noise
leaves its channel next to unidentified: the posterior widens instead of pretending.  Beside it
stand the first stage and sets that hold however weak the instrument is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from attribution.core import niw
from attribution.core.instruments.gibbs import ProxyData, sample, start
from attribution.core.instruments.instrument import one_sd
from attribution.core.instruments.model import ProxyDraws, ProxyPrior
from attribution.core.standard import Standard
from attribution.errors import IdentificationError
from attribution.model.spec import ModelSpec
from attribution.posterior import StructuralPosterior
from attribution.var.estimate import proxy_setup as setup
from attribution.var.estimate.conjugate import CHAINS, refuse_settings, standardised
from attribution.var.estimate.proxy_strength import Instrumented, Strength, strength

# Least squares and one instrument in; the point estimate of a proxy VAR out.


def proxy_point(
    spec: ModelSpec, data: Instrumented, channels: tuple[str, ...]
) -> StructuralPosterior | None:
    r"""Return the estimate as one draw, or None unless one instrument stands for one channel.

    .. math::
        \gamma = \mathrm{cov}(u_t, m_t), \qquad
        h_1 = \gamma / \sqrt{\gamma'\Sigma^{-1}\gamma}, \qquad H = P [q_1, Q_\perp]

    with u the residuals, Σ their covariance by degrees of freedom, and P its factor. The instrument
    identifies its own shock, :math:`h_1'\Sigma^{-1} u_t`, alone: the other columns are some
    rotation of what is left, and only their sum means anything.

    Several instruments or channels without one need further choices, which the posterior makes.

    References
    ----------
    mertens2013; gertler2015
    """
    columns = [instrument.column for instrument in spec.scheme.instruments]
    if len(columns) != 1 or len(channels) != 1:
        return None
    var = data.least_squares(spec, columns[0], 0)
    n, used = len(spec.system.variables), var.regressors.shape[1]
    covariance = var.errors.T @ var.errors / (len(var.errors) - used)
    first = one_sd(var.gamma, covariance)
    fixed = setup.sign_of(spec, channels[0])
    if fixed is not None and first[spec.system.variables.index(fixed[0])] * fixed[1] < 0:
        first = -first
    root = np.linalg.cholesky(covariance)
    turned = np.linalg.qr(np.column_stack([np.linalg.solve(root, first), np.eye(n)]))[0][:, :n]
    impact = root @ turned
    impact[:, 0] = first
    slopes, intercept = niw.split(var.coefficients[None, None], constant=spec.system.constant)
    return StructuralPosterior(
        variables=spec.system.variables,
        shocks=(*channels, *(f"unnamed_{number}" for number in range(1, n))),
        channels=channels,
        impact=impact[None, None],
        lag_coefficients=slopes,
        intercept=intercept,
        weight=np.ones((1, 1)),
    )


BURN_IN, THIN = 1000, 4
"""Sweeps before the first kept draw of a chain, and between two."""
Keep = Callable[[StructuralPosterior], np.ndarray]


@dataclass(frozen=True)
class ProxyFit:
    """The posterior of a proxy VAR and the strength of its instruments.

    Attributes
    ----------
    posterior : channels in the order of the table (of the instruments without one), then
        ``unnamed_1`` ...; weights one, or one on the draws kept and zero on the others.
    time : estimation days.
    instruments : in the order of the model file.
    parameters : ``loading``, ``center`` (chain, draw, instrument), ``noise`` (chain, draw,
        instrument, instrument); unit of the instrument.
    prior : with which the instruments entered.
    notes : numbers for the manifest.
    point : least squares and the instrument's covariance, as one draw; see ``proxy_point``.
    """

    posterior: StructuralPosterior
    time: pd.DatetimeIndex
    instruments: tuple[Strength, ...]
    parameters: Mapping[str, np.ndarray]
    prior: ProxyPrior
    notes: Mapping[str, object]
    point: StructuralPosterior | None = None


def fit_proxy(
    spec: ModelSpec,
    values: pd.DataFrame,
    *,
    draws: int = 4000,
    seed: int | np.random.SeedSequence,
    event_in: str = "out",
    unit: str | None = None,
    hac_lags: int = 0,
    keep: Keep | None = None,
) -> ProxyFit:
    """Estimate a VAR whose channels are identified by external instruments.

    The sign of a channel is that of its table (``direction``, else its first signed cell on impact
    per shock); without a table the first instrument loads on it positively.

    Parameters
    ----------
    spec : names variables, lags, prior and instruments; a column may be missing on some days, and
        several may serve one channel.
    values : (time, variable or instrument); unit of the variable or of the instrument.
    draws : kept draws, a multiple of four.
    event_in : ``out`` ends the sample before ``event.hold_out``, ``in`` at ``sample.end``.
    unit : variable of the first stage, moved by one unit in the sets; the outcome if not given.
    hac_lags : Newey-West lags of robust covariances.
    keep : which draws (chain, draw) of a posterior obey the claims of the table; needed where the
        table claims more than the signs of channels that have an instrument.

    Raises
    ------
    SpecError
        If a setting cannot be met.
    DataError
        If the sample or an instrument is incomplete, degenerate or too short.
    IdentificationError
        If no draw obeys the claims.
    EventError
        If a window is not covered by ``values``.

    References
    ----------
    caldara2019; arias2021; montielolea2021; mertens2013
    """
    refuse_settings(spec, draws, event_in, estimator="a proxy VAR")
    setup.refuse_law(spec)
    unit, channels = setup.unit_of(spec, unit), setup.channels(spec)
    if keep is None:
        setup.refuse_claims(spec)
    data = setup.instrumented_sample(spec, values, event_in)
    prior, chains, accepted = _chains(spec, data, draws // CHAINS, np.random.default_rng(seed))
    impact, loading = _named(spec, channels, chains)
    posterior = _structural(spec, channels, impact, chains)
    weight = np.ones(posterior.weight.shape) if keep is None else _obeying(spec, posterior, keep)
    reliability = np.array([chain.reliability for chain in chains])
    return ProxyFit(
        posterior=replace(posterior, weight=weight / weight.mean()),
        time=pd.DatetimeIndex(data.frame.index[spec.system.lags :]),
        instruments=tuple(
            strength(
                spec,
                values,
                data,
                instrument.column,
                channel=instrument.channel,
                partners=[
                    other.column
                    for other in spec.scheme.instruments
                    if other.channel == instrument.channel
                ],
                unit=unit,
                reliability=reliability[:, :, j],
                weight=weight,
                hac_lags=hac_lags,
            )
            for j, instrument in enumerate(spec.scheme.instruments)
        ),
        parameters={
            "loading": loading,
            "center": np.array([chain.center for chain in chains]),
            "noise": np.array([chain.noise for chain in chains]),
        },
        prior=prior,
        notes={"proposals_of_sigma_accepted": accepted, "share_kept": float(weight.mean())},
        point=proxy_point(spec, data, channels),
    )


def _chains(
    spec: ModelSpec, data: Instrumented, draws: int, rng: np.random.Generator
) -> tuple[ProxyPrior, list[ProxyDraws], float]:
    """Run the chains, on standardised rows, from independent starts.

    Returns
    -------
    The prior and the draws in units of the data; the acceptance of Σ.
    """
    standard, series = standardised(spec, data.frame)
    response, regressors = niw.design(series, lags=spec.system.lags, constant=spec.system.constant)
    center, spread = data.instruments.mean().to_numpy(), data.instruments.std().to_numpy()
    seen = ProxyData(response, regressors, (data.instruments.to_numpy(float) - center) / spread)
    prior = setup.proxy_prior(spec, series)
    runs = [
        sample(
            prior, seen, start(prior, seen, own), draws=draws, burn_in=BURN_IN, thin=THIN, rng=own
        )
        for own in rng.spawn(CHAINS)
    ]
    told = replace(prior, reduced=standard.restored(prior.reduced), spread=spread)
    found = [_in_units(run[0], standard, center, spread) for run in runs]
    return told, found, float(np.mean([run[1] for run in runs]))


def _in_units(
    of: ProxyDraws, standard: Standard, center: np.ndarray, spread: np.ndarray
) -> ProxyDraws:
    """Take draws back to the units of variables and instruments."""
    return ProxyDraws(
        impact=standard.impact(of.impact),
        coefficients=standard.coefficients(of.coefficients),
        center=center + spread * of.center,
        loading=spread * of.loading,
        noise=np.outer(spread, spread) * of.noise,
    )


def _named(
    spec: ModelSpec, channels: tuple[str, ...], chains: list[ProxyDraws]
) -> tuple[np.ndarray, np.ndarray]:
    """Return impact with columns signed and in the channels' order, and loadings signed alike."""
    impact = np.array([chain.impact for chain in chains])
    loading = np.array([chain.loading for chain in chains])
    with_one = setup.instrumented(spec)
    without = [name for name in channels if name not in with_one]
    of = [instrument.channel for instrument in spec.scheme.instruments]
    for c, channel in enumerate((*with_one, *without)):
        fixed = setup.sign_of(spec, channel)
        if fixed is not None:
            at = spec.system.variables.index(fixed[0])
            side = np.copysign(1.0, impact[:, :, at, c]) * fixed[1]
        elif channel in with_one:
            side = np.copysign(1.0, loading[:, :, of.index(channel)])
        else:
            continue
        impact[..., c] *= side[..., None]
        mine = [j for j, name in enumerate(of) if name == channel]
        loading[..., mine] *= side[..., None]
    placed = [(*with_one, *without).index(name) for name in channels]
    rest = range(len(channels), impact.shape[-1])
    return np.ascontiguousarray(impact[..., [*placed, *rest]]), loading


def _structural(
    spec: ModelSpec, channels: tuple[str, ...], impact: np.ndarray, chains: list[ProxyDraws]
) -> StructuralPosterior:
    slopes, intercept = niw.split(
        np.array([chain.coefficients for chain in chains]), constant=spec.system.constant
    )
    unnamed = range(1, impact.shape[-1] - len(channels) + 1)
    return StructuralPosterior(
        variables=spec.system.variables,
        shocks=(*channels, *(f"unnamed_{number}" for number in unnamed)),
        channels=channels,
        impact=impact,
        lag_coefficients=slopes,
        intercept=intercept,
        weight=np.ones(impact.shape[:2]),
    )


def _obeying(spec: ModelSpec, posterior: StructuralPosterior, keep: Keep) -> np.ndarray:
    """Return one where a draw obeys the claims and zero elsewhere."""
    weight = np.asarray(keep(posterior), bool).astype(float)
    if weight.shape != posterior.weight.shape:
        raise ValueError(f"keep has shape {weight.shape}, expected {posterior.weight.shape}")
    if not weight.any():
        raise IdentificationError(
            f"model '{spec.name}': none of {weight.size} draws obeys the table's claims, which the"
            " instruments contradict; drop a claim, or ask for more draws"
        )
    return weight
