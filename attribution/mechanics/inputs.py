"""Numbers on their way into a formula: broadcast together, or refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from scipy import special

from attribution.errors import DataError, nearest

SMALL = 1e-7
"""Volatility times root time up to which a path counts as certain; prices then miss by less than
this fraction of spot."""


def arrays(place: str, positive: Collection[str] = (), **given: object) -> list[np.ndarray]:
    """Return the given numbers as arrays that broadcast to one shape, each still of its own.

    Parameters
    ----------
    place : what is being priced; it opens the sentence of a refusal.
    positive : names that must be above zero; ``time`` and ``vol`` may also be zero.
    given : the numbers by name.

    Raises
    ------
    DataError
        A value that is not finite, has the wrong sign, or shapes that do not fit together.
    """
    found = {}
    for name, value in given.items():
        try:
            found[name] = np.asarray(value, dtype=float)
        except (TypeError, ValueError):
            raise DataError(f"{place}: {name} is {value!r}; give numbers") from None
        _refuse(place, name, found[name], ~np.isfinite(found[name]), "a finite number")
        if name in positive:
            _refuse(place, name, found[name], found[name] <= 0.0, "a number above zero")
        elif name in ("time", "vol"):
            _refuse(place, name, found[name], found[name] < 0.0, "zero or a positive number")
    try:
        np.broadcast_shapes(*(array.shape for array in found.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in found.items())
        raise DataError(f"{place}: the shapes do not broadcast: {shapes}; align them") from None
    return list(found.values())


def one_of(place: str, name: str, value: object, known: Collection[str]) -> str:
    """Return the value if it is a known word."""
    if not isinstance(value, str) or value not in known:
        raise DataError(
            f"{place}: {name} is {value!r}; use a known one{nearest(str(value), known)}"
        )
    return value


def _refuse(place: str, name: str, array: np.ndarray, bad: np.ndarray, wanted: str) -> None:
    if bad.any():
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        where = f" at {list(at)}" if at else ""
        raise DataError(f"{place}: {name} is {float(array[at])!r}{where}; give {wanted}")


# The five functions that a closed form needs, so that one formula serves arrays and tensors.

Array: TypeAlias = Any
"""A NumPy array, a number, or a symbolic tensor: whatever the functions below take."""


@dataclass(frozen=True)
class Functions:
    """Elementwise functions of one array library; the rest of a formula is arithmetic.

    ``erfcx`` is the scaled complementary error function exp(x²)·erfc(x). PyTensor has all five
    under the same names, ``switch`` being its ``where``; give it strikes and barriers as float64
    constants, since it keeps a number like 38.5 in half precision.
    """

    exp: Callable[..., Array]
    log: Callable[..., Array]
    sqrt: Callable[..., Array]
    erfcx: Callable[..., Array]
    where: Callable[..., Array]


NUMPY = Functions(np.exp, np.log, np.sqrt, special.erfcx, np.where)
