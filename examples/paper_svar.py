"""A paper's SVAR: US monetary policy, identified by the change of variances in 1979.

Herwartz and Ploedt (2016); data and numbers as in Lange et al. (2021), table of relative variances.
"""

from pathlib import Path

import attribution as at

folder = Path(__file__).parent / "data"
run = at.fit(folder / "variance_shift.toml", data=folder, settings=at.Settings(seed=1))

shares = run.tree["responses/variance_share"].mean(("chain", "draw"))
table = shares.sel(horizon=12, variable="i").to_series()
print("the funds rate's forecast error after three years, by shock, in per cent")
print((100 * table).round(0).to_string())
