"""A session as in a notebook: read, look, change one thing, fit, compare."""

from dataclasses import replace

import attribution as at

spec = at.read_model("bvar_signs")
panel = at.read_panel(spec)
print(panel.values[["btc_return", "vix_change"]].tail(3).round(2).to_string())

looser = replace(spec, prior=replace(spec.prior, tightness=0.4))
settings = at.Settings(draws=2000, seed=1)
for name, model in {"as shipped": spec, "looser prior": looser}.items():
    run = at.fit(model, data=panel, settings=settings)
    parts = run.tree["posterior/contribution"].sel(window="crash").median(("chain", "draw"))
    print(f"\n{name}, medians, {run.tree.attrs['outcome_unit']}")
    print(parts.to_series().round(1).to_string())
