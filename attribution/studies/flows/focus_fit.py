"""The focus fund's regression in; its posterior, and what it says of rows it has not seen, out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.sampling.diagnostics import effective_size, split_rhat
from attribution.studies.flows.dating import Dating, date_rows
from attribution.studies.flows.dating_forward import running_likelihood
from attribution.studies.flows.focus import FORCED, FocusDraws, log_likelihoods
from attribution.studies.flows.focus_gibbs import draw_focus
from attribution.studies.flows.focus_rows import FocusSetup

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
