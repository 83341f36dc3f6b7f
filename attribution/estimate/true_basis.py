"""Daily changes of a basis that is read with error in; posterior draws of the true changes out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.core.local_level import Observed, smooth
from attribution.errors import DataError

MISMATCH = 10.0
"""Prior guess of the error of a reading, basis points: two clocks that are 0.1 % apart."""
DOF = 4.0
"""Of the true changes, as ``core.local_level`` has it."""
FEWEST = 40


@dataclass(frozen=True)
class TrueBasis:
    """True changes of a basis, less their mean: a basis narrows as its contract nears expiry.

    Attributes
    ----------
    change : (draw, time), basis points; on days without a reading drawn from their law.
    error : standard deviation of the error of one reading, basis points; tau : scale of the true
        changes; both posterior means.
    """

    change: np.ndarray
    error: float
    tau: float

    @property
    def mean(self) -> np.ndarray:
        """Posterior mean (time,)."""
        found: np.ndarray = self.change.mean(axis=0)
        return found


def true_basis(change: np.ndarray, *, draws: int, rng: np.random.Generator) -> TrueBasis:
    """Tell true changes (time,) from errors of reading, which the next change takes back.

    Raises
    ------
    DataError
        If too few changes were observed.
    """
    seen = np.isfinite(change)
    if seen.sum() < FEWEST:
        raise DataError(
            f"basis: {int(seen.sum())} daily changes were observed and {FEWEST} are needed to tell"
            " changes from errors of reading; lengthen the sample"
        )
    centred = change[seen] - change[seen].mean()
    places = np.flatnonzero(seen)
    follows = np.diff(places, prepend=-2) == 1
    one = np.ones(len(centred))
    found = smooth(
        Observed(centred, one, one, follows), draws=draws, rng=rng, usual=MISMATCH**2, dof=DOF
    )
    whole = rng.standard_t(DOF, (draws, len(change))) * found.tau[:, None]
    whole[:, seen] = found.true
    return TrueBasis(whole, float(np.sqrt(found.size).mean()), float(found.tau.mean()))
