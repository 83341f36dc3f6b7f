"""Measure the reduced forms: draws, effective draws and sweeps per CPU second, medians of runs.

Usage: OMP_NUM_THREADS=1 python tests/benchmarks/laws.py [RUNS] [d8|h8]

With OMP_NUM_THREADS unset, the threads of the linear algebra are counted too.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from simulated import LAGS, N, simulated

from attribution.core import niw
from attribution.core.laws import evidence, importance, scaled
from attribution.core.laws.hierarchy import hierarchy
from attribution.core.niw import factors
from attribution.sampling.diagnostics import effective_size

SETTINGS = {"lags": LAGS, "constant": True, "decay": 1.0, "intercept_scale": 10.0}


def median_of(task: Callable[[], float], runs: int) -> float:
    """Run once to compile, then return the median number of units a CPU second."""
    task()
    found = []
    for _ in range(runs):
        started = time.process_time()
        units = task()
        found.append(units / (time.process_time() - started))
    return statistics.median(found)


def conjugate(series: np.ndarray, runs: int) -> dict[str, float]:
    """Factor and coefficients of independent draws."""
    posterior = niw.posterior(_prior(series), *niw.design(series, lags=LAGS))
    rng = np.random.default_rng(1)

    def task() -> float:
        niw.draw_coefficients(posterior, niw.draw_factor(posterior, 20_000, rng), rng)
        return 20_000

    return {"conjugate, draws": median_of(task, runs)}


def hierarchical(series: np.ndarray, runs: int) -> dict[str, float]:
    """Effective draws of all hyperparameters: weighted, and as a chain of the same proposals."""
    of = hierarchy(
        *niw.design(series, lags=LAGS),
        spread=niw.autoregressive_spread(series[LAGS:]),
        level=series[:LAGS].mean(0),
        own_lag=np.zeros(N),
        **SETTINGS,  # type: ignore[arg-type]
    )
    rng, fitted = np.random.default_rng(1), importance.proposal(of)

    def weighted() -> float:
        _, weight = importance.draw(of, fitted, 4000, rng)
        return float(weight.sum() ** 2 / np.square(weight).sum())

    def metropolis() -> float:
        whole, weight = importance.draw(of, fitted, 4000, rng)
        at, states = 0, np.empty(4000, np.int64)
        for i, u in enumerate(rng.random(4000)):
            at = i if u * weight[at] < weight[i] else at
            states[i] = at
        return float(effective_size(whole[states][None][..., of.free]).min())

    def with_parameters() -> float:
        whole, weight = importance.draw(of, fitted, 4000, rng)
        roots = evidence.scale_roots(whole, of.problem) @ factors(np.eye(N), of.dof, 4000, rng)
        evidence.draw_coefficients(whole, np.ascontiguousarray(roots), of.problem, rng)
        return float(weight.sum() ** 2 / np.square(weight).sum())

    return {
        "hierarchical, effective hyperparameters (importance)": median_of(weighted, runs),
        "hierarchical, effective hyperparameters (Metropolis)": median_of(metropolis, runs),
        "hierarchical, effective draws with B and Sigma": median_of(with_parameters, runs),
    }


def chains(series: np.ndarray, runs: int) -> dict[str, float]:
    """Sweeps of the laws with scales, and the effective size of the slowest parameter."""
    data = scaled.whiten(_prior(series), *niw.design(series, lags=LAGS))
    days, found = len(data.rows), {}
    for name, law, listed, slow in (
        ("outliers", scaled.ScaleLaw(), np.arange(days - 5, days), None),
        ("student_t", scaled.ScaleLaw(None), np.arange(0), 0),
        ("common_volatility", scaled.ScaleLaw(volatility_scale=0.3), np.arange(0), 2),
    ):
        chain = scaled.ScaleChain(days, law, listed, np.random.default_rng(1))
        chain.sweep(data, 1, thin=500)

        def task(chain: scaled.ScaleChain = chain) -> float:
            return float(len(chain.sweep(data, 400).roots))

        found[f"{name}, sweeps"] = median_of(task, runs)
        states = chain.sweep(data, 4000)
        share = effective_size(data.restore(states.roots, states.turns)[1][None, :, 1:3, 0]).min()
        found[f"{name}, effective B"] = found[f"{name}, sweeps"] * share / 4000
        if slow is not None:
            share = effective_size(np.log(states.parameters[None, :, [slow]]))[0]
            found[f"{name}, effective parameter"] = found[f"{name}, sweeps"] * share / 4000
    return found


def _prior(series: np.ndarray) -> niw.NormalInverseWishart:
    return niw.minnesota(
        niw.autoregressive_spread(series),
        own_lag=np.zeros(N),
        tightness=0.2,
        **SETTINGS,  # type: ignore[arg-type]
    )


if __name__ == "__main__":
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    rows = simulated(sys.argv[2] if len(sys.argv) > 2 else "d8").to_numpy()
    rates = conjugate(rows, times) | hierarchical(rows, times) | chains(rows, times)
    print(json.dumps({name: round(rate) for name, rate in rates.items()}, indent=1))
