r"""Net creations, returns and a basis in; what neither returns nor basis explain, by day, out.

.. math::
    f_t = o_t + e_t, \qquad e_t = \rho\, e_{t-1} + x_{t-l_t}'\beta + b_{t-l_t}'\kappa

with x the day's returns and b the true changes of the basis; the organic part o is what remains.
It holds the average flow, its persistence and its surprises.  The split is exact in every draw; the
draws carry what is not known of the responses, of the dating and of the basis, whose readings have
an error.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from attribution.core.carried import carry
from attribution.errors import SpecError
from attribution.estimate.flow_data import FlowData
from attribution.estimate.focus_fit import FocusFit, fit_focus
from attribution.estimate.focus_rows import focus_setup, term_values, usual_size
from attribution.estimate.true_basis import TrueBasis, true_basis
from attribution.model.flow_mechanisms import Mechanism, Term
from attribution.model.flows import FlowsQuestion

WINDOW = 5
"""Rows that are summed."""


@dataclass(frozen=True)
class Organic:
    """The organic part of net creations.

    Attributes
    ----------
    published : (time,), USD million.
    daily, summed : (draw, time), organic part of a row, and of the last five, USD million.
    basis : (draw, time), true change of the basis over the days that those five rows stand for,
        less its usual change, basis points.
    previous : (time,), probability that the row stands for the day before.
    readings : (time,), changes of the basis observed on the dates of the five rows.
    known : (time,), whether all five rows are there.
    """

    days: pd.DatetimeIndex
    published: np.ndarray
    daily: np.ndarray
    summed: np.ndarray
    basis: np.ndarray
    previous: np.ndarray
    readings: np.ndarray
    known: np.ndarray
    fit: FocusFit
    true: TrueBasis


def organic_part(
    question: FlowsQuestion, data: FlowData, *, draws: int, rng: np.random.Generator
) -> Organic:
    """Split net creations of the focus fund; rows of the event are split, not learnt from.

    Raises
    ------
    SpecError
        If the model names no basis.
    DataError
        If too few rows or changes of the basis can be used.
    """
    if not question.basis:
        raise SpecError("[flows]: basis is missing, and the monitor is about it; name its column")
    basis = true_basis(data.covariates[question.basis], draws=draws, rng=rng)
    seen = np.isfinite(data.covariates[question.basis])
    calm = dict(data.covariates) | {question.basis: np.where(seen, basis.mean, np.nan)}
    data = replace(data, covariates=calm)
    size = float(data.size[data.focus])
    terms = (Term(question.basis), Term(question.basis, lag=1))
    trade = Mechanism("basis", "basis", terms, scale=question.prior.response * size, reason="-")
    setup = focus_setup(question, data, (trade,), others=False)
    fit = fit_focus(setup, draws=draws, rng=rng)
    flow = data.flow[:, data.focus]
    stop = ~np.isfinite(flow) | (flow == 0.0)
    part = _returns(fit) + _basis(fit, question, data, basis)
    stays = fit.draws.beta[:, setup.names.index("own row before")]
    daily = np.nan_to_num(flow) - size * carry(np.ascontiguousarray(part), stays, stop)
    return Organic(
        days=data.days,
        published=flow,
        daily=daily,
        summed=_sum(daily),
        basis=_sum(_read(fit, basis.change)),
        previous=fit.dating().previous.mean(axis=0),
        readings=_count(seen),
        known=_count(np.isfinite(flow)) == WINDOW,
        fit=fit,
        true=basis,
    )


def _returns(fit: FocusFit) -> np.ndarray:
    """Add up what returns add to a row (draw, time), in sizes."""
    rows, names = fit.setup.rows, fit.setup.names
    own = [
        k
        for k, name in enumerate(names)
        if name not in ("intercept", "own row before") and not fit.setup.terms[k]
    ]
    both = np.einsum("ltk,sk->lst", rows.x[:, :, own], fit.draws.beta[:, own])
    own_day, before = fit.draws.holds
    found: np.ndarray = np.where(own_day, both[0], 0.0) + np.where(before, both[1], 0.0)
    return found


def _basis(fit: FocusFit, question: FlowsQuestion, data: FlowData, basis: TrueBasis) -> np.ndarray:
    """Add up what true changes of the basis, of the day and the one before, add to a row."""
    column = term_values(Term(question.basis), question, data)
    usual = usual_size(column, ~data.held_out)
    now, before = fit.draws.beta[:, fit.setup.terms].T
    change = basis.change / usual
    day = now[:, None] * change
    day[:, 1:] += before[:, None] * change[:, :-1]
    return _read(fit, day)


def _read(fit: FocusFit, day: np.ndarray) -> np.ndarray:
    """Take the values (draw, time) of the days that a row stands for."""
    shifted = np.zeros_like(day)
    shifted[:, 1:] = day[:, :-1]
    own, before = fit.draws.holds
    found: np.ndarray = np.where(own, day, 0.0) + np.where(before, shifted, 0.0)
    return found


def _sum(values: np.ndarray) -> np.ndarray:
    """Sum over the last rows (draw, time); of fewer at the start."""
    total = np.cumsum(values, axis=1)
    total[:, WINDOW:] = total[:, WINDOW:] - total[:, :-WINDOW].copy()
    return total


def _count(yes: np.ndarray) -> np.ndarray:
    """Count the last rows that are so; (time,)."""
    found: np.ndarray = _sum(yes[None].astype(float))[0].astype(int)
    return found
