r"""How well the focus fund's regression foresees rows, beside rival accounts.

.. math:: \text{elpd} = \sum_{t} \log p(y_t \mid y_1, \dots, y_{t-1})

over the last rows that the regression may use, rows of the event aside.  Draws given fewer rows are
weighted to stand for more, and drawn anew where the weights' Pareto k says that they no longer can.
The dating is integrated out of every term, so that what the rows so far say of it is used exactly.

``studies.flows.evidence`` makes them; tables and findings are drawn from them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp

from attribution.sampling.diagnostics import PARETO_K, effective_size
from attribution.sampling.pareto import smooth_weights
from attribution.studies.flows.dating_forward import running_likelihood
from attribution.studies.flows.focus import FocusDraws, log_likelihoods
from attribution.studies.flows.focus_rows import FocusFit, FocusSetup, Score, difference, fit_focus
from attribution.studies.flows.question import Mechanism


@dataclass(frozen=True)
class Foreseen:
    """One-step predictions.

    Attributes
    ----------
    rows : (row,), their places in time.
    density : (row,), log predictive density of each, per USD million.
    shape : (row,), Pareto k of the weights behind it; minus infinity where it was drawn anew.
    refits : times that the posterior was drawn.
    error : Monte Carlo standard error of the sum of the densities.
    """

    rows: np.ndarray
    density: np.ndarray
    shape: np.ndarray
    refits: int
    error: float


def foresee(setup: FocusSetup, *, rows: int, draws: int, rng: np.random.Generator) -> Foreseen:
    """Predict each of the last ``rows`` rows that are used from those before it.

    References
    ----------
    burkner2020; vehtari2024
    """
    places = np.flatnonzero(setup.rows.used)[-rows:]
    density, shape = np.empty(len(places)), np.empty(len(places))
    done, refits, noise = 0, 0, 0.0
    while done < len(places):
        learnt = setup.rows.used & (np.arange(len(setup.days)) < places[done])
        fit = fit_focus(_learning(setup, learnt), draws=draws, rng=rng)
        refits += 1
        told = _running(setup, fit.draws)
        ahead = places[done:]
        change = told[:, ahead].T - told[:, ahead[0]]
        weight, k = smooth_weights(change)
        bad = np.flatnonzero(k > PARETO_K)
        count = int(bad[0]) if len(bad) else len(ahead)
        joint = (weight + told[:, ahead + 1].T - told[:, ahead].T)[:count]
        found = logsumexp(joint, axis=1)
        density[done : done + count], shape[done : done + count] = found, k[:count]
        noise += _noise(weight[:count], joint - found[:, None], fit.chains)
        done += count
    return Foreseen(places, density - np.log(setup.size), shape, refits, float(np.sqrt(noise)))


def _noise(weight: np.ndarray, share: np.ndarray, chains: int) -> float:
    """Monte Carlo variance of the sum of log densities that are means over the same draws.

    ``weight`` and ``share`` are logs (row, draw), the latter of what a draw adds to the density.
    """
    pull = (np.exp(share) - np.exp(weight)).sum(axis=0)  # of each draw on the sum
    worth = float(effective_size(pull.reshape(chains, -1, 1))[0])
    square = float((pull**2).sum())
    return square * len(pull) / worth if np.isfinite(worth) else square


def left_out(fit: FocusFit) -> tuple[np.ndarray, np.ndarray]:
    """Leave-one-out log predictive density (row,) of the rows used, per USD million, and Pareto k.

    A display beside ``foresee``: it lets the future in.

    References
    ----------
    vehtari2017; vehtari2024
    """
    places = np.flatnonzero(fit.setup.rows.used)
    alone = fit.dating().log_left_out[:, places].T
    weight, k = smooth_weights(-alone)
    density: np.ndarray = logsumexp(weight + alone, axis=1)
    return density - np.log(fit.setup.size), k


def _learning(setup: FocusSetup, used: np.ndarray) -> FocusSetup:
    return replace(setup, rows=setup.rows.only(used))


def _running(setup: FocusSetup, draws: FocusDraws) -> np.ndarray:
    """Log likelihood (draw, time + 1) of the rows so far."""
    found = log_likelihoods(setup.rows, draws, setup.rows.used)
    return running_likelihood(found, setup.prior.dating, setup.rows.known)


PANELS = ("held", "free")
"""The two baselines: the event's rows read as most rows before it, and read as the rows say."""
BAR = 2.0
"""Log score, number of accounts taken off, above which an account counts."""


@dataclass(frozen=True)
class Rival:
    """One account under one baseline.

    Attributes
    ----------
    mechanism : the account; ``panel`` the baseline's dating.
    score, peak : target -> log density of the held-out rows, and the most that a shift could reach.
    foreseen, alone, shape : one-step predictions; leave-one-out densities (row,) and their k.
    contribution : (draw, event row), what its terms add, USD million; None without terms.
    slope : (draw, term), effect of a term of its usual size, USD million; None without terms.
    previous : (event row,), probability that the row stands for the day before.
    imputed : term -> share of days on which it is missing.
    """

    mechanism: Mechanism
    panel: str
    score: dict[str, Score]
    peak: dict[str, Score]
    foreseen: Foreseen
    alone: np.ndarray
    shape: np.ndarray
    contribution: np.ndarray | None
    slope: np.ndarray | None
    previous: np.ndarray
    imputed: dict[str, float]
    diagnostics: dict[str, float]


@dataclass(frozen=True)
class Sensitivity:
    """Event evidence of one account after a change of the prior or of the baseline."""

    mechanism: str
    panel: str
    change: str
    gain: Score
    ceiling: Score


@dataclass(frozen=True)
class FlowEvidence:
    """What the event's rows and all others say of each account.

    Attributes
    ----------
    targets : the held-out rows with a flow, by date, and ``all`` of them where there are several.
    reading : of the rows of the event under ``held``.
    rivals : the baseline first, by panel.
    weights : panel -> stacking weights in the order of its rivals, event excluded.
    tried : accounts beside the baseline.
    """

    targets: dict[str, np.ndarray]
    reading: str
    rivals: dict[str, tuple[Rival, ...]]
    weights: dict[str, np.ndarray]
    sensitivity: tuple[Sensitivity, ...]
    tried: int

    @property
    def whole(self) -> str:
        """The target that holds every event row."""
        return list(self.targets)[-1]

    @property
    def days(self) -> tuple[str, ...]:
        """Dates of the event's rows."""
        return tuple(name for name, rows in self.targets.items() if rows.sum() == 1)

    @property
    def penalty(self) -> float:
        """Log of the number of accounts tried."""
        return float(np.log(max(self.tried, 1)))

    def gain(self, rival: Rival, target: str) -> Score:
        """Log score of the event's rows over that of the baseline."""
        if rival.mechanism.baseline:
            return Score(0.0, 0.0)
        return difference(rival.score[target], self.rivals[rival.panel][0].score[target])

    def ceiling(self, panel: str, target: str) -> Score:
        """Return the most that any shift of the baseline's mean could gain."""
        base = self.rivals[panel][0]
        return difference(base.peak[target], base.score[target])

    def foresight(self, rival: Rival) -> Score:
        """Difference of the one-step log scores to the baseline's; error over rows and draws."""
        base = self.rivals[rival.panel][0]
        if rival is base:
            return Score(0.0, 0.0)
        gap = rival.foreseen.density - base.foreseen.density
        rows = float(gap.std(ddof=1) * np.sqrt(len(gap)))
        draws = np.hypot(rival.foreseen.error, base.foreseen.error)
        return Score(float(gap.sum()), float(np.hypot(rows, draws)))

    def counts(self, rival: Rival) -> bool:
        """Whether the account counts: evidence above the bar, foresight no worse."""
        ahead, gain = self.foresight(rival), self.gain(rival, self.whole)
        return gain.value - self.penalty > BAR and ahead.value > -2.0 * ahead.error
