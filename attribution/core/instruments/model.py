r"""A prior in; parameters and data of a proxy VAR, drawn from it, out.

.. math::
    y_t = B'x_t + u_t, \quad u_t = P Q \varepsilon_t, \quad \Sigma = PP', \qquad
    m_{jt} = \mu_j + \beta_j\,\varepsilon_{c(j),t} + v_{jt}, \quad v_t \sim N(0, \Omega)

An instrument is its channel's shock plus noise that may be shared among instruments, so that its
noise is part of the likelihood (Caldara and Herbst 2019; Arias, Rubio-Ramirez and Waggoner 2021).
The rotation is uniform on O(n) *a priori*: how relevant an instrument is says nothing about the
direction of its shock.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.core import niw
from attribution.core.rotations.haar import haar

RELEVANCE = 0.5
"""Prior sd of an instrument's loading, in sd of the instrument: reliability is seldom high."""
CENTER = 10.0
"""Prior sd of an instrument's mean, in sd of the instrument."""


@dataclass(frozen=True)
class ProxyPrior:
    r"""Prior of a proxy VAR; proper if its reduced form is.

    .. math::
        \mu_j \sim N(0, (\kappa s_j)^2), \quad \beta_j \sim N(0, (\tau s_j)^2), \quad
        \Omega \sim IW(\mathrm{diag}\,s^2, K + 2)

    Attributes
    ----------
    reduced : prior of (B, Σ).
    channel_of : (instrument,) int; the channel that each instrument stands for, 0, 1, ...
    spread : (instrument,) s; unit of the instrument.
    relevance, center : τ and κ.
    """

    reduced: niw.NormalInverseWishart
    channel_of: np.ndarray
    spread: np.ndarray
    relevance: float = RELEVANCE
    center: float = CENTER

    def __post_init__(self) -> None:
        channels = np.unique(self.channel_of)
        if not np.array_equal(channels, np.arange(len(channels))):
            raise ValueError("channels of instruments must be numbered 0, 1, ... without a gap")
        if len(channels) > len(self.reduced.scale):
            raise ValueError("more channels than variables")
        if self.spread.shape != self.channel_of.shape or (self.spread <= 0).any():
            raise ValueError("every instrument needs a positive spread")

    @property
    def channels(self) -> int:
        """How many shocks have an instrument."""
        return int(self.channel_of.max()) + 1

    @property
    def noise_dof(self) -> float:
        """Degrees of freedom of Ω, the fewest that give it a mean."""
        return len(self.spread) + 2.0


@dataclass(frozen=True)
class ProxyDraws:
    """Parameters of a proxy VAR, draw by draw.

    Attributes
    ----------
    impact : (draw, variable, shock); channels first, then unnamed shocks.
    coefficients : (draw, regressor, variable).
    center, loading : (draw, instrument), μ and β; unit of the instrument.
    noise : (draw, instrument, instrument), Ω.
    """

    impact: np.ndarray
    coefficients: np.ndarray
    center: np.ndarray
    loading: np.ndarray
    noise: np.ndarray

    @property
    def reliability(self) -> np.ndarray:
        r"""Squared correlation of each instrument with its shock (draw, instrument)."""
        own = np.diagonal(self.noise, axis1=1, axis2=2)
        share: np.ndarray = self.loading**2 / (self.loading**2 + own)
        return share


def prior_draw(prior: ProxyPrior, draws: int, rng: np.random.Generator) -> ProxyDraws:
    """Draw from the prior, which must be proper."""
    if prior.reduced.dof < len(prior.reduced.scale):
        raise ValueError("a flat prior cannot be drawn from")
    k, n = len(prior.spread), len(prior.reduced.scale)
    impact = niw.draw_factor(prior.reduced, draws, rng) @ haar(n, draws, rng)
    coefficients = niw.draw_coefficients(prior.reduced, impact, rng)
    normal = rng.standard_normal((2, draws, k)) * prior.spread
    noise = niw.NormalInverseWishart(
        np.zeros((0, k)), np.zeros((0, 0)), np.diag(prior.spread**2), prior.noise_dof
    )
    root = niw.draw_factor(noise, draws, rng)
    return ProxyDraws(
        impact=impact,
        coefficients=coefficients,
        center=prior.center * normal[0],
        loading=prior.relevance * normal[1],
        noise=root @ root.swapaxes(1, 2),
    )


def simulate(
    prior: ProxyPrior,
    of: ProxyDraws,
    draw: int,
    *,
    before: np.ndarray,
    periods: int,
    constant: bool,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw data of one draw's parameters.

    Parameters
    ----------
    before : (lag, variable); the days on which the first is conditioned.

    Returns
    -------
    Series (lag + time, variable), the given days first, and instruments (time, instrument).
    """
    lags, n = before.shape
    shocks = rng.standard_normal((periods, n))
    errors = shocks @ of.impact[draw].T
    slopes, intercept = niw.split(of.coefficients[draw], constant=constant)
    series = np.concatenate([before, np.zeros((periods, n))])
    for t in range(periods):
        past = series[t : t + lags][::-1]
        series[lags + t] = intercept + np.einsum("lij,lj->i", slopes, past) + errors[t]
    noise = rng.standard_normal((periods, len(prior.spread)))
    root = np.linalg.cholesky(of.noise[draw])
    seen = of.center[draw] + of.loading[draw] * shocks[:, prior.channel_of] + noise @ root.T
    return series, seen
