"""Simulated systems of known size for the benchmarks: eight series, four lags, 520 or 10,000 days.

Four shocks follow the fourteen signs that the benchmarks identify by; four more have no name.
Shocks are independent t(8) of variance one, and on a day near the end the fourth is large.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

SIGNS = {
    "risk": {0: -1, 1: -1, 2: 1},
    "rate": {0: -1, 1: -1, 3: 1, 4: 1},
    "flow": {0: -1, 5: -1, 6: 1},
    "lev": {0: -1, 5: 1, 6: -1, 7: 1},
}
"""Shock -> variable -> sign of its impact."""
SIZES = {"d8": 520, "h8": 10_000}
N, LAGS, BURN_IN = 8, 4, 200
DEGREES = 8


def simulated(size: str) -> pd.DataFrame:
    """Return ``d8`` or ``h8``: lags + days rows, business days as its index."""
    days = SIZES[size]
    rng = np.random.default_rng(20260205 + list(SIZES).index(size))
    impact = 0.12 * rng.standard_normal((N, N))
    for column, signs in enumerate(SIGNS.values()):
        for row, sign in signs.items():
            impact[row, column] = sign * rng.uniform(0.35, 1.0)
    impact[[0, 1, 3, 6], [4, 5, 6, 7]] = 0.7
    slopes = [0.06 / lag * rng.standard_normal((N, N)) for lag in range(1, LAGS + 1)]
    slopes[0] += 0.35 * np.eye(N)
    shocks = rng.standard_t(DEGREES, (BURN_IN + LAGS + days, N)) * np.sqrt(1 - 2 / DEGREES)
    shocks[-6, 3] = 4.0
    path = np.zeros_like(shocks)
    for t in range(LAGS, len(path)):
        path[t] = sum(a @ path[t - 1 - lag] for lag, a in enumerate(slopes)) + impact @ shocks[t]
    index = pd.date_range("1980-01-01", periods=LAGS + days, freq="B", name="time")
    return pd.DataFrame(path[BURN_IN:], index, [f"y{i}" for i in range(N)])
