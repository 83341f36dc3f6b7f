"""Signs over horizons, narratives and an exact zero: three papers, run from their model files."""

from dataclasses import replace

import numpy as np
import pytest

import attribution as at

LEVEL = {"median": 0.5, "q16": 0.16, "q84": 0.84}
UHLIG = {
    "gdp": "gdp",
    "deflator": "deflator",
    "commodity": "commodity",
    "totres": "total_reserves",
    "nbres": "nonborrowed_reserves",
    "ffr": "funds_rate",
}
ARW = {
    "TFP": "productivity",
    "stock": "stock_prices",
    "consumption": "consumption",
    "real_rate": "real_interest_rate",
    "hours": "hours_worked",
}


def test_uhlig_2005_every_row(case, draws):
    uhlig = case("uhlig2005")
    run = uhlig.fit("pure_signs", seed=1)
    of = draws(run)
    # a column counts there with either sign, here with the one it has
    found = {"accept_rate": 2 * run.manifest["notes"]["acceptance"]["rate"]}
    for key in uhlig.expected.index.drop("accept_rate"):
        statistic, name, horizon = key.split(".")
        values = of.response(UHLIG[name], int(horizon[1:]), "monetary")
        found[key] = of.quantile(values, LEVEL[statistic])
    assert len(found) == 16
    assert uhlig.misses(found) == {}


@pytest.fixture(scope="module")
def october(case):
    """Antolin-Diaz and Rubio-Ramirez (2018), the month in the sample as there."""
    adrr = case("adrr2018")
    spec = adrr.model("narrative")
    table = replace(spec.identification, narratives=(), reading="unconditional")
    runs = {
        "narrative": adrr.fit(spec, seed=1, event_in="in"),
        "baseline": adrr.fit(replace(spec, identification=table), seed=2, event_in="in"),
    }
    return adrr, runs


def parts(of):
    """Shock of October 1979 and what each shock did to the funds rate on impact."""
    shocks = of.flat(of.tree["structural_shocks/shock"].isel(day=0))
    impact = of.flat(of.tree["structural/impact"].sel(variable="funds_rate"))
    return shocks[:, 0], shocks * impact


def test_adrr_2018_signs_alone(october, draws):
    adrr, runs = october
    of = draws(runs["baseline"])
    shock, split = parts(of)
    size = np.abs(split)
    overwhelming = (shock > 0) & (2 * size[:, 0] > size.sum(1))
    largest = (shock > 0) & (size[:, 0] == size.max(1))
    found = {
        "baseline.prob_negative_shock_1979_10": of.mean(shock < 0),
        "share_satisfying_nsr4_5": of.mean(overwhelming),
        "share_satisfying_typeA_instead": of.mean(largest),
    }
    # tolerances are those of 10,000 draws there; ours add two standard errors of 4,000
    for key, value in found.items():
        row = adrr.expected.loc[key]
        error = 2 * np.sqrt(value * (1 - value) / of.size)
        assert abs(value - row["value"]) < row["tolerance"] + error, key
    assert of.quantile(of.response("gdp", 24, "monetary"), 0.5) > 0


def test_adrr_2018_both_narratives(october, draws):
    adrr, runs = october
    of = draws(runs["narrative"])
    shock, split = parts(of)
    found = {
        "narrative.shock_1979_10.median": of.quantile(shock, 0.5),
        "narrative.contribution_ffr.q16": of.quantile(split[:, 0], 0.16),
        "narrative.contribution_ffr.median": of.quantile(split[:, 0], 0.5),
        "narrative.contribution_ffr.q84": of.quantile(split[:, 0], 0.84),
        "narrative.median_gdp_h24": of.quantile(of.response("gdp", 24, "monetary"), 0.5),
        "narrative.median_ffr_h0": of.quantile(of.response("funds_rate", 0, "monetary"), 0.5),
    }
    assert adrr.misses(found) == {}
    assert of.quantile(shock, 0.025) > 2 and of.quantile(shock, 0.975) < 5
    assert of.mean(of.response("gdp", 24, "monetary") < 0) > 0.85
    assert np.ptp(of.tree["weighted/weight"].to_numpy()) > 0, (
        "weights that are all alike are no weights"
    )


def test_the_weight_of_one_impact_zero_is_the_norm_of_its_column(case, draws):
    """The closed form, in the units of the model file (x 100)."""
    run = case("arw2018").fit("zero_and_sign", seed=3, draws=1000)
    of = draws(run)
    impact = of.flat(run.tree["structural/impact"].sel(shock="optimism"))
    weight = of.flat(run.tree["weight_factors/zeros"])
    ratio = weight / np.linalg.norm(impact, axis=1)
    assert np.ptp(ratio) < 1e-10 * ratio.mean()


def test_arw_2018_every_row_but_the_penalty_functions(case, draws):
    arw = case("arw2018")
    run = arw.fit("zero_and_sign", seed=1, draws=20_000)
    of = draws(run)
    shares = run.tree["fevd/share"].sel(horizon=39, channel="optimism", drop=True)
    zeros = of.flat(run.tree["weight_factors/zeros"])
    found = {"ess_fraction": run.tree["weighted"].attrs["effective_size"] / of.weight.size}
    unweighted = draws(run)
    unweighted.weight = of.weight / zeros
    for name, variable in ARW.items():
        values = of.flat(shares.sel(variable=variable))
        for label, level in (("q16", 0.16), ("q50", 0.5), ("q84", 0.84)):
            found[f"fev40.weighted.{name}.{label}"] = of.quantile(values, level)
            found[f"fev40.unweighted.{name}.{label}"] = unweighted.quantile(values, level)
    for key in arw.expected.index[arw.expected.index.str.startswith("irf.weighted")]:
        _, _, name, horizon, _ = key.split(".")
        values = of.response(ARW[name], int(horizon[1:]), "optimism")
        found[key] = of.quantile(values, 0.5)
    assert len(found) == 46
    assert arw.misses(found) == {}
    assert np.abs(of.response("productivity", 0, "optimism")).max() < 1e-10
    for horizon in range(41):
        hours = of.response("hours_worked", horizon, "optimism")
        assert of.quantile(hours, 0.16) < 0 < of.quantile(hours, 0.84), horizon


def test_a_longer_history_is_one_call(october):
    """Every date's contributions, streamed from a saved run's draws."""
    adrr, runs = october
    spec = adrr.model("narrative")
    values = at.read_panel(spec, adrr.folder).values
    history = at.historical_decomposition(
        at.structural_of(runs["narrative"].tree), values, variables=("funds_rate",)
    )
    frame = history.frame("funds_rate")
    assert len(frame) == len(values) - 12
