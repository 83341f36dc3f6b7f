"""Factors in; nothing out, or why no exposure to them can be estimated."""

from __future__ import annotations

import numpy as np

from attribution.errors import DataError

ALIKE = 1e-10
"""Smallest squared singular value, of columns of length one, from which they are told apart."""


def refuse_alike(factors: np.ndarray, names: list[str], place: str) -> None:
    """Refuse factors that stand still, or of which one is made of the others.

    Parameters
    ----------
    factors : (time, factor); NaN where missing.
    place : stands where a file's name would.

    Raises
    ------
    DataError
        Naming the factors.
    """
    seen = factors[np.isfinite(factors).all(1)]
    if len(seen) <= factors.shape[1]:
        return  # too few days are another refusal
    moved = seen - seen.mean(0)
    size = np.abs(moved).max(0)
    for name, still in zip(names, size <= 1e-12 * np.abs(seen).max(0), strict=True):
        if still:
            raise DataError(f"{place}: factor '{name}' never changes; drop it")
    moved = moved / size
    _, root, vectors = np.linalg.svd(moved / np.linalg.norm(moved, axis=0), full_matrices=False)
    if root[-1] ** 2 < ALIKE:
        made = [name for name, w in zip(names, np.abs(vectors[-1]), strict=True) if w > 1e-3]
        raise DataError(
            f"{place}: factors {', '.join(made)} are collinear, so no asset's exposures to them can"
            " be told apart; drop one"
        )
