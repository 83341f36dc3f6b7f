r"""Rows of the focus fund under both readings, their prior and posterior.

.. math::
    \frac{f_t}{S} = \rho \frac{f_{t-1}}{S} + a + x_{t-l}'\beta + m_{t-l}'\theta + \varepsilon_t,
    \qquad l \in \{0, 1\}

with S the fund's median absolute flow, x the returns of a day and what the other funds took in, m
the terms of the mechanism; a row of both days has what both bring.  Rows without a flow are left
out: whether there is one is another
factor of the likelihood, which no mechanism here changes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numba as nb
import numpy as np
import pandas as pd

from attribution.errors import DataError
from attribution.sampling.diagnostics import effective_size, split_rhat
from attribution.studies.flows.dating import Dating, DatingPrior, date_rows
from attribution.studies.flows.dating_forward import running_likelihood
from attribution.studies.flows.focus import (
    FORCED,
    FocusDraws,
    FocusPrior,
    FocusRows,
    degrees,
    log_likelihoods,
)
from attribution.studies.flows.focus_gibbs import draw_focus
from attribution.studies.flows.question import FlowsQuestion, Mechanism, Term
from attribution.studies.flows.rows import FlowData

INTERCEPT, PERSISTENCE, LEVEL, LEAN = 1.0, 0.5, 1.0, 0.5
"""Prior standard deviations: of the intercept and of ρ; of log σ's level and of its slopes."""
FEWEST = 40


@dataclass(frozen=True)
class FocusSetup:
    """What the regression of the focus fund is fitted to.

    Attributes
    ----------
    rows, prior : in the unit of ``size``; regressors in the order of ``names``.
    names : of the regressors; ``terms`` marks those of the mechanism.
    size : USD million.
    imputed : column -> share of days on which it is missing and enters at its mean.
    """

    days: pd.DatetimeIndex
    rows: FocusRows
    prior: FocusPrior
    names: tuple[str, ...]
    terms: np.ndarray
    size: float
    imputed: dict[str, float]

    def known(self, at: np.ndarray, reading: int) -> FocusSetup:
        """Return the same with the reading of some rows (time,) known."""
        known = np.where(at, reading, self.rows.known)
        return replace(self, rows=replace(self.rows, known=known))

    def dated(self, prior: DatingPrior) -> FocusSetup:
        """Return the same with another prior of the dating."""
        return replace(self, prior=replace(self.prior, dating=prior))


def focus_setup(
    question: FlowsQuestion,
    data: FlowData,
    mechanisms: tuple[Mechanism, ...],
    *,
    tightness: float = 1.0,
    others: bool = True,
) -> FocusSetup:
    """Build the regression.

    Parameters
    ----------
    mechanisms : whose terms enter, if they have any.
    tightness : multiplies the prior scale of the mechanisms' terms.
    others : whether the flow of the other funds enters.

    Raises
    ------
    DataError
        If a column does not move, or too few rows can be used.
    """
    focus, size = data.focus, float(data.size[data.focus])
    flow, inside = data.flow[:, focus], ~data.held_out
    days = _day_columns(question, data, others)
    imputed: dict[str, float] = {}
    signs, scales = [0] * len(days), [prior for _, prior in days.values()]
    moving = {name: (values, True) for name, (values, _) in days.items()}
    for mechanism in mechanisms:
        for term in mechanism.terms:
            label = f"{mechanism.name}: {term.label}"
            values, missing = _usual(label, term_values(term, question, data), inside)
            moving[label] = values, mechanism.time == "order"
            signs.append(term.sign)
            scales.append(tightness * mechanism.scale / size)
            if missing:
                imputed[label] = missing
    own = _before(flow) / size
    columns = [(np.ones(len(flow)), True), (own, False), *moving.values()]
    scales, signs = [INTERCEPT, PERSISTENCE, *scales], [0, 0, *signs]
    order = np.argsort(np.abs(signs), kind="stable")
    x = _both(columns)[:, :, order]
    names = tuple(np.array(["intercept", "own row before", *moving])[order])
    z = _both([(np.ones(len(flow)), False), *_scale_columns(question, data)])
    held = _before(data.held_out.astype(float)) == 1.0
    usable = np.isfinite(flow) & np.isfinite(x).all(axis=(0, 2)) & np.isfinite(z).all(axis=(0, 2))
    used = usable & (flow != 0.0) & inside & ~held
    if used.sum() < FEWEST:
        raise DataError(
            f"fund '{data.funds[focus]}': {int(used.sum())} of its rows can be used and {FEWEST}"
            " are needed; lengthen the sample"
        )
    grid, weight = degrees()
    same, previous, switch = question.dating.weights
    prior = FocusPrior(
        scale=np.array(scales)[order],
        sign=np.array(signs)[order],
        spread=np.array([LEVEL] + [LEAN] * (z.shape[2] - 1)),
        grid=grid,
        weight=weight,
        dating=DatingPrior(same, previous, switch),
    )
    rows = FocusRows(
        y=np.nan_to_num(flow / size),
        x=np.nan_to_num(x),
        z=np.nan_to_num(z),
        used=used,
        known=np.full(len(flow), -1),
        of_row=~np.array([moves for _, moves in columns])[order],
    )
    terms = order >= 2 + len(days)
    return FocusSetup(data.days, rows, prior, names, terms, size, imputed)


def term_values(term: Term, question: FlowsQuestion, data: FlowData) -> np.ndarray:
    """Values (time,) of a mechanism's term, in the unit of its column; NaN where not known."""
    values = _formed(term, question, data)
    if term.days > 1:
        values = pd.Series(values).rolling(term.days).sum().to_numpy()
    for _ in range(term.lag):
        values = _before(values)
    if term.since is not None:
        values = np.where(data.days >= pd.Timestamp(term.since), values, 0.0)
    return np.asarray(values, float)


def _formed(term: Term, question: FlowsQuestion, data: FlowData) -> np.ndarray:
    """How the column enters on its own day."""
    if term.form == "constant":
        return np.ones(len(data.days))
    column = _column(term.column, question, data)
    if term.form == "signed":
        found: np.ndarray = np.sign(column) * np.exp(_column(term.times, question, data))
        return found
    if term.form == "below":
        values = np.where(np.isfinite(column), column < term.threshold, np.nan)
    elif term.form == "level":
        values = column - np.nanmean(column[~data.held_out])
    else:
        low, high = (-np.inf, 0.0) if term.form == "falls" else (0.0, np.inf)
        values = np.clip(column, low, high)
    return values * _column(term.times, question, data) if term.times else values


def _column(name: str, question: FlowsQuestion, data: FlowData) -> np.ndarray:
    if name == question.fund_return:
        return np.asarray(data.returns[:, data.focus])
    return np.asarray(data.covariates[name])


def usual_size(values: np.ndarray, inside: np.ndarray) -> float:
    """Root mean square of the values (time,) that are not zero, on the days ``inside``."""
    seen = values[inside & np.isfinite(values) & (values != 0.0)]
    return float(np.sqrt((seen**2).mean())) if len(seen) > 1 else 0.0


def _usual(name: str, values: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, float]:
    """Divide by the usual size; a missing day enters at the mean."""
    size = usual_size(values, inside)
    if not size > 0:
        raise DataError(f"mechanism {name}: it is zero or missing on every day; remove it")
    missing = ~np.isfinite(values)
    mean = float(values[inside & ~missing].mean())
    return np.where(missing, mean, values) / size, float(missing.mean())


def _day_columns(
    question: FlowsQuestion, data: FlowData, others: bool
) -> dict[str, tuple[np.ndarray, float]]:
    """Values and prior scale of what a day brings, whatever the mechanism."""
    r, response = data.returns[:, data.focus], question.prior.response
    inside = ~data.held_out
    sd = float(np.nanstd(r[inside]))
    if not sd > 0:
        raise DataError(f"column '{question.fund_return}': it does not move; give returns")
    found = {
        "fall": (np.minimum(r, 0.0) / sd, response),
        "rise": (np.maximum(r, 0.0) / sd, response),
        "return of the day before": (_before(r) / sd, response),
        f"fall beyond {question.crash:g}": (
            np.maximum(-r - question.crash, 0.0) / sd,
            question.prior.crash,
        ),
    }
    if others and question.shared_demand and len(data.funds) > 1:
        rest = np.delete(data.flow, data.focus, axis=1)
        total = np.where(np.isfinite(rest).any(axis=1), np.nansum(rest, axis=1), np.nan)
        found["flow of the other funds"] = (_usual("other funds", total, inside)[0], response)
    return found


def _scale_columns(question: FlowsQuestion, data: FlowData) -> list[tuple[np.ndarray, bool]]:
    """Standardised columns that move the scale of a day's orders."""
    found = []
    for name in (question.volatility, question.volume):
        if name:
            values = data.covariates[name]
            sd = float(np.nanstd(values))
            if not sd > 0:
                raise DataError(f"column '{name}': it does not move over the sample; leave it out")
            found.append((np.nan_to_num((values - np.nanmean(values)) / sd), True))
    return found


def _both(columns: list[tuple[np.ndarray, bool]]) -> np.ndarray:
    """Stack columns under both readings (reading, time, column); some belong to the row."""
    shifted = [_before(values) if moves else values for values, moves in columns]
    return np.stack([np.stack([v for v, _ in columns], axis=1), np.stack(shifted, axis=1)])


def _before(values: np.ndarray) -> np.ndarray:
    """Values of the row before; NaN in the first."""
    moved = np.full(len(values), np.nan)
    moved[1:] = values[:-1]
    return moved


# Parts of each row and how much of a row stays in the next in; what the parts add up to out.


@nb.njit(cache=True, nogil=True)
def carry(part, stays, stop):  # type: ignore[no-untyped-def]
    r"""Carry the parts of rows forward.

    .. math:: e_t = \rho\, e_{t-1} + c_t, \qquad e_t = 0 \text{ where the row stops}

    Parameters
    ----------
    part : (draw, time), c.
    stays : (draw,), ρ.
    stop : (time,), rows of which nothing is to be explained.

    Returns
    -------
    (draw, time).
    """
    found = np.zeros(part.shape)
    for s in range(len(part)):
        before = 0.0
        for t in range(part.shape[1]):
            before = 0.0 if stop[t] else stays[s] * before + part[s, t]
            found[s, t] = before
    return found


CHAINS, BURN = 2, 50


@dataclass(frozen=True)
class FocusFit:
    """Posterior draws of the focus fund's regression.

    Attributes
    ----------
    setup : what was fitted.
    draws : chains one after the other; ``chains`` of them.
    readings : (reading, draw, time), log likelihood of the rows used; zero elsewhere.
    total : (draw,), log likelihood of all of them, the dating integrated out.
    """

    setup: FocusSetup
    draws: FocusDraws
    chains: int
    readings: np.ndarray
    total: np.ndarray

    def gain(self, rows: np.ndarray, *, peak: bool = False) -> np.ndarray:
        """Log density (draw,) of rows (time,) that were not used, given those that were.

        The dating is integrated out in every draw, with what all used rows say of it.  ``peak``
        gives the most that any shift of the mean of these rows could reach.
        """
        new = log_likelihoods(self.setup.rows, self.draws, rows, peak=peak)
        both = np.where(rows, new, self.readings)
        prior, known = self.setup.prior.dating, self.setup.rows.known
        joint = running_likelihood(both, prior, known)[:, -1]
        found: np.ndarray = joint - self.total
        return found

    def dating(self) -> Dating:
        """Dating of every row, draw by draw."""
        known = self.setup.rows.known
        against = np.stack([known == 1, known == 0, known >= 0, known >= 0])
        return date_rows(self.readings - FORCED * against[:, None], self.setup.prior.dating)

    @property
    def diagnostics(self) -> dict[str, float]:
        """Largest split R-hat and smallest effective number of draws of β, γ and ν."""
        parts = np.column_stack([self.draws.beta, self.draws.gamma, np.log(self.draws.nu)])
        chains = parts.reshape(self.chains, -1, parts.shape[1])
        moves = chains[:, :, chains.std(axis=(0, 1)) > 0]
        with np.errstate(invalid="ignore"):  # a short chain may rest on one point of the grid
            rhat = split_rhat(moves)
        return {
            "max_rhat": float(np.nanmax(rhat)),
            "min_ess": float(np.nanmin(effective_size(moves))),
        }


@dataclass(frozen=True)
class Score:
    """A log density averaged over draws, and its Monte Carlo standard error."""

    value: float
    error: float


def fit_focus(
    setup: FocusSetup, *, draws: int, rng: np.random.Generator, chains: int = CHAINS
) -> FocusFit:
    """Draw the posterior; ``draws`` over all chains."""
    each = max(draws // chains, 4)
    parts = [
        draw_focus(setup.rows, setup.prior, draws=each, burn=BURN, rng=child)
        for child in rng.spawn(chains)
    ]
    found = FocusDraws(
        beta=np.concatenate([part.beta for part in parts]),
        gamma=np.concatenate([part.gamma for part in parts]),
        nu=np.concatenate([part.nu for part in parts]),
        path=np.concatenate([part.path for part in parts]),
        accepted=float(np.mean([part.accepted for part in parts])),
    )
    readings = log_likelihoods(setup.rows, found, setup.rows.used)
    prior, known = setup.prior.dating, setup.rows.known
    total = running_likelihood(readings, prior, known)[:, -1]
    return FocusFit(setup, found, chains, readings, total)


def log_score(fit: FocusFit, rows: np.ndarray, *, peak: bool = False) -> Score:
    r"""Log density of rows that were not used, per USD million, given those that were.

    .. math:: \log \frac1S \sum_s p(y_E \mid \theta_s, y_{-E})

    Parameters
    ----------
    rows : (time,), the rows asked.
    peak : the most that any shift of the mean of these rows could reach instead.
    """
    return average(fit.gain(rows, peak=peak), fit.chains, int(rows.sum()), fit.setup.size)


def average(gain: np.ndarray, chains: int, rows: int, size: float) -> Score:
    """Log of the mean density of draws (draw,), chain after chain, of rows in units of ``size``."""
    top = float(gain.max())
    weight = np.exp(gain - top)
    worth = float(effective_size(weight.reshape(chains, -1, 1))[0])
    mean = float(weight.mean())
    error = float(weight.std(ddof=1)) / mean / np.sqrt(worth) if np.isfinite(worth) else 0.0
    return Score(top + float(np.log(mean)) - rows * float(np.log(size)), float(error))


def difference(first: Score, second: Score) -> Score:
    """First minus second; they come from draws of their own."""
    return Score(first.value - second.value, float(np.hypot(first.error, second.error)))
