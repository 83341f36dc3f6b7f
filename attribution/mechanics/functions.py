"""The five functions that a closed form needs, so that one formula serves arrays and tensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from scipy import special

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
