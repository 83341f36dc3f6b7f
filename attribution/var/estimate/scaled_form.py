r"""A question whose days have scales of their own, and rows, in; chains of draws out.

.. math:: u_t = s_t P \eta_t

Under ``student_t`` the draws are put so that :math:`E\,s_t^2 = 1`: :math:`PP'` is the covariance
of an ordinary day, not the scale matrix of the t.  Under ``common_volatility`` it is the
covariance of a day of average log variance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.core import niw
from attribution.core.laws.scaled import ScaleChain, ScaleLaw, Swept, Whitened, whiten
from attribution.core.standard import Standard
from attribution.model.spec import ModelSpec
from attribution.var.estimate.conjugate import conjugate_prior, standardised
from attribution.var.reduced import Batch

BURN_IN = {"gaussian": 200, "student_t": 500, "common_volatility": 2000}
"""Sweeps before the first draw, from starts that are draws of the prior."""
THIN = {"gaussian": 1, "student_t": 2, "common_volatility": 5}
"""Sweeps between two draws: what they cost beside the identification that follows is little."""


def scale_law(law: str, dof: float | None) -> ScaleLaw:
    r"""Return the law of the scales with its priors.

    .. math::
        \nu - 2.1 \sim \Gamma(2, 0.1), \qquad (1 + \phi)/2 \sim \mathrm{Beta}(20, 1.5), \qquad
        \sigma \sim N^+(0, 0.3^2), \qquad h_1 \sim N(0, \sigma^2/(1 - \phi^2))

    The first allows anything from a Cauchy-like day to the normal law, the others a volatility
    that persists for days to years and may be constant.

    References
    ----------
    juarez2010; kim1998; kastner2014
    """
    if law == "student_t":
        return ScaleLaw(dof=dof)
    return ScaleLaw(volatility_scale=0.3 if law == "common_volatility" else 0.0)


@dataclass(eq=False)  # it goes on where its last batch ended
class ScaledForm:
    """Chains over scales, (B, Σ) and the parameters of the scales' law.

    Attributes
    ----------
    law : name in the model file.
    data : the whitened rows that all chains share.
    standard : the coordinates of those rows, and the way back.
    sweepers : one a chain, each where its last batch ended.
    listed : positions of the days with a scale of their own.
    """

    variables: tuple[str, ...]
    time: pd.DatetimeIndex
    constant: bool
    chains: int
    notes: Mapping[str, object]
    law: str
    data: Whitened
    standard: Standard
    sweepers: tuple[ScaleChain, ...]
    listed: np.ndarray

    def batch(self, draws: int) -> Batch:
        """Advance every chain; coefficients were drawn with the rest and are handed out."""
        swept = [chain.sweep(self.data, draws, thin=THIN[self.law]) for chain in self.sweepers]
        units = np.array([unit_variance(states.parameters) for states in swept])
        n, k = len(self.variables), len(self.data.center)
        restored = [self.data.restore(states.roots, states.turns) for states in swept]
        factor = np.array([root for root, _ in restored])
        slopes: np.ndarray = np.array([b for _, b in restored]).reshape(-1, k, n)

        def coefficients(chosen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
            return self.standard.coefficients(slopes[chosen])

        return Batch(
            factor=self.standard.impact(factor * units[..., None, None]),
            coefficients=coefficients,
            weight=np.ones((self.chains, draws)),
            scale=np.array([states.scales for states in swept]) / units[..., None],
            hyper=self._hyper(swept),
        )

    def _hyper(self, swept: list[Swept]) -> dict[str, np.ndarray]:
        parameters = np.array([states.parameters for states in swept])
        found: dict[str, np.ndarray] = {}
        if self.law == "student_t":
            found["dof"] = parameters[..., 0]
        if self.law == "common_volatility":
            found |= {"persistence": parameters[..., 1], "volatility": parameters[..., 2]}
        if len(self.listed):
            found["outlier_scale"] = np.array([states.outlier_scales for states in swept])
        return found


def unit_variance(parameters: np.ndarray) -> np.ndarray:
    """Return the standard deviation (draw,) of a scale's Student part, one without it."""
    dof = parameters[:, 0]
    with np.errstate(invalid="ignore"):
        return np.where(np.isinf(dof), 1.0, np.sqrt(dof / (dof - 2.0)))


def scaled_form(
    spec: ModelSpec,
    frame: pd.DataFrame,
    rng: np.random.Generator,
    *,
    chains: int,
    listed: np.ndarray,
    spread: np.ndarray | None = None,
) -> ScaledForm:
    """Start the chains at draws of the scales from their prior and burn them in.

    Parameters
    ----------
    frame : (time, variable); the estimation rows, lags included.
    listed : positions among the estimation days of those with a scale of their own.
    spread : (variable,); residual scales of the prior, estimated if not given.

    References
    ----------
    chan2020; kastner2014; lenza2022
    """
    system, law = spec.system, spec.errors.law
    standard, series = standardised(spec, frame)
    given = None if spread is None else spread / standard.unit
    prior = conjugate_prior(spec, series, spread=given)
    data = whiten(prior, *niw.design(series, lags=system.lags, constant=system.constant))
    scales = scale_law(law, spec.errors.dof)
    sweepers = tuple(ScaleChain(len(data.rows), scales, listed, own) for own in rng.spawn(chains))
    burnt = [chain.sweep(data, 1, thin=BURN_IN[law]) for chain in sweepers]
    notes: dict[str, object] = {"burn_in": BURN_IN[law], "thin": THIN[law]}
    if law == "common_volatility":
        notes["block_acceptance"] = float(np.mean([states.accepted for states in burnt]))
    return ScaledForm(
        variables=system.variables,
        time=pd.DatetimeIndex(frame.index[system.lags :]),
        constant=system.constant,
        chains=chains,
        notes=notes,
        law=law,
        data=data,
        standard=standard,
        sweepers=sweepers,
        listed=listed,
    )
