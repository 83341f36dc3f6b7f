r"""The noun between estimation and identification: draws of a reduced-form VAR, batch by batch.

.. math:: y_t = c + \sum_l A_l y_{t-l} + u_t, \qquad u_t = s_t P \eta_t, \quad \Sigma = P P'

with :math:`\eta_t` of identity covariance and a law that no rotation changes, so that
:math:`H = PQ` is an impact matrix for every orthogonal Q.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd

Coefficients = Callable[[np.ndarray, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Batch:
    """Consecutive draws of every chain.

    Attributes
    ----------
    factor : (chain, draw, variable, variable); lower triangular P, unit of the row's variable.
    coefficients : given flat indices into (chain x draw) in C order, returns
        (chosen, regressor, variable), constant first if any, then nearest lag first.  Draws that
        no one asks for are never made: where restrictions bear on impact alone, few are.
    weight : (chain, draw); importance of each draw, relative to a fixed unknown constant.
    scale : (chain, draw, time), s_t on the estimation days; None where it is one on every day.
    hyper : name -> (chain, draw, ...); what else was drawn (tightness, dof, ...).
    """

    factor: np.ndarray
    coefficients: Coefficients
    weight: np.ndarray
    scale: np.ndarray | None = None
    hyper: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lead, n = self.factor.shape[:2], self.factor.shape[-1]
        if self.factor.shape != (*lead, n, n):
            raise ValueError(f"factor has shape {self.factor.shape}, expected (chain, draw, n, n)")
        if self.weight.shape != lead or (self.weight < 0).any():
            raise ValueError("weight must be (chain, draw) and non-negative")
        if self.scale is not None and self.scale.shape[:2] != lead:
            raise ValueError("scale must be (chain, draw, time)")


class ReducedForm(Protocol):
    """A posterior that can be drawn from, again and again."""

    @property
    def variables(self) -> tuple[str, ...]:
        """Names, in the order of every ``variable`` axis."""
        ...

    @property
    def time(self) -> pd.DatetimeIndex:
        """Estimation days, lags excluded."""
        ...

    @property
    def constant(self) -> bool:
        """Whether the first regressor is a constant."""
        ...

    @property
    def chains(self) -> int:
        """How many chains ``batch`` advances; independent draws fill chains of equal length."""
        ...

    @property
    def notes(self) -> Mapping[str, object]:
        """Numbers for the manifest (evidence, modes, acceptance, ...)."""
        ...

    def batch(self, draws: int) -> Batch:
        """Advance every chain by ``draws`` further draws; one seed given before fixes them all."""
        ...
