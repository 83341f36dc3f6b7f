"""A law and a size in; a random vector of the model at hand out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def random_vector(law: Callable[..., Any], name: str, sigma: float, size: int) -> Any:
    """Random vector, or an empty constant: samplers do not take variables without elements."""
    return law(name, sigma=sigma, shape=size) if size else np.zeros(0)
