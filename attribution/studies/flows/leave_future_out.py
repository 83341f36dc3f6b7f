r"""A regression of the focus fund in; how well it foresees each row from those before it, out.

.. math:: \text{elpd} = \sum_{t} \log p(y_t \mid y_1, \dots, y_{t-1})

over the last rows that the regression may use, rows of the event aside.  Draws given fewer rows are
weighted to stand for more, and drawn anew where the weights' Pareto k says that they no longer can.
The dating is integrated out of every term, so that what the rows so far say of it is used exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp

from attribution.sampling.diagnostics import PARETO_K, effective_size
from attribution.sampling.pareto import smooth_weights
from attribution.studies.flows.dating_forward import running_likelihood
from attribution.studies.flows.focus import FocusDraws, log_likelihoods
from attribution.studies.flows.focus_fit import FocusFit, fit_focus
from attribution.studies.flows.focus_rows import FocusSetup


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
