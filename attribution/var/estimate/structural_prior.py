r"""The prior of the impact matrix: elasticities of the identification table, made into numbers.

With outcome row 1, :math:`s` the outcome's standard deviation, K channels and the table's cells:

.. math::
    H_{1k} = d\, s\, e^{\kappa}\sqrt{w_k}, \qquad
    (w_1,\dots,w_K,w_{rest}) \sim \text{Dirichlet}(1,\dots,1), \qquad
    H_{ik} = |H_{1k}|\, x_{ik}

a cell with one open end fixes a sign, :math:`x = \pm\text{LogNormal}(\log m, \sigma)` with median
m and, where the cell names a threshold, :math:`\sigma` such that only 1 % of the prior lies on the
wrong side of it (:math:`\sigma` is ``elasticity_sd`` for a bare sign); a band [a, b] is
:math:`N((a+b)/2, ((b-a)/4)^2)`; a cell that the table leaves out is :math:`N(0, (2 sd_i/s)^2)`.
The Dirichlet is neutral on importance: each channel's prior mean share of the outcome's variance
is 1/(K+1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from attribution.errors import SpecError
from attribution.model.restriction import Cell, Identification
from attribution.model.spec import ModelSpec

QUANTILE = 2.3263478740408408
"""Standard normal quantile of 99 %."""


@dataclass(frozen=True)
class ImpactPrior:
    """Where each entry of the impact matrix comes from, in standardised units.

    Attributes
    ----------
    variables : rows; complete variables first, then those with missing spells.
    shocks : columns; channels, unnamed shocks that may reach every row, then own shocks.
    channels : number of channels.
    jumpers : columns of the shocks that may jump: channels, then unnamed news.
    direction : sign of the outcome's response to every channel.
    outcome : row of the outcome.
    signed, signed_log, signed_sd, signed_sign : entries (row, column), log median, log sd, sign.
    banded, banded_mean, banded_sd : entries, mean, sd.
    own : entries (row, column) with a log-normal scale.
    reach : entries (row, column) of unnamed shocks off their own row.
    """

    variables: tuple[str, ...]
    shocks: tuple[str, ...]
    channels: int
    jumpers: np.ndarray
    direction: int
    outcome: int
    signed: np.ndarray
    signed_log: np.ndarray
    signed_sd: np.ndarray
    signed_sign: np.ndarray
    banded: np.ndarray
    banded_mean: np.ndarray
    banded_sd: np.ndarray
    own: np.ndarray
    reach: np.ndarray
    own_log: float
    own_sd: float
    reach_sd: np.ndarray
    outcome_scale_sd: float

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the impact matrix."""
        return len(self.variables), len(self.shocks)

    def assemble(
        self,
        share: np.ndarray,
        log_scale: np.ndarray,
        signed: np.ndarray,
        banded: np.ndarray,
        own: np.ndarray,
        reach: np.ndarray,
    ) -> np.ndarray:
        """Impact matrix (..., variable, shock) from standard normals and shares (...,)."""
        strength = np.exp(log_scale)[..., None] * np.sqrt(share[..., : self.channels])
        impact = np.zeros((*share.shape[:-1], *self.shape))
        impact[..., self.outcome, : self.channels] = self.direction * strength
        size = np.exp(self.signed_log + self.signed_sd * signed)
        row, column = self.signed.T
        impact[..., row, column] = self.signed_sign * size * strength[..., column]
        row, column = self.banded.T
        impact[..., row, column] = (self.banded_mean + self.banded_sd * banded) * strength[
            ..., column
        ]
        row, column = self.own.T
        impact[..., row, column] = np.exp(self.own_log + self.own_sd * own)
        row, column = self.reach.T
        impact[..., row, column] = self.reach_sd * reach
        return impact

    def pull_back(
        self, d_impact: np.ndarray, impact: np.ndarray, share: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """Return derivatives in each argument of ``assemble``, given one in the impact matrix."""
        k, product = self.channels, d_impact * impact
        column = product[:, :k].sum(0)
        strength = np.abs(impact[self.outcome, :k])
        signed, banded = tuple(self.signed.T), tuple(self.banded.T)
        return (
            np.append(0.5 * column / share[:k], 0.0),
            np.asarray(column.sum()),
            product[signed] * self.signed_sd,
            d_impact[banded] * self.banded_sd * strength[self.banded[:, 1]],
            product[tuple(self.own.T)] * self.own_sd,
            d_impact[tuple(self.reach.T)] * self.reach_sd,
        )

    def draw(self, rng: np.random.Generator, draws: int) -> np.ndarray:
        """Prior draws of the impact matrix (draw, variable, shock)."""
        return self.assemble(
            rng.dirichlet(np.ones(self.channels + 1), size=draws),
            self.outcome_scale_sd * rng.standard_normal(draws),
            rng.standard_normal((draws, len(self.signed))),
            rng.standard_normal((draws, len(self.banded))),
            rng.standard_normal((draws, len(self.own))),
            rng.standard_normal((draws, len(self.reach))),
        )


def impact_prior(spec: ModelSpec, sd: dict[str, float]) -> ImpactPrior:
    """Turn the identification table of ``spec`` into a prior, given each variable's sd.

    Raises
    ------
    SpecError
        If the model has no table, or a one-sided cell has no size.
    """
    table = spec.identification
    if table is None:
        raise SpecError(
            f"{spec.name}: kind 'bvar' needs an identification table; add [identification] table"
        )
    settings = spec.structural
    variables = (*spec.system.variables, *spec.system.auxiliary)
    outcome = variables.index(spec.event.outcome)
    with_own = [v for v in variables if v != spec.event.outcome and v not in settings.unnamed]
    shocks = (
        *table.names,
        *(f"{v}_news" for v in settings.unnamed),
        *(f"{v}_noise" for v in with_own),
    )
    channels = len(table.names)
    signed, banded = _elasticities(spec, table, variables, sd)
    unnamed = [variables.index(v) for v in settings.unnamed]
    own = [(i, channels + j) for j, i in enumerate(unnamed)]
    own += [(variables.index(v), channels + len(unnamed) + j) for j, v in enumerate(with_own)]
    reach = [
        (i, channels + j) for j, k in enumerate(unnamed) for i in range(len(variables)) if i != k
    ]
    return ImpactPrior(
        variables=variables,
        shocks=shocks,
        channels=channels,
        jumpers=np.arange(len(shocks)),
        direction=table.direction,
        outcome=outcome,
        signed=_entries(signed),
        signed_log=np.array([row[2] for row in signed]),
        signed_sd=np.array([row[3] for row in signed]),
        signed_sign=np.array([row[4] for row in signed]),
        banded=_entries(banded),
        banded_mean=np.array([row[2] for row in banded]),
        banded_sd=np.array([row[3] for row in banded]),
        own=np.array(own, dtype=int).reshape(-1, 2),
        reach=np.array(reach, dtype=int).reshape(-1, 2),
        own_log=math.log(settings.own_median),
        own_sd=settings.own_sd,
        reach_sd=np.where(
            np.array([i for i, _ in reach], int) == outcome,
            settings.unnamed_on_outcome,
            settings.unnamed_reach,
        ),
        outcome_scale_sd=settings.outcome_scale_sd,
    )


def _elasticities(
    spec: ModelSpec, table: Identification, variables: tuple[str, ...], sd: dict[str, float]
) -> tuple[list[tuple[int, int, float, float, float]], list[tuple[int, int, float, float]]]:
    """Turn cells into entries with log median, log sd and sign, or with mean and sd."""
    settings = spec.structural
    cells = {(cell.variable, cell.channel): cell for cell in table.cells}
    signed: list[tuple[int, int, float, float, float]] = []
    banded: list[tuple[int, int, float, float]] = []
    for k, channel in enumerate(table.names):
        for i, variable in enumerate(variables):
            if variable == spec.event.outcome:
                continue
            unit = sd[spec.event.outcome] / sd[variable]
            cell = cells.get((variable, channel))
            if cell is None:
                banded.append((i, k, 0.0, settings.free_scale))
            elif cell.signed:
                center = _center(cell)
                sd_log = _spread(cell, center, settings.elasticity_sd)
                signed.append(
                    (i, k, math.log(abs(center * unit)), sd_log, math.copysign(1.0, center))
                )
            elif math.isinf(cell.low) or math.isinf(cell.high):
                raise SpecError(
                    f"cell {channel} / {variable}: '{cell.claim}' is open and crosses zero, so it"
                    " has no size; give both ends with between = [a, b]"
                )
            else:
                mean, spread = (cell.low + cell.high) / 2, (cell.high - cell.low) / 4
                banded.append((i, k, mean * unit, spread * unit))
    return signed, banded


def _entries(rows: Sequence[tuple[Any, ...]]) -> np.ndarray:
    return np.array([row[:2] for row in rows], dtype=int).reshape(-1, 2)


def _spread(cell: Cell, center: float, bare: float) -> float:
    """Log sd of a one-sided cell: its threshold is the 1 % quantile; ``bare`` without threshold."""
    threshold = cell.low if math.isinf(cell.high) else cell.high
    if center == threshold:
        raise SpecError(
            f"cell {cell.channel} / {cell.variable}: center = {center:g} lies on the threshold, so"
            " the prior has no spread; move center inside the claim"
        )
    return math.log(center / threshold) / QUANTILE if threshold != 0 else bare


def _center(cell: Cell) -> float:
    """Prior median of a one-sided cell: as given, else twice its threshold."""
    if cell.center:  # a center of zero is no size either
        return cell.center
    threshold = cell.low if math.isinf(cell.high) else cell.high
    if threshold == 0:
        raise SpecError(
            f"cell {cell.channel} / {cell.variable}: a bare sign has no size; add center = ..."
        )
    return 2 * threshold
