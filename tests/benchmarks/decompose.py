"""Measure decompositions: CPU microseconds a draw of a window, of a whole sample, of its summary.

Usage: OMP_NUM_THREADS=1 python tests/benchmarks/decompose.py

Eight variables, four lags, 520 dates, eight shocks of whom each is a channel.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from attribution.decompose import (
    decompose,
    historical_decomposition,
    long_run_shares,
    variance_shares,
)
from attribution.model.spec import Window
from attribution.posterior import StructuralPosterior

N, LAGS, DATES, DRAWS = 8, 4, 520, 2000
NAMES = tuple(f"y{i}" for i in range(N))


def posterior(draws: int) -> StructuralPosterior:
    """Draw stationary systems with an impact matrix that is neither unit nor symmetric."""
    rng = np.random.default_rng(0)
    return StructuralPosterior(
        variables=NAMES,
        shocks=NAMES,
        channels=NAMES,
        impact=np.eye(N) + 0.3 * rng.normal(size=(1, draws, N, N)),
        lag_coefficients=0.05 * rng.normal(size=(1, draws, LAGS, N, N)),
        intercept=0.1 * rng.normal(size=(1, draws, N)),
        weight=np.ones((1, draws)),
    )


def per_draw(task: Callable[[], object], draws: int, runs: int = 5) -> float:
    """Return the least CPU microseconds a draw of several runs; the first run compiles."""
    task()
    spent = []
    for _ in range(runs):
        start = time.process_time()
        task()
        spent.append(time.process_time() - start)
    return round(1e6 * min(spent) / draws, 2)


def measure() -> dict[str, object]:
    """Measure every task."""
    many, few = posterior(DRAWS), posterior(200)
    days = pd.bdate_range("2023-01-02", periods=DATES + LAGS, name="time")
    rng = np.random.default_rng(1)
    values = pd.DataFrame(rng.normal(size=(DATES + LAGS, N)), days, list(NAMES))
    month = Window("31 days", days[-31].date(), days[-1].date())
    whole = Window("sample", days[LAGS].date(), days[-1].date())
    tasks: dict[str, tuple[Callable[[], object], int]] = {
        "31 days, one variable": (lambda: decompose(many, values, month, "y2"), DRAWS),
        "31 days, every variable": (lambda: decompose(many, values, month), DRAWS),
        "520 days, every variable": (lambda: decompose(few, values, whole), 200),
        "520 days, every variable, streamed mean and sd": (
            lambda: historical_decomposition(many, values),
            DRAWS,
        ),
        "520 days, one variable, streamed quantiles too": (
            lambda: historical_decomposition(
                many, values, variables=["y2"], probabilities=(0.05, 0.5, 0.95)
            ),
            DRAWS,
        ),
        "variance shares, 10 horizons": (lambda: variance_shares(many, 10), DRAWS),
        "variance shares, long run": (lambda: long_run_shares(few), 200),
    }
    rows = {task: per_draw(function, draws) for task, (function, draws) in tasks.items()}
    machine = f"{os.cpu_count()} cores, Python {sys.version_info.major}.{sys.version_info.minor}"
    return {"machine": machine, "unit": "CPU microseconds a draw", "tasks": rows}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
