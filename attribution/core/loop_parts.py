"""Parts of the kernel of moves with feedback that stand alone: cells, published totals."""

from __future__ import annotations

import math

from numba import njit

LOG_ROOT = 0.5 * math.log(2.0 * math.pi)


@njit(cache=True, nogil=True, error_model="numpy")
def cell(nodes, x):  # type: ignore[no-untyped-def]
    """Node below x, or -1 and the last node outside; share of the way to the next."""
    last = len(nodes) - 1
    if x < nodes[0]:
        return 0, 0.0, False
    if x >= nodes[last]:
        return last - 1, 1.0, False
    low, high = 0, last
    while high - low > 1:
        mid = (low + high) // 2
        if x < nodes[mid]:
            high = mid
        else:
            low = mid
    return low, (x - nodes[low]) / (nodes[low + 1] - nodes[low]), True


@njit(cache=True, nogil=True, error_model="numpy")
def closed(th, t, against, reach, funding, log_held, log_size, total, d):  # type: ignore[no-untyped-def]
    """Log density of what was liquidated on both sides of a day."""
    value = 0.0
    for side in range(2):
        at = 6 + 5 * side
        answer = reach if side == against else 0.0
        level, spread = th[at + 1] + answer, th[at + 3]
        mean = log_held[t] + th[at] + th[at + 4] * funding[t] + math.log(level)
        gap = (math.log(total[side, t]) - mean) / spread
        value += -0.5 * gap * gap - math.log(spread) - LOG_ROOT
        pull = gap / spread
        d[at] += pull
        d[at + 1] += pull / level
        if answer > 0.0:
            d[at + 2] += pull * answer * log_size[t] / level
        d[at + 3] += (gap * gap - 1.0) / spread
        d[at + 4] += pull * funding[t]
    return value
