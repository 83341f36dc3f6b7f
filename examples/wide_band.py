"""How to read a wide band: are the data to blame, or the rotations that are left open."""

import attribution as at

run = at.fit("bvar_signs", settings=at.Settings(draws=1000, seed=1))

parts = run.tree["posterior/contribution"].sel(window="crash")
band = parts.quantile([0.05, 0.95], ("chain", "draw")).to_pandas().T
band.columns = ["5 %", "95 %"]
# What every prior on rotations allows at given reduced-form parameters, averaged over those.
robust = run.tree["robust"].to_dataset().sel(window="crash")
for name in ("lower", "upper"):
    band[name] = robust[name].mean(("chain", "draw")).to_series()
width = band["upper"] - band["lower"]
band["left open"] = (width / (band["95 %"] - band["5 %"])).round(1)
print(band.round(1).to_string())
print()
print("left open above one: known reduced-form parameters would leave a wider range than the band;")
print("a further restriction narrows it, and the prior on rotations decides within it.")
