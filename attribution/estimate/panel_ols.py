"""A panel on (time, entity) in; coefficients by linearmodels, with errors where they mean some."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.errors import DataError
from attribution.estimate.placebo_dates import TINY, Design, basis, within


@dataclass(frozen=True)
class PanelFit:
    """Coefficients of a panel regression.

    Attributes
    ----------
    coefficients : (regressor,) of everything that enters, events among them.
    errors : (covariate,) standard errors clustered by entity and by time.  Events have none: one
        day and a dozen entities leave no large sample behind them.
    freedom : entities less one, the degrees of freedom that the fewer clusters leave.
    observations, r2_within : rows, and the share of variance within entities that is explained.
    """

    coefficients: pd.Series
    errors: pd.Series
    freedom: int
    observations: int
    r2_within: float


def panel_ols(
    design: Design,
    names: list[str],
    events: Mapping[str, np.ndarray],
    *,
    days: pd.DatetimeIndex,
    entities: list[str],
) -> PanelFit:
    """Regress the outcome on covariates and event dummies, with entity and time effects.

    Parameters
    ----------
    names : of the covariates of ``design``.
    events : name -> (time, entity), exposure on the days of the event and zero elsewhere.

    Raises
    ------
    DataError
        If a regressor is spanned by effects and the other regressors, or an error is no number.

    References
    ----------
    cameron2011
    """
    from linearmodels.panel import PanelOLS

    every = dict(zip(names, design.covariates, strict=True)) | dict(events)
    refuse_spanned(design, every)
    size = {name: _size(x[design.mask]) for name, x in every.items()}
    unit = _size(design.outcome[design.mask])
    index = pd.MultiIndex.from_product([entities, days], names=["entity", "time"])
    kept = design.mask.T.ravel()
    table = pd.DataFrame({name: x.T.ravel() / size[name] for name, x in every.items()}, index)[kept]
    outcome = pd.Series(design.outcome.T.ravel() / unit, index=index, name="outcome")[kept]
    if not (design.entity_effects or design.time_effects):
        table.insert(0, "constant", 1.0)
    model = PanelOLS(
        outcome,
        table,
        entity_effects=design.entity_effects,
        time_effects=design.time_effects,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two-way clusters of few entities need not be definite
        fit = model.fit(cov_type="clustered", cluster_entity=True, cluster_time=True)
        errors = pd.Series(np.sqrt(np.diag(fit.cov)), index=fit.cov.index)
    if not np.isfinite(errors[names]).all():
        bad = names[int(np.argmin(np.isfinite(errors[names])))]
        raise DataError(
            f"covariate '{bad}': errors clustered by entity and by day are no numbers with"
            f" {len(entities)} entities; give more entities or days, or remove it"
        )
    back = pd.Series([unit / size.get(name, 1.0) for name in fit.params.index], fit.params.index)
    return PanelFit(
        coefficients=fit.params * back,
        errors=(errors * back)[names],
        freedom=len(entities) - 1,
        observations=int(fit.nobs),
        r2_within=float(fit.rsquared_within),
    )


def _size(values: np.ndarray) -> float:
    """Size of a column, which units change and which is divided out; one of a column of zeros."""
    return float(np.sqrt((values**2).mean())) or 1.0


def refuse_spanned(design: Design, regressors: Mapping[str, np.ndarray]) -> None:
    """Refuse a regressor that effects and the regressors named before it already span.

    Raises
    ------
    DataError
        With the regressor.
    """
    bare = Design(design.outcome, design.covariates[:0], design.mask, *_effects(design))
    before: list[np.ndarray] = []
    for name, values in regressors.items():
        span = basis(bare, np.array(before).reshape(-1, *design.mask.shape))
        own = within(values, design)
        left = own - np.einsum("tip,p->ti", span, np.einsum("tip,ti->p", span, own))
        moved = values[design.mask] - values[design.mask].mean()
        if np.linalg.norm(left) <= np.sqrt(TINY) * np.linalg.norm(moved):
            raise DataError(
                f"regressor '{name}' is the same for all entities on every day, or a sum of others,"
                " so effects absorb it; let it act on some entities alone, or remove it"
            )
        before.append(values)


def _effects(design: Design) -> tuple[bool, bool]:
    return design.entity_effects, design.time_effects
