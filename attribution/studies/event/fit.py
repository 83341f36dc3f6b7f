r"""A structural question about one day and its rows in; the posterior over laws of impact out.

.. math::
    P(l \mid y) \propto w_l \int p(y \mid \theta, l)\, p(\theta \mid l)\, d\theta

References: meng1996.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from attribution.errors import DataError
from attribution.studies.event.density import law_model
from attribution.studies.event.layout import layout
from attribution.studies.event.notes import NoteSurface
from attribution.studies.event.question import EventQuestion
from attribution.studies.event.rows import EventRows
from attribution.studies.event.sampling import CHAINS, TUNE, LawFit, fit_law

__all__ = ["EventFit", "LawFit", "fit_event", "prior_draws"]


@dataclass(frozen=True)
class EventFit:
    """Posterior over laws of impact.

    Attributes
    ----------
    laws : in the order of the question's laws; ``weight`` their posterior probabilities, (law,),
        and ``weight_error`` the Monte Carlo standard error of each.
    draws : name -> (chain, draw, ...), every law present in proportion to its weight in each chain.
    law : (chain, draw), position in ``laws`` (not in ``LAWS``).
    """

    rows: EventRows
    surface: NoteSurface
    laws: tuple[LawFit, ...]
    weight: np.ndarray
    weight_error: np.ndarray
    draws: Mapping[str, np.ndarray]
    law: np.ndarray


def fit_event(
    question: EventQuestion,
    rows: EventRows,
    surface: NoteSurface,
    *,
    draws: int,
    seed: int,
    progress: bool = False,
    tune: int = TUNE,
    say: Callable[[str], None] = lambda text: None,
) -> EventFit:
    """Sample every law of impact and average over them.

    Parameters
    ----------
    draws : kept draws of each law over all chains, and of their mixture.
    seed : one integer; the same seed gives the same draws.
    tune : warm-up iterations of each chain.

    Raises
    ------
    DataError
        Fewer draws than chains.
    """
    each = draws // CHAINS
    if each < 1:
        raise DataError(f"draws = {draws} is less than one a chain; ask for {CHAINS} or more")
    *seeds, last = np.random.SeedSequence(seed).spawn(len(question.impact.laws) + 1)
    fits = []
    for law, one in zip(question.impact.laws, seeds, strict=True):
        say(f"sampling under the {law.name.replace('_', '-')} law of impact")
        given = law_model(question, rows, surface, law)
        fits.append(fit_law(given, draws=each, seed=one, progress=progress, tune=tune))
    prior = np.array([law.weight for law in question.impact.laws])
    weight, error = weights(prior, fits)
    mixed, law_of = mixture(fits, weight, np.random.default_rng(last))
    return EventFit(rows, surface, tuple(fits), weight, error, mixed, law_of)


def weights(prior: np.ndarray, fits: list[LawFit]) -> tuple[np.ndarray, np.ndarray]:
    """Posterior probabilities of the laws and their Monte Carlo standard errors."""
    log = np.log(prior) + np.array([fit.log_evidence for fit in fits])
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    error = np.array([fit.evidence_error for fit in fits])
    slope = weight[:, None] * (np.eye(len(fits)) - weight)  # of a weight in each log evidence
    return weight, np.sqrt(slope**2 @ error**2)


def mixture(
    fits: list[LawFit], weight: np.ndarray, rng: np.random.Generator
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Take draws of every law in proportion to its weight, spread evenly over each of its chains.

    Counts are those of systematic sampling; the order of the laws along a chain is shuffled, so
    that autocorrelation is that within laws.
    """
    chains, length = fits[0].stats["diverging"].shape
    law_of = np.empty((chains, length), dtype=np.int64)
    taken = np.empty((chains, length), dtype=np.int64)
    ends = np.cumsum(weight) / weight.sum()
    for chain in range(chains):
        grid = (np.arange(length) + rng.uniform()) / length
        laws = np.minimum(np.searchsorted(ends, grid, side="right"), len(fits) - 1)
        law_of[chain] = rng.permutation(laws)
        for number in range(len(fits)):
            at = law_of[chain] == number
            taken[chain, at] = np.linspace(0, length - 1, int(at.sum())).round().astype(int)
    rows = np.arange(chains)[:, None]
    mixed = {}
    for name in fits[0].draws:
        stacked = np.stack([fit.draws[name] for fit in fits])
        mixed[name] = stacked[law_of, rows, taken]
    return mixed, law_of


def prior_draws(
    question: EventQuestion, rows: EventRows, size: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Draws from the prior by name, (size, ...), with ``law`` (size,) a position in the laws.

    Loop gains of one and more are among them: the likelihood excludes them, not the prior.
    """
    laws = question.impact.laws
    index = rng.choice(len(laws), p=[law.weight for law in laws], size=size)
    each = [layout(question, rows, law).draw((size,), rng) for law in laws]
    found = {
        name: np.stack([one[name] for one in each])[index, np.arange(size)] for name in each[0]
    }
    absorbed = (rng.random(size) < question.liquidations.absorbed).astype(int)
    return {**found, "absorbed": absorbed, "law": index}
