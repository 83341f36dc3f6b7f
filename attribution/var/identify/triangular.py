"""The two triangular schemes, on impact and in the long run: one rotation for every draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from attribution.core import niw
from attribution.core.window import responses
from attribution.errors import IdentificationError, SpecError, nearest
from attribution.model.scheme import Sign
from attribution.posterior import StructuralPosterior
from attribution.var.reduced import ReducedForm


@dataclass(frozen=True)
class Ordered:
    """Recursively identified draws, and what the reduced form drew beside (chain, draw, ...)."""

    posterior: StructuralPosterior
    hyper: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Drawn:
    """Draws of a reduced form.

    Attributes
    ----------
    covariance : (chain, draw, variable, variable), Σ.
    lag_coefficients : (chain, draw, lag, variable, regressor).
    intercept : (chain, draw, variable).
    weight : (chain, draw); mean one.
    hyper : name -> (chain, draw, ...).
    """

    covariance: np.ndarray
    lag_coefficients: np.ndarray
    intercept: np.ndarray
    weight: np.ndarray
    hyper: Mapping[str, np.ndarray]

    def ordered(
        self, variables: tuple[str, ...], shocks: tuple[str, ...], impact: np.ndarray
    ) -> Ordered:
        """Return the posterior with these impact matrices, every shock a channel."""
        posterior = StructuralPosterior(
            variables=variables,
            shocks=shocks,
            channels=shocks,
            impact=impact,
            lag_coefficients=self.lag_coefficients,
            intercept=self.intercept,
            weight=self.weight,
        )
        return Ordered(posterior, self.hyper)


def drawn(reduced: ReducedForm, draws: int, seed: int | np.random.SeedSequence) -> Drawn:
    """Draw covariances and coefficients, ``draws`` over all chains.

    Raises
    ------
    SpecError
        If the draws do not fill the chains.
    """
    chains = reduced.chains
    if draws < chains or draws % chains:
        raise SpecError(
            f"{draws} draws do not fill {chains} equal chains; ask for"
            f" {max(1, -(-draws // chains)) * chains}"
        )
    batch = reduced.batch(draws // chains)
    coefficients = batch.coefficients(np.arange(draws), np.random.default_rng(seed))
    lead = batch.weight.shape
    slopes, intercept = niw.split(coefficients, constant=reduced.constant)
    return Drawn(
        batch.factor @ batch.factor.swapaxes(-1, -2),
        slopes.reshape(*lead, *slopes.shape[1:]),
        intercept.reshape(*lead, -1),
        batch.weight / batch.weight.mean(),
        batch.hyper,
    )


def ordering(
    variables: tuple[str, ...], order: tuple[str, ...], shocks: tuple[str, ...]
) -> tuple[list[int], tuple[str, ...]]:
    """Return places of the ordered variables, and names of the shocks in that order.

    Raises
    ------
    SpecError
        If the order is not one of all variables, or names are too few, too many or not distinct.
    """
    order = order or variables
    for name in order:
        if name not in variables:
            raise SpecError(f"order: unknown variable '{name}'{nearest(name, variables)}")
    if len(set(order)) != len(order) or len(order) != len(variables):
        missing = [name for name in variables if name not in order]
        raise SpecError(
            f"order: it must name each of the {len(variables)} variables once"
            + (f"; add {', '.join(missing)}" if missing else "; drop what it names twice")
        )
    names = shocks or order
    if len(names) != len(order) or len(set(names)) != len(names):
        raise SpecError(
            f"shocks: {len(names)} names ({len(set(names))} distinct) for {len(order)} shocks;"
            " name each once"
        )
    return [variables.index(name) for name in order], names


# A reduced form and an order of long-run effects in; shocks identified by them out.

SINGULAR = 1e6
"""Condition of the long-run matrix, variables in units of their errors, above which it is none."""
TOLERATED = 0.05
"""Share of draws that may have no long run."""
LOOKED_AT = 1000
"""Draws whose roots are computed."""


def long_run(
    reduced: ReducedForm,
    *,
    order: tuple[str, ...] = (),
    shocks: tuple[str, ...] = (),
    draws: int = 4000,
    seed: int | np.random.SeedSequence,
) -> Ordered:
    r"""Identify shocks by what they do in the long run.

    .. math:: \Theta_\infty = \sum_h \Theta_h = (I - \sum_l A_l)^{-1} H
        \quad \text{lower triangular in the order given, its diagonal positive}

    For variables measured as changes the sum is the effect on the level: only the first shock moves
    the first variable for good (Blanchard and Quah 1989).

    Parameters
    ----------
    reduced : draws of (B, Σ), of stationary series.
    order : variables; the shock of a place has no long-run effect on those before it.
    shocks : names of the shocks in that order; the variables' own if empty.
    draws : over all chains, a multiple of their number.

    Raises
    ------
    SpecError
        If order or names do not fit the variables.
    IdentificationError
        If more than one draw in twenty is explosive, or its long-run matrix near singular.

    References
    ----------
    blanchardquah1989; kilian2017, ch. 10
    """
    place, names = ordering(reduced.variables, order, shocks)
    sample = drawn(reduced, draws, seed)
    _refuse_without_long_run(sample)
    inverse = np.eye(len(place)) - sample.lag_coefficients.sum(2)
    through = np.linalg.solve(inverse, sample.covariance)
    total = np.linalg.solve(inverse, through.swapaxes(-1, -2))
    ordered = 0.5 * (total + total.swapaxes(-1, -2))[..., place, :][..., place]
    summed = np.empty_like(total)
    summed[..., place, :] = np.linalg.cholesky(ordered)
    return sample.ordered(reduced.variables, names, inverse @ summed)


def _refuse_without_long_run(sample: Drawn) -> None:
    lags, n = sample.lag_coefficients.shape[2:4]
    flat = sample.lag_coefficients.reshape(-1, lags, n, n)
    spread = np.sqrt(np.diagonal(sample.covariance, axis1=-2, axis2=-1)).reshape(-1, n)
    some = np.linspace(0, len(flat) - 1, min(LOOKED_AT, len(flat))).astype(int)
    scaled = flat[some] * (spread[some, None, None, :] / spread[some, None, :, None])
    companion = np.zeros((len(some), lags * n, lags * n))
    companion[:, :n] = scaled.swapaxes(1, 2).reshape(len(some), n, lags * n)
    companion[:, n:, :-n] = np.eye((lags - 1) * n)
    explosive = np.abs(np.linalg.eigvals(companion)).max(1) >= 1
    singular = np.linalg.cond(np.eye(n) - scaled.sum(1)) > SINGULAR
    without = float((explosive | singular).mean())
    if without > TOLERATED:
        raise IdentificationError(
            f"the long run does not exist in {100 * without:.0f} % of the draws"
            f" ({100 * float(explosive.mean()):.0f} % are explosive), more than"
            f" {100 * TOLERATED:.0f} %; enter series as changes, or use another scheme"
        )


# A reduced form and a causal order in; recursively identified shocks out.


def recursive(
    reduced: ReducedForm,
    *,
    order: tuple[str, ...] = (),
    shocks: tuple[str, ...] = (),
    draws: int = 4000,
    seed: int | np.random.SeedSequence,
) -> Ordered:
    r"""Identify shocks by a causal order.

    .. math:: \Sigma = H H', \qquad H \text{ lower triangular in the order given, its diagonal
        positive}

    The shock of a place moves its own variable and those behind it on impact, and none before.

    Parameters
    ----------
    reduced : draws of (B, Σ).
    order : variables, the first to move first; those of the reduced form if empty.
    shocks : names of the shocks in that order; the variables' own if empty.
    draws : over all chains, a multiple of their number.

    Returns
    -------
    Ordered
        Variables in the order of the reduced form, shocks in the causal order.

    Raises
    ------
    SpecError
        If order or names do not fit the variables.

    References
    ----------
    kilian2017, ch. 8
    """
    place, names = ordering(reduced.variables, order, shocks)
    sample = drawn(reduced, draws, seed)
    impact = np.empty_like(sample.covariance)
    ordered = sample.covariance[..., place, :][..., place]
    impact[..., place, :] = np.linalg.cholesky(ordered)
    return sample.ordered(reduced.variables, names, impact)


# Ordered shocks and the sign of a response of each in; the same shocks, that way up, out.


def upright(posterior: StructuralPosterior, signs: Iterable[Sign]) -> StructuralPosterior:
    r"""Turn shocks so that a response of each has its sign in every draw.

    The long run is :math:`(I - \sum_l A_l)^{-1} H`.  A response of nought leaves its draw as it is.
    """
    impact = posterior.impact.copy()
    for sign in signs:
        column = impact[..., posterior.shocks.index(sign.shock)]
        moved = _response(posterior, column, sign.horizon)
        place = posterior.variables.index(sign.variable)
        wrong = moved[..., place] < 0 if sign.positive else moved[..., place] > 0
        column[wrong] *= -1.0
    return replace(posterior, impact=impact)


def _response(
    posterior: StructuralPosterior, column: np.ndarray, horizon: int | None
) -> np.ndarray:
    """Return the response (chain, draw, variable) to a shock that strikes as ``column``."""
    slopes, n = posterior.lag_coefficients, len(posterior.variables)
    if horizon is None:
        through: np.ndarray = np.linalg.solve(np.eye(n) - slopes.sum(2), column[..., None])[..., 0]
        return through
    found = responses(
        np.ascontiguousarray(slopes.reshape(-1, *slopes.shape[2:])),
        np.ascontiguousarray(column.reshape(-1, n, 1)),
        horizon,
    )
    return np.asarray(found[:, horizon, :, 0].reshape(column.shape))
