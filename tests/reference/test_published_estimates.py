"""Point estimates in print: recursive systems, instruments, a shift of variances, a prior."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import attribution as at

SHOCKS = {"x": "monetary", "pi": "supply", "i": "demand"}
"""What the paper calls the shock that explains most of each variable."""


def shares(run, horizons):
    """Variance shares of the point estimate, per cent (horizon, variable, shock)."""
    return 100 * at.variance_shares(at.structural_of(run.tree, "point"), horizons)[0, 0]


def test_stock_and_watson_2001_every_row(case):
    sw = case("stock_watson2001")
    run = sw.fit("recursive", draws=2000)
    names = list(run.tree["structural/variable"].to_numpy())
    table, found = shares(run, 11), {}
    for key in sw.expected.index:
        _, variable, horizon, shock = key.split(".")
        found[key] = table[int(horizon[1:]) - 1, names.index(variable), names.index(shock)]
    assert len(found) == 72
    assert sw.misses(found) == {}


def test_kilian_and_park_2009_every_row(case):
    kp = case("kilian_park2009")
    run = kp.fit("recursive", draws=2000)
    table, found = shares(run, 599), {}
    order = ["supply", "aggdem", "oilspec", "residual"]
    for key in kp.expected.index:
        _, _, horizon, shock = key.split(".")
        found[key] = table[int(horizon[1:]) - 1, 3, order.index(shock)]
    assert kp.misses(found) == {}
    long_run = 100 * at.long_run_shares(at.structural_of(run.tree, "point"))[0, 0, 3]
    assert np.abs(long_run - table[-1, 3]).max() < 0.01


def test_gertler_and_karadi_2015_every_row(case):
    gk = case("gertler_karadi2015")
    run = gk.fit("proxy", draws=2000)
    stage = run.tree["instruments"].sel(instrument="ff4_tc")
    sets = run.tree["weak_instruments"].sel(instrument="ff4_tc")
    found = {
        "first_stage.F": stage["f"],
        "first_stage.robustF.HC0": stage["f_hc0"],
        "first_stage.robustF.HC1": stage["f_hc1"],
        "first_stage.R2_pct": 100 * stage["r2"],
        "first_stage.adjR2_pct": 100 * stage["r2_adjusted"],
        "first_stage.slope": stage["slope"],
        "first_stage.robust_t": stage["t_robust"],
        "first_stage.nobs": stage["observations"],
    }
    response = sets["response"].sel(level=0.95)
    for name in ("ebp", "logip", "logcpi"):
        found[f"relative_impact.{name}"] = response.sel(variable=name, horizon=0)
    # per standard deviation, the covariance that of the instrument's own months
    size = sets["impact"].sel(scaling="one_sd_observed", variable="gs1")
    for key in gk.expected.index[gk.expected.index.str.startswith("irf")]:
        _, _, name, horizon = key.split(".")
        at_horizon = response.sel(variable=name, horizon=int(horizon[1:]))
        found[key] = 100 * size * at_horizon
    assert len(found) == 17
    assert gk.misses({key: float(value) for key, value in found.items()}) == {}


def test_montiel_olea_stock_and_watson_2021_every_number(case):
    msw = case("montielolea2021")
    run = msw.fit("proxy", draws=2000)
    sets = run.tree["weak_instruments"].sel(instrument="opec_shortfall_iv", level=0.95)
    wald = float(run.tree["instruments/wald"][0])
    assert msw.misses({"first_stage_wald": wald}) == {}
    reference = pd.read_csv(msw.folder / "expected_irf_and_sets.csv")
    names = {"production": "d_production", "activity": "activity", "price": "real_price"}
    columns = {
        "irf": "response",
        "irf_se": "se",
        "ar95_low": "robust_low",
        "ar95_high": "robust_high",
        "delta95_low": "delta_low",
        "delta95_high": "delta_high",
    }
    for name, variable in names.items():
        for theirs, ours in columns.items():
            own = sets[ours].sel(variable=variable).to_numpy()
            assert own == pytest.approx(reference[f"{theirs}_{name}"], abs=1e-6), (theirs, name)


@pytest.fixture(scope="module")
def usa(case):
    return case("svars_usa")


def test_the_shift_of_1979_every_row_of_the_unrestricted_estimate(usa):
    run = usa.fit("variance_shift", draws=2000)
    best = run.tree["maximum_likelihood"].to_dataset()
    variance = best["variance"].isel(regime=1).to_numpy()
    order = np.argsort(variance)
    found = {"loglik.unrestricted": float(best["log_likelihood"])}
    for rank, value in enumerate(np.sort(variance), start=1):
        found[f"lambda.sorted.{rank}"] = value
    assert usa.misses(found) == {}
    impact = best["impact"].to_numpy()
    published = usa.expected["value"]
    printed = np.array([[published[f"B.{v}.c{c}"] for c in (1, 2, 3)] for v in ("x", "pi", "i")])
    for column in range(3):  # each column up to its sign, in whatever place
        gap = min(
            np.abs(s * impact[:, k] - printed[:, column]).max() for s in (1, -1) for k in order
        )
        assert gap < 5e-4, column
    printed_errors = [published[f"lambda_se.c{c}"] for c in (1, 2, 3)]
    errors = best["variance_error"].isel(regime=1).to_numpy()
    assert np.sort(errors) == pytest.approx(np.sort(printed_errors), rel=0.03)
    table = shares(run, 29)
    names = [SHOCKS[v] for v in ("x", "pi", "i")]
    for key in published.index[published.index.str.startswith("fevd")]:
        _, variable, horizon, shock = key.split(".")
        row = ["x", "pi", "i"].index(variable)
        value = table[int(horizon[1:]) - 1, row, names.index(shock)]
        assert abs(value - published[key]) < usa.expected.loc[key, "tolerance"], key


def test_the_variances_of_1979_change_by_different_factors(usa):
    """The test of Lanne and Luetkepohl: one factor for all shocks would identify nothing."""
    run = usa.fit("variance_shift", draws=2000)
    (finding,) = [f for f in run.manifest["findings"] if "proportion" in f["name"]]
    assert "p = 0.000" in finding["evidence"]


def test_giannone_lenza_and_primiceri_2015_at_fixed_hyperparameters(case):
    """Marginal likelihoods with every constant, from models with the tightness written down."""
    glp = case("glp2015")
    spec = glp.model("hierarchical")
    scales = {n: np.sqrt(glp.expected.loc[f"SS.{n}", "value"]) for n in spec.system.variables}
    fixed = replace(
        spec.prior, hierarchical=False, tightness=0.2, residual_scales=tuple(scales.items())
    )
    parts = {
        "logml.minnesota_only.lambda0.2": (None, None),
        "logml.minnesota+sur.lambda0.2.theta1": (None, 1.0),
        "logml.minnesota+soc.lambda0.2.mu1": (1.0, None),
        "logml.full.lambda0.2.theta1.mu1": (1.0, 1.0),
    }
    found = {}
    for key, (soc, sur) in parts.items():
        prior = replace(fixed, sum_of_coefficients=soc, single_unit_root=sur)
        run = glp.fit(replace(spec, prior=prior), draws=2000)
        found[key] = run.manifest["notes"]["log_evidence"]
    assert glp.misses(found) == {}


def test_giannone_lenza_and_primiceri_2015_modes_and_posterior(case, draws):
    glp = case("glp2015")
    run = glp.fit("hierarchical", draws=20000)
    mode = run.manifest["notes"]["hyperparameter_mode"]
    found = {
        "mode.full.lambda": mode["tightness"],
        "mode.full.theta": mode["single_unit_root"],
        "mode.full.mu": mode["sum_of_coefficients"],
        "mode.full.logpost": run.manifest["notes"]["log_posterior_at_mode"],
    }
    assert glp.misses(found) == {}
    # the Minnesota prior alone, its residual scales given: Figure 1 and its quantiles
    spec = glp.model("hierarchical")
    prior = replace(spec.prior, sum_of_coefficients=None, single_unit_root=None)
    alone = glp.fit(replace(spec, prior=prior), draws=20000)
    of = draws(alone)
    tightness = of.flat(alone.tree["parameters/tightness"])
    assert 0.3 < of.quantile(tightness, 0.5) < 0.6
