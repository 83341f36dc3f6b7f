"""Named draws of a structural VAR and a table in; which draws obey every claim of it out."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from attribution.core.rotations.holds import (
    BETWEEN,
    LARGEST,
    OVERWHELMING,
    SMALLEST,
    Carried,
    Line,
    Order,
    Share,
    Single,
)
from attribution.errors import SpecError
from attribution.model.restriction import Identification
from attribution.posterior import StructuralPosterior
from attribution.var.identify.claims import Claims
from attribution.var.identify.compile import compiled
from attribution.var.identify.feasible import refuse_infeasible
from attribution.var.identify.fits import on_columns

# Claims and named columns in; by how much the worst of them fails out.


def violation(claims: Claims, functionals: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Worst margin of all claims (draw,); they hold where it is not positive.

    A margin knows no units: a half-space is measured by the length of its functional, a share of
    variance and a rank by the whole. It falls to zero as the claim comes to hold, which is what a
    search by levels needs (``attribution.core.rotations.ellipse``).

    Parameters
    ----------
    functionals : (draw, functional, n).
    q : (draw, n, n); channel k in column k.
    """
    x = functionals @ q
    length = np.linalg.norm(functionals, axis=2)
    worst = np.full(len(q), -np.inf)
    for claim in claims.claims:
        for part in claim.parts:
            worst = np.maximum(worst, _single(part, x, functionals))
        for order in claim.orders:
            worst = np.maximum(worst, _order(order, x, length))
    return np.where(np.isfinite(worst), worst, np.inf)


def _single(part: Single, x: np.ndarray, functionals: np.ndarray) -> np.ndarray:
    if isinstance(part, Line):
        return _line(part, x, functionals)
    return _share(part, x) if isinstance(part, Share) else _carried(part, x)


def _line(part: Line, x: np.ndarray, functionals: np.ndarray) -> np.ndarray:
    row = part.gain * functionals[:, part.at] + part.base_gain * functionals[:, part.base]
    k = part.channel
    value = part.gain * x[:, part.at, k] + part.base_gain * x[:, part.base, k]
    short: np.ndarray = (part.offset - value) / np.linalg.norm(row, axis=1)
    return short


def _share(part: Share, x: np.ndarray) -> np.ndarray:
    size = (x[:, list(part.at)] ** 2).sum(1)
    share = size[:, part.channel] / size.sum(1)
    return np.asarray(np.maximum(part.low - share, share - part.high))


def _carried(part: Carried, x: np.ndarray) -> np.ndarray:
    carry, shock = (list(side) for side in zip(*part.pairs, strict=True))
    moved = (x[:, carry] * x[:, shock]).sum(1)
    if part.kind == BETWEEN:
        own, unit = moved[:, part.channel], np.abs(moved).sum(1)
        return np.asarray(np.maximum(part.low - own, own - part.high) / unit)
    size = np.abs(moved) / np.abs(moved).sum(1, keepdims=True)
    own = size[:, part.channel]
    others = np.delete(size, part.channel, axis=1)
    if part.kind == LARGEST:
        return np.asarray(others.max(1) - own)
    if part.kind == SMALLEST:
        return np.asarray(own - others.min(1))
    rest = others.sum(1)
    return np.asarray(rest - own if part.kind == OVERWHELMING else own - rest)


def _order(order: Order, x: np.ndarray, length: np.ndarray) -> np.ndarray:
    sides = [(x[:, *side], length[:, side[0]]) for side in (order.larger, order.smaller)]
    (larger, above), (smaller, below) = sides
    if order.absolute:
        larger, smaller = np.abs(larger), np.abs(smaller)
    short: np.ndarray = (order.factor * smaller - larger) / (above + order.factor * below)
    return short


def obeying(
    posterior: StructuralPosterior,
    table: Identification,
    values: pd.DataFrame,
    *,
    constant: bool,
    levels: Collection[str] = (),
) -> np.ndarray:
    """Judge draws whose shocks have their names already, by instruments or otherwise.

    Returns
    -------
    (chain, draw) bool.

    Raises
    ------
    SpecError
        If a claim is an exact zero or weighs draws, which judging cannot do.
    IdentificationError
        If claims contradict each other.
    """
    claims = compiled(
        table,
        posterior.variables,
        values,
        lags=posterior.lag_coefficients.shape[2],
        constant=constant,
        levels=levels,
    )
    if claims.zeros or claims.conditional:
        what = "an exact zero" if claims.zeros else 'reading = "conditional"'
        raise SpecError(
            f"table '{table.name}': {what} needs scheme 'restrictions'; use bounds, or reading ="
            ' "unconditional"'
        )
    refuse_infeasible(table.name, claims)
    lead, n = posterior.impact.shape[:2], len(posterior.variables)
    order = [posterior.shocks.index(name) for name in claims.channels]
    rest = [j for j in range(n) if j not in order]
    impact = posterior.impact.reshape(-1, n, n)[:, :, [*order, *rest]]
    slopes = posterior.lag_coefficients.reshape(-1, *posterior.lag_coefficients.shape[2:])
    columns = on_columns(claims, impact, slopes, posterior.intercept.reshape(-1, n))
    worst = violation(claims, columns, np.broadcast_to(np.eye(n), impact.shape))
    kept: np.ndarray = (worst <= 0).reshape(lead)
    return kept
