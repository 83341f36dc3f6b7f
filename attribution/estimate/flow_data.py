"""Net creations, returns and covariates in; the arrays that flow models share out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.errors import DataError


@dataclass(frozen=True)
class FlowData:
    """What flow models are fitted to: one row a published day, one column a fund.

    Attributes
    ----------
    days : (time,), increasing.
    funds : names, in the order of every ``fund`` axis.
    focus : position of the fund that the question is about.
    flow : (time, fund), published net creation, USD million; NaN where a fund has no row.
    returns : (time, fund), the fund's own return, log points; NaN where it has none.
    covariates : name -> (time,), known per day and common to all funds; unit of the column, NaN
        where it was not observed.
    held_out : (time,), whether the rows of a day are kept from the estimation.
    """

    days: pd.DatetimeIndex
    funds: tuple[str, ...]
    focus: int
    flow: np.ndarray
    returns: np.ndarray
    covariates: Mapping[str, np.ndarray]
    held_out: np.ndarray

    def __post_init__(self) -> None:
        shape = (len(self.days), len(self.funds))
        if self.flow.shape != shape or self.returns.shape != shape:
            raise ValueError(f"flow {self.flow.shape} and returns are not {shape}")
        if any(values.shape != shape[:1] for values in self.covariates.values()):
            raise ValueError("a covariate does not lie on the days")
        if self.held_out.shape != shape[:1] or self.held_out.dtype != bool:
            raise ValueError("held_out does not mark the days")

    @property
    def size(self) -> np.ndarray:
        """Median absolute flow of a fund over its days with one, held-out days aside; (fund,).

        Raises
        ------
        DataError
            If a fund never has a flow.
        """
        inside = self.flow[~self.held_out]
        active = np.where(inside == 0.0, np.nan, np.abs(inside))
        idle = np.isnan(active).all(axis=0)
        if idle.any():
            name = self.funds[int(np.argmax(idle))]
            raise DataError(f"fund '{name}': it has no flow in the sample; leave it out")
        found: np.ndarray = np.nanmedian(active, axis=0)
        return found
