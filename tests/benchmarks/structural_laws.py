"""Measure the structural Gibbs sampler: sweeps a second and effective draws a second.

Usage: python tests/benchmarks/structural_laws.py [d8|h8] [RUNS]

SERIES.csv has one column a variable and a header, no dates.  Seconds are of one core's processor
time, compilation left out; the median of RUNS is printed.  The effective size is the smallest over
log spreads and correlations of the residuals, which no signed permutation of the shocks changes,
and over hyperparameters summed over the shocks.
"""

from __future__ import annotations

import statistics
import sys
import time

import numpy as np
from simulated import LAGS, simulated

from attribution.core import niw
from attribution.core.laws import structural_form as form
from attribution.core.laws.structural_simulation import structural_coefficients
from attribution.sampling import diagnostics
from attribution.var.estimate.independent_laws import coordinates

SWEEPS, BURN_IN = 4000, 2400


def measure(series: np.ndarray, lags: int, law: form.ShockLaw, seed: int) -> tuple[float, ...]:
    """Return sweeps a second, effective draws a second and the acceptance of the states."""
    n = series.shape[1]
    response, regressors = niw.design(series, lags=lags)
    spread = niw.autoregressive_spread(series)
    prior = niw.minnesota(
        spread,
        lags=lags,
        constant=True,
        own_lag=np.zeros(n),
        tightness=0.2,
        decay=1.0,
        intercept_scale=10.0,
    )
    units = coordinates(regressors, spread, prior.precision)
    after, rng = niw.posterior(prior, response, regressors), np.random.default_rng(seed)
    start = units.inward(form.scattered_rows(after.mean, after.scale / after.dof, rng))
    inner = form.row_prior(prior).moved(units.change())
    chain = form.Chain(units.data(response, regressors), inner, law, start, rng)
    chain.advance(2)
    chain.advance(1, every=BURN_IN)
    began = time.process_time()
    kept = chain.advance(SWEEPS)
    seconds = time.process_time() - began
    impact, _ = structural_coefficients(kept.rows)
    if "accepted" in law.names:  # the level of a log-variance and the row's size go together
        impact *= np.sqrt((1.0 / kept.precision.astype(float)).mean(2))[:, None]
    covariance = impact @ impact.swapaxes(1, 2)
    size = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    rho = (covariance / size[:, :, None] / size[:, None])[:, *np.triu_indices(n, 1)]
    held = [np.log(size), rho]
    hyper = kept.hyper[:, :, [i for i, name in enumerate(law.names) if name != "accepted"]]
    held += [hyper.sum(1)]
    effective = np.nanmin(diagnostics.effective_size(np.concatenate(held, 1)[None]))
    accepted = kept.hyper[:, :, -1].mean() if "accepted" in law.names else float("nan")
    return SWEEPS / seconds, effective / seconds, float(accepted)


def main(size: str = "d8", runs: int = 3) -> None:
    """Print one row a law."""
    series, lags = simulated(size).to_numpy(), LAGS
    days = len(series) - lags
    laws = {
        "unit": form.unit(days),
        "regimes (3)": form.regimes(np.arange(days) * 3 // days),
        "independent_t": form.independent_t(days),
        "stochastic_volatility": form.stochastic_volatility(days),
    }
    print(f"{series.shape[1]} variables, {lags} lags, {days} days; medians of {runs} runs")
    print("law                      sweeps/s   min ESS/s   states accepted")
    for name, law in laws.items():
        rows = [measure(series, lags, law, seed) for seed in range(runs)]
        speed, effective, accepted = (statistics.median(x) for x in zip(*rows, strict=True))
        print(f"{name:<22}  {speed:>9.0f}  {effective:>10.0f}  {accepted:>16.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:2], *map(int, sys.argv[2:]))
