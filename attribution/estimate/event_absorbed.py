r"""Draws under every law of impact in; whether forced orders left a mark on the price, out.

The indicator is integrated out of the density that is sampled, so that its posterior probability is
the mean over draws of what each draw says of it, and no count of zeros and ones:

.. math::
    P(\delta = 1 \mid y) = \sum_l w_l\, E\bigl[P(\delta = 1 \mid \theta, l, y)\bigr], \qquad
    B = \frac{P(\delta = 1 \mid y)}{1 - P(\delta = 1 \mid y)} \Big/ \frac{a}{1 - a}
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from attribution.core.mixing import effective_size
from attribution.estimate.event_sampling import LawFit


@dataclass(frozen=True)
class Absorbed:
    """Whether forced orders left no mark on the price.

    Attributes
    ----------
    prior : probability before the data.
    chance : after them, over all laws; ``error`` its Monte Carlo standard error.
    by_law : (law,), under each law of impact alone.
    """

    prior: float
    chance: float
    error: float
    by_law: np.ndarray

    def factor(self, chance: float | None = None) -> float:
        """Bayes factor of no mark against a mark; NaN where the prior leaves no choice.

        Parameters
        ----------
        chance : posterior probability to be turned into it; None: that of all laws.
        """
        after = self.chance if chance is None else chance
        if not self.prior or after >= 1.0:
            return float("nan") if not self.prior else float("inf")
        return float(after / (1.0 - after) * (1.0 - self.prior) / self.prior)


def absorbed_of(prior: float, fits: Sequence[LawFit], weight: np.ndarray) -> Absorbed:
    """Average the draws' own probabilities over each law's draws, then over laws.

    Parameters
    ----------
    weight : posterior probabilities of the laws, (law,).
    """
    each = np.array([float(fit.chance.mean()) for fit in fits])
    chance = float(weight @ each)
    own = np.array([_error(fit.chance) for fit in fits])
    evidence = np.array([fit.evidence_error for fit in fits])
    # a law's log evidence moves its weight, and with it the mean, by how far the law lies from it
    error = np.sqrt((weight**2) @ own**2 + (weight * (each - chance)) ** 2 @ evidence**2)
    return Absorbed(prior, chance, float(error), each)


def _error(chance: np.ndarray) -> float:
    """Monte Carlo standard error of a mean over (chain, draw); zero where it never moves."""
    size = float(effective_size(chance[..., None])[0])
    return 0.0 if np.isnan(size) else float(chance.std() / np.sqrt(size))
