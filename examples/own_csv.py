"""A CSV of one's own: three series, a causal order, and what moved oil in three days."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import attribution as at

rng = np.random.default_rng(1)
days = pd.bdate_range("2024-01-01", "2024-12-31", name="date")
demand, cut, own = rng.standard_normal((3, len(days)))
moves = pd.DataFrame(
    {"equity": 0.7 * demand, "oil": demand + 0.8 * cut, "open_interest": own - 0.5 * cut},
    index=days,
)

with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "oil.csv"
    moves.round(4).to_csv(file)
    frame = pd.read_csv(file, index_col="date", parse_dates=True)

model = at.model_from("""
schema = 1
kind = "var"
title = "What moved oil in the first week of December 2024"
sample = { start = 2024-01-02, end = 2024-12-31 }
system = { variables = ["equity", "oil", "open_interest"], lags = 1 }

[event]
name = "Oil, 3 to 5 December 2024"
outcome = "oil"
windows = [{ name = "fall", start = 2024-12-03, end = 2024-12-05 }]
""")
panel = at.panel_of(frame, model, dict.fromkeys(frame.columns, "per cent"))
run = at.fit(model, data=panel, settings=at.Settings(draws=1000, seed=1))

parts = run.tree["posterior/contribution"].mean(("chain", "draw")).sel(window="fall")
print(parts.to_series().round(1).to_string())
