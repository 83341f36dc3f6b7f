"""Luetkepohl (2005), West German investment, income and consumption: a VAR(2) to six digits."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from attribution.core import propagate
from attribution.model.spec import Event, ModelSpec, Sample, System, Window
from attribution.var.estimate.var import estimate_var

FOLDER = Path(__file__).resolve().parents[2] / "../shared/replication/lutkepohl2005_e1"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the folder lutkepohl2005_e1 is not beside the checkout"
)
NAMES = ("invest", "income", "cons")
NOT_OURS = ("varlmar.", "granger.")
"""Residual-autocorrelation and Wald tests: the toolkit has no public function for them."""


def estimate(values, lags):
    end = date(1978, 12, 31)
    window = Window("last", date(1978, 10, 1), end)
    spec = ModelSpec(
        name="lutkepohl2005",
        kind="var",
        title="",
        references=("lutkepohl2005",),
        sample=Sample("e1", date(1960, 1, 1), end),
        event=Event("none", "cons", (window,), (window.start, window.end)),
        system=System(NAMES, lags),
    )
    return estimate_var(spec, values, draws=4, seed=0, event_in="in")


@pytest.fixture(scope="module")
def growth():
    levels = pd.read_csv(FOLDER / "e1.csv")
    quarters = pd.PeriodIndex(levels.pop("quarter"), freq="Q").to_timestamp()
    return np.log(levels.set_index(quarters)).diff()


@pytest.fixture(scope="module")
def found(growth):
    """Every number of the reference that a public function of ours can produce."""
    fit = estimate(growth, 2)
    return {
        **coefficients(fit),
        **likelihood(fit),
        **lag_selection(growth),
        **dynamics(fit, growth),
    }


def coefficients(fit):
    out = {}
    for i, row in enumerate(NAMES):
        out[f"coef.{row}.const"] = fit.point.intercept[0, 0, i]
        out[f"rmse.{row}"] = np.sqrt(fit.covariance[i, i])
        for j, column in enumerate(NAMES):
            out[f"sigma_u_1e4.{row}.{column}"] = 1e4 * fit.covariance[i, j]
            for lag in range(2):
                name = f"{row}.L{lag + 1}.{column}"
                out[f"coef.{name}"] = fit.point.lag_coefficients[0, 0, lag, i, j]
                out[f"se.{name}"] = fit.standard_errors[1 + 3 * lag + j, i]
    return out


def likelihood(fit):
    days, free = len(fit.residuals), 3 * 7
    return {
        "loglik": fit.loglik,
        "fpe": fit.criteria["fpe"],
        "det_sigma_ml": np.linalg.det(fit.covariance_ml),
        "aic_stata": (-2 * fit.loglik + 2 * free) / days,
        "hqic_stata": (-2 * fit.loglik + 2 * np.log(np.log(days)) * free) / days,
        "sbic_stata": (-2 * fit.loglik + np.log(days) * free) / days,
    }


def lag_selection(growth):
    """Four lags at most, on the common sample of 71 quarters."""
    fits = [estimate(growth.iloc[1 + 4 - lags :], lags) for lags in range(5)]
    assert {len(fit.residuals) for fit in fits} == {71}
    out = {f"varsoc.ll.{lags}": fit.loglik for lags, fit in enumerate(fits)}
    for name in ("aic", "bic"):
        out[f"selected.{name}"] = int(np.argmin([fit.criteria[name] for fit in fits]))
    return out


def dynamics(fit, growth):
    lags, impact = fit.point.lag_coefficients[0, 0], fit.point.impact[0, 0]
    theta = propagate.responses(lags, impact, 8)
    share = np.cumsum(theta**2, axis=0)
    share = share / share.sum(-1, keepdims=True)
    eve = growth.loc[:"1978-12-31"].to_numpy()[-2:]
    ahead = propagate.baseline(lags, fit.point.intercept[0, 0], eve, 1)
    out = {f"forecast.step1.{name}": ahead[0, i] for i, name in enumerate(NAMES)}
    for i, row in enumerate(NAMES):
        for j, shock in enumerate(NAMES):
            for h in range(8):
                out[f"fevd.{row}.step{h + 1}.{shock}"] = share[h, i, j]
                out[f"orth_irf.h{h}.{row}.to.{shock}"] = theta[h, i, j]  # response "to" a shock
    return out


def test_the_sample_is_73_quarters_from_1960q4(growth):
    residuals = estimate(growth, 2).residuals
    assert len(residuals) == 73
    assert residuals.index[0] == pd.Timestamp("1960-10-01")


def test_every_published_number_within_reach_is_reproduced(found):
    table = pd.read_csv(FOLDER / "expected.csv")
    ours = table[~table["id"].str.startswith(NOT_OURS)]
    assert len(ours) == 40
    misses = []
    for row in ours.itertuples():
        bound = row.tolerance * (abs(row.value) if row.tol_kind == "rel" else 1.0)
        if not abs(found[row.id] - row.value) <= bound:
            misses.append(f"{row.id}: {found[row.id]:.8g}, reference {row.value:.8g} ± {bound:g}")
    assert misses == []


def test_the_maximum_likelihood_covariance_would_be_noticed(growth):
    """The reference catches the wrong divisor: sqrt(66/73) is 5 % on every impact."""
    fit = estimate(growth, 2)
    wrong = np.linalg.cholesky(fit.covariance_ml)
    table = pd.read_csv(FOLDER / "expected.csv").set_index("id")
    row = table.loc["rmse.invest"]
    assert abs(wrong[0, 0] - row["value"]) > 1000 * row["tolerance"]
