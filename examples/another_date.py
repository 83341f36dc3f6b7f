"""The shipped model asked about another day: only ``event`` changes."""

import attribution as at

run = at.fit(
    "bvar_signs",
    event=("2025-10-10", "2025-10-10"),
    settings=at.Settings(draws=1000, seed=1),
)

parts = run.tree["posterior/contribution"].isel(window=0)
bands = parts.quantile([0.05, 0.5, 0.95], ("chain", "draw")).to_pandas().T
print(run.tree.attrs["outcome"], "in", run.tree.attrs["outcome_unit"])
print(bands.round(1).to_string())
