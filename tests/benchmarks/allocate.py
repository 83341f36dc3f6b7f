"""Measure the coalition engine: CPU milliseconds a task, the least of several runs.

Usage: OMP_NUM_THREADS=1 python tests/benchmarks/allocate.py [RUNS]

Four mechanisms with 4,000 draws are what a report needs; twelve with 1,000 are the most that is
exact.  The simulator is a lookup, so that only the engine is measured.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable

import numpy as np

from attribution import allocate

SIZES = {"4 players, 4,000 draws": (4, 4000), "12 players, 1,000 draws": (12, 1000)}


def least(task: Callable[[], object], runs: int) -> float:
    """Return the least CPU milliseconds of several runs, after one that warms up."""
    task()
    spent = []
    for _ in range(runs):
        start = time.process_time()
        task()
        spent.append(time.process_time() - start)
    return float(f"{1e3 * min(spent):.3g}")


def exact(players: int, draws: int, runs: int) -> dict[str, float]:
    """Measure every exact rule on a game without structure."""
    names = [f"m{i}" for i in range(players)]
    values = np.random.default_rng(0).normal(size=(draws, 1 << players))
    bits, half = 1 << np.arange(players), players // 2
    game = allocate.coalitions_of(values, names, unit="pp")
    stages = [names[:half], names[half:]]
    orders = allocate.every_order(names)
    tasks: dict[str, Callable[[], object]] = {
        "collect coalitions": lambda: allocate.coalitions(
            lambda on: values[:, on @ bits], names, unit="pp"
        ),
        "but-for": lambda: allocate.but_for(game),
        "stand-alone": lambda: allocate.stand_alone(game),
        "triggers first": lambda: allocate.triggers_first(game, stages),
        "Owen": lambda: allocate.owen(game, {"a": stages[0], "b": stages[1]}),
        "Shapley": lambda: allocate.shapley(game),
        "order range and quantiles": lambda: allocate.order_range(game, orders),
        "order range of the mean": lambda: allocate.order_range(game.mean(), orders),
        "pair interactions": lambda: allocate.pair_interactions(game),
    }
    return {name: least(task, runs) for name, task in tasks.items()}


def smooth(draws: int, runs: int) -> dict[str, float]:
    """Measure the path of four intensities."""
    direct, gain = np.random.default_rng(1).uniform(0.05, 0.4, (2, draws, 2))

    def fall(z: np.ndarray) -> np.ndarray:
        found: np.ndarray = -(direct @ z[:, :2].T) / (1 - gain @ z[:, 2:].T)
        return found

    names = ["F", "B", "G", "L"]
    return {
        "Aumann-Shapley, 4 players": least(
            lambda: allocate.aumann_shapley(fall, names, unit="pp"), runs
        )
    }


def sampled(draws: int, count: int, runs: int) -> dict[str, float]:
    """Measure sampled orders of twenty players."""
    weight = np.random.default_rng(2).uniform(0.1, 1.0, (draws, 20))
    orders = allocate.every_order([f"m{i}" for i in range(20)])
    return {
        f"{count} orders, 20 players, {draws} draws": least(
            lambda: allocate.sampled_orders(
                lambda on: (weight @ on.T) ** 3, orders, count=count,
                rng=np.random.default_rng(3), unit="pp",
            ),
            runs,
        )
    }  # fmt: skip


def main(runs: int) -> None:
    """Print milliseconds by task."""
    found: dict[str, object] = {name: exact(*size, runs=runs) for name, size in SIZES.items()}
    found["path, 4,000 draws"] = smooth(4000, runs)
    found["sampled"] = sampled(500, 1000, runs)
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    print(json.dumps({"threads": threads, "unit": "CPU milliseconds", **found}, indent=2))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
