"""Measure the engine beside its goals, on one core: the script behind the page on performance.

Usage: OMP_NUM_THREADS=1 python tests/benchmarks/engine.py [RUNS] > docs/results/engine.json

CPU seconds of one process, compilation left out, medians of RUNS runs; data are simulated
(``simulated.py``), so that anyone can run it again.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
from collections.abc import Callable

import decompose
import identify
import laws
import numpy as np
import structural_laws
from simulated import LAGS, simulated

from attribution.core.laws import structural_form as form

Row = dict[str, object]


def row(task: str, value: float, unit: str, goal: str) -> Row:
    """Return one line of the page."""
    return {"task": task, "value": float(f"{value:.3g}"), "unit": unit, "goal": goal}


def middle(task: Callable[[int], float], runs: int) -> float:
    """Median of runs under different seeds, after one that compiles."""
    task(0)
    return statistics.median(task(seed) for seed in range(1, runs + 1))


def identification(runs: int) -> list[Row]:
    """Signs, and signs with two narratives, on both sizes."""
    found = []
    for size in ("d8", "h8"):
        series = simulated(size)
        after = identify.posterior_of(series.to_numpy(), LAGS)
        day = series.index[-6].date()
        tasks: dict[str, tuple[Callable[[int], float], str]] = {
            "sign-identified": (lambda s, a=after: identify.signs_alone(a, s)[0], "100,000"),
            "sign-identified, whole posterior kept": (
                lambda s, y=series: identify.whole(y, LAGS, s, None)[0],
                "",
            ),
            "the same with two narratives": (
                lambda s, y=series, d=day: identify.whole(y, LAGS, s, d)[0],
                "",
            ),
        }
        for name, (task, goal) in tasks.items():
            found.append(row(f"{name}, {size}", middle(task, runs), "effective draws/s", goal))
    return found


def reduced_forms(runs: int) -> list[Row]:
    """Closed form, hierarchical prior, and laws with scales, on the smaller size."""
    series = simulated("d8").to_numpy()
    rates = laws.conjugate(series, runs) | laws.hierarchical(series, runs)
    rates |= laws.chains(series, runs)
    goals = {
        "student_t, sweeps": "2,000",
        "common_volatility, sweeps": "300",
        "hierarchical, effective draws with B and Sigma": "1,500",
    }
    goals |= {name: "100,000" for name in rates if name.startswith("conjugate")}
    unit = {True: "sweeps/s", False: "draws/s"}
    return [row(name, v, unit["sweeps" in name], goals.get(name, "")) for name, v in rates.items()]


def shock_laws(runs: int) -> list[Row]:
    """Sweeps of the laws with a scale per shock."""
    series = simulated("d8").to_numpy()
    days = len(series) - LAGS
    cases = {
        "independent_t": (form.independent_t(days), ""),
        "regimes": (form.regimes(np.arange(days) * 3 // days), ""),
        "stochastic_volatility": (form.stochastic_volatility(days), "300"),
    }
    return [
        row(
            f"{name}, sweeps",
            middle(lambda seed, law=law: structural_laws.measure(series, LAGS, law, seed)[0], runs),
            "sweeps/s",
            goal,
        )
        for name, (law, goal) in cases.items()
    ]


def decompositions() -> list[Row]:
    """CPU microseconds a draw."""
    goals = {"31 days, one variable": "10", "520 days, every variable": "300"}
    tasks = decompose.measure()["tasks"]
    assert isinstance(tasks, dict)
    return [row(name, v, "us a draw", goals.get(name, "")) for name, v in tasks.items()]


if __name__ == "__main__":
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    lines = [
        *reduced_forms(times),
        *identification(times),
        *shock_laws(times),
        *decompositions(),
    ]
    python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    machine = f"one core of {os.cpu_count()}, {python}"
    print(json.dumps({"machine": machine, "runs": times, "rows": lines}, indent=1))
