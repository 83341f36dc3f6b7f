"""A paper's SVAR: US monetary policy, identified by the change of variances in 1979.

Herwartz and Ploedt (2016); data and model as in Lange et al. (2021).
"""

from pathlib import Path

import attribution as at

folder = Path(__file__).parent / "data"
run = at.fit(folder / "variance_shift.toml", data=folder, settings=at.Settings(seed=1))

draws = at.structural_of(run.tree)
shares = at.variance_shares(draws, 12).mean(axis=(0, 1))[-1]
rate = shares[draws.variables.index("i")]
print("forecast error of the funds rate after three years, by shock, per cent")
for shock, share in zip(draws.shocks, rate, strict=True):
    print(f"{shock:10s} {100 * share:4.0f}")
