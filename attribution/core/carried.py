"""Parts of each row and how much of a row stays in the next in; what the parts add up to out."""

from __future__ import annotations

import numba as nb
import numpy as np


@nb.njit(cache=True, nogil=True)
def carry(part, stays, stop):  # type: ignore[no-untyped-def]
    r"""Carry the parts of rows forward.

    .. math:: e_t = \rho\, e_{t-1} + c_t, \qquad e_t = 0 \text{ where the row stops}

    Parameters
    ----------
    part : (draw, time), c.
    stays : (draw,), ρ.
    stop : (time,), rows of which nothing is to be explained.

    Returns
    -------
    (draw, time).
    """
    found = np.zeros(part.shape)
    for s in range(len(part)):
        before = 0.0
        for t in range(part.shape[1]):
            before = 0.0 if stop[t] else stays[s] * before + part[s, t]
            found[s, t] = before
    return found
