r"""A VAR's data, its instruments and a prior in; draws of the proxy VAR's posterior out.

Each sweep passes once through steps that leave the joint posterior unchanged:

1. missing cells of instruments on days when another was seen, from their normal conditional (days
   without any instrument say nothing of it and do not enter);
2. (μ, β) given the shocks, normal; Ω given its residuals, inverse Wishart;
3. the channels' columns q of Q: elliptical slices on a Gaussian matrix whose Gram-Schmidt basis
   they are, hence uniform a priori (Arias, Rubio-Ramirez and Shin 2025);
4. Σ: a proposal from its inverse Wishart given y and B alone, *with the columns carried along*,
   :math:`q \to \mathrm{qr}(P_*'P'^{-1} q) = (q_*, R)`, :math:`\beta_c \to \beta_c R_{cc}`, so that
   with one channel the fitted instrument does not move however reliable it is; accepted with the
   ratio of the instruments' likelihoods and of the prior of β times the Jacobian

   .. math:: |\det P_*'P'^{-1}|^{C} \prod_c R_{cc}^{-(n + C + 1 - 2c)} \prod_j R_{c(j)c(j)};

5. B: in the coordinates of the structural shocks its columns are independent of one another
   given the channels', whose precision the instruments raise by
   :math:`\beta_c'\Omega^{-1}\beta_c\,X_z'X_z`; the unnamed columns of Q are drawn afresh, uniform.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.core import niw
from attribution.core.instrument_kernel import chain
from attribution.core.instrument_model import ProxyDraws, ProxyPrior


@dataclass(frozen=True)
class ProxyData:
    """What a proxy VAR is estimated from.

    Attributes
    ----------
    response, regressors : (time, variable), (time, regressor).
    instruments : (time, instrument); NaN where not observed.
    """

    response: np.ndarray
    regressors: np.ndarray
    instruments: np.ndarray


def start(prior: ProxyPrior, data: ProxyData, rng: np.random.Generator) -> ProxyDraws:
    """Return one state: the VAR from its posterior without instruments, these from anywhere."""
    posterior = niw.posterior(prior.reduced, data.response, data.regressors)
    n = len(posterior.scale)
    impact = niw.draw_factor(posterior, 1, rng)
    impact = impact @ np.linalg.qr(rng.standard_normal((1, n, n)))[0]
    return ProxyDraws(
        impact=impact,
        coefficients=niw.draw_coefficients(posterior, impact, rng),
        center=np.nanmean(data.instruments, 0)[None],
        loading=prior.relevance * prior.spread * rng.standard_normal((1, len(prior.spread))),
        noise=np.diag(prior.spread**2)[None],
    )


def sample(
    prior: ProxyPrior,
    data: ProxyData,
    state: ProxyDraws,
    *,
    draws: int,
    burn_in: int,
    thin: int,
    rng: np.random.Generator,
) -> tuple[ProxyDraws, float]:
    """Run one chain from the last of the given states.

    Returns
    -------
    The kept draws, and the share of proposals of Σ that were accepted.

    References
    ----------
    caldara2019; arias2021; arias2025; murray2010
    """
    seen = np.isfinite(data.instruments).any(1)
    updated = niw.posterior(prior.reduced, data.response, data.regressors)
    *kept, accepted = chain(
        np.ascontiguousarray(data.response),
        np.ascontiguousarray(data.regressors),
        np.flatnonzero(seen),
        np.ascontiguousarray(data.instruments[seen]),
        np.ascontiguousarray(prior.channel_of, np.int64),
        _reduced(prior),
        _relevance(prior),
        (updated.mean, updated.precision, np.linalg.cholesky(updated.precision)),
        _state(prior, state),
        draws,
        burn_in,
        thin,
        rng,
    )
    return ProxyDraws(*kept), float(accepted)


def _reduced(prior: ProxyPrior) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    reduced = prior.reduced
    return reduced.mean, reduced.precision, reduced.scale, float(reduced.dof)


def _relevance(prior: ProxyPrior) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Precisions of μ and β, scale and degrees of freedom of Ω."""
    center, loading = prior.center * prior.spread, prior.relevance * prior.spread
    return center**-2.0, loading**-2.0, np.diag(prior.spread**2), prior.noise_dof


def _state(prior: ProxyPrior, state: ProxyDraws) -> tuple[np.ndarray, ...]:
    """Return the last state as the kernel wants it: the factor of Σ and the channels' columns."""
    impact = state.impact[-1]
    factor = np.linalg.cholesky(impact @ impact.T)
    columns = np.linalg.solve(factor, impact)[:, : prior.channels]
    last = (state.coefficients, state.center, state.loading, state.noise)
    return (factor, np.ascontiguousarray(columns), *(part[-1].copy() for part in last))
