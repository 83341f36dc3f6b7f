r"""Events and decays in; the two sums over earlier events that every Hawkes likelihood takes, out.

.. math:: \sum_{t_k < t} e^{-\beta_p (t - t_k)}, \qquad
          \sum_{t_k < t} (t - t_k)\, e^{-\beta_p (t - t_k)}

Both are carried from event to event, so that n events and P decays cost n P steps.

References: ogata1981.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit


def excitations(
    time: np.ndarray, node: np.ndarray, decays: np.ndarray, nodes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Sum over the earlier events of each node, seen from every event.

    Parameters
    ----------
    time, node : (event,), in order of time.
    decays : (term,), per unit of time.

    Returns
    -------
    Both sums, (term, event, node); events of one instant do not see each other.
    """
    shape = (len(decays), len(time), nodes)
    excited, delayed = np.zeros(shape), np.zeros(shape)
    for p, decay in enumerate(decays):
        _sums(time, node, float(decay), excited[p], delayed[p])
    return excited, delayed


@njit(cache=True, nogil=True)
def _sums(time, node, decay, excited, delayed):  # type: ignore[no-untyped-def]
    """Carry both sums from event to event; events at one instant do not excite each other."""
    n, nodes = excited.shape
    now, late = np.zeros(nodes), np.zeros(nodes)
    k, clock = 0, 0.0
    while k < n:
        gap = time[k] - clock if k > 0 else 0.0
        fade = math.exp(-decay * gap)
        for j in range(nodes):
            late[j] = fade * (late[j] + gap * now[j])
            now[j] *= fade
        clock, first = time[k], k
        while k < n and time[k] == clock:
            for j in range(nodes):
                excited[k, j] = now[j]
                delayed[k, j] = late[j]
            k += 1
        for m in range(first, k):
            now[node[m]] += 1.0
