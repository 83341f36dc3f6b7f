"""Errors of equations with instruments: what every package prints, and rows that move together."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from linearmodels.iv import IV2SLS
from numpy.testing import assert_allclose
from scipy import stats

import attribution as at
from attribution.errors import DataError
from attribution.report.run_tables import tables
from attribution.studies.instruments.fit import instrumental
from attribution.studies.instruments.grouped_errors import Grouping
from attribution.studies.instruments.rows import Columns
from attribution.studies.instruments.sets import inverted

CONTROLS = ["c1", "c2", "c3", "c4"]


def small(rows=16, seed=0):
    """Few rows, many columns."""
    rng = np.random.default_rng(seed)
    z, c, u = rng.normal(size=(rows, 2)), rng.normal(size=(rows, 4)), rng.normal(size=rows)
    x = z @ [1, 0.5] + u
    y = 2 * x + c @ [1, 0, 0, 0.5] + u + rng.normal(size=rows)
    days = pd.bdate_range("2024-01-01", periods=rows)
    return pd.DataFrame(np.column_stack([y, x, z, c]), days, ["y", "x", "z1", "z2", *CONTROLS])


def model(errors, exogenous=(), **changes):
    equation = {
        "name": "e",
        "outcome": "y",
        "endogenous": ["x"],
        "instruments": ["z1", "z2"],
        "exogenous": list(exogenous),
    }
    base = {
        "schema": 1,
        "kind": "iv",
        "title": "errors",
        "methods": ["2sls"],
        "sample": {},
        "errors": errors,
        "equations": [equation],
    }
    return at.model_from(base | changes)


def panel(seed=5, days=60, entities=6, persistence=0.5, together=1.0):
    """Entities one after another; shocks of a day are common to them and last."""
    rng = np.random.default_rng(seed)

    def shocks():
        common, own = rng.normal(size=(days, 1)), rng.normal(size=(days, entities))
        found = together * common + 0.3 * own
        for t in range(1, days):
            found[t] += persistence * found[t - 1]
        return found

    z1, z2, u, e = shocks(), shocks(), shocks(), shocks()
    x = z1 + 0.5 * z2 + u
    parts = {"y": x + u + 0.3 * e, "x": x, "z1": z1, "z2": z2}
    index = pd.bdate_range("2024-01-01", periods=days)
    each = {
        f"e{i}": pd.DataFrame({name: part[:, i] for name, part in parts.items()}, index)
        for i in range(entities)
    }
    return pd.concat(each, names=["entity", "day"])


def design(frame, names):
    return sm.add_constant(frame[list(names)].to_numpy())


@pytest.mark.parametrize(
    ("errors", "theirs"),
    [
        ({"covariance": "unadjusted"}, {"cov_type": "nonrobust"}),
        ({"covariance": "robust"}, {"cov_type": "HC1", "use_t": True}),
        (
            {"covariance": "kernel", "bandwidth": 3},
            {"cov_type": "HAC", "use_t": True, "cov_kwds": {"maxlags": 3, "use_correction": True}},
        ),
    ],
)
def test_least_squares_is_what_every_package_prints(errors, theirs):
    frame = small()
    fit = sm.OLS(frame["y"].to_numpy(), design(frame, ["x", *CONTROLS])).fit(**theirs)
    run = at.fit(model(errors, CONTROLS), data=frame)
    row = tables(run)["answers"].loc["e, ols"]
    assert_allclose(row[["mean", "sd"]].astype(float), [fit.params[1], fit.bse[1]], rtol=1e-9)
    assert_allclose(row[["q05", "q95"]].astype(float), fit.conf_int(0.1)[1], rtol=1e-9)
    table = tables(run)["coefficients"]["standard_error"]
    assert table["e: x, ols"] == row["sd"]
    assert_allclose(table["e: c1, ols"], fit.bse[2], rtol=1e-9)


def test_rows_with_instruments_are_of_large_samples_unless_asked():
    frame = small()
    args = (frame["y"], sm.add_constant(frame[CONTROLS]), frame[["x"]], frame[["z1", "z2"]])
    for asked in (False, True):
        errors = {"covariance": "robust", "small_sample": asked}
        run = at.fit(model(errors, CONTROLS), data=frame)
        row = tables(run)["answers"].loc["e, 2sls"]
        fit = IV2SLS(*args).fit(cov_type="robust", debiased=asked)
        assert_allclose(row["sd"], fit.std_errors["x"], rtol=1e-9)
        assert_allclose(row[["q05", "q95"]].astype(float), fit.conf_int(0.9).loc["x"], rtol=1e-9)
        said = f"{float(row['q05']):.4g} to {float(row['q95']):.4g}"
        assert said in run.manifest["headline"]


def test_clusters_are_those_of_linearmodels_by_one_grouping_and_by_two():
    frame = panel()
    entity, day = (pd.factorize(frame.index.get_level_values(k))[0] for k in (0, 1))
    y, x, z = frame["y"], frame[["x"]], frame[["z1", "z2"]]
    one = pd.DataFrame({"constant": 1.0}, frame.index)
    for clusters, labels in (
        (["entity"], entity),
        (["time"], day),
        (["entity", "time"], np.column_stack([entity, day])),
    ):
        run = at.fit(model({"covariance": "clustered", "clusters": clusters}), data=frame)
        found = tables(run)["answers"]
        given = {"cov_type": "clustered", "clusters": labels, "debiased": True}
        two = IV2SLS(y, one, x, z).fit(**given)
        least = IV2SLS(y, pd.concat([one, x], axis=1), None, None).fit(**given)
        assert_allclose(found.loc["e, 2sls", "sd"], two.std_errors["x"], rtol=1e-8)
        assert_allclose(found.loc["e, ols", "sd"], least.std_errors["x"], rtol=1e-8)
        groups = 60 if clusters == ["time"] else 6
        reach = stats.t(groups - 1).ppf(0.95)
        row = found.loc["e, 2sls"]
        assert_allclose(row["q95"] - row["mean"], reach * row["sd"], rtol=1e-9)


def test_driscoll_and_kraay_are_cross_section_sums_under_a_kernel():
    frame = panel()
    day = pd.factorize(frame.index.get_level_values(1))[0]
    run = at.fit(model({"covariance": "driscoll_kraay", "bandwidth": 4}), data=frame)
    found = tables(run)["answers"]
    least = sm.OLS(frame["y"].to_numpy(), design(frame, ["x"])).fit(
        cov_type="hac-groupsum", cov_kwds={"time": day, "maxlags": 4}
    )
    assert_allclose(found.loc["e, ols", "sd"], least.bse[1], rtol=1e-8)
    row, z = found.loc["e, 2sls"], design(frame, ["z1", "z2"])
    x = design(frame, ["x"])
    hat = z @ np.linalg.lstsq(z, x, rcond=None)[0]
    beta = np.linalg.solve(hat.T @ x, hat.T @ frame["y"].to_numpy())
    sums = np.zeros((60, 2))
    np.add.at(sums, day, hat * (frame["y"].to_numpy() - x @ beta)[:, None])
    total = sums.T @ sums
    for lag in range(1, 5):
        apart = sums[lag:].T @ sums[:-lag]
        total += (1 - lag / 5) * (apart + apart.T)
    bread = np.linalg.inv(hat.T @ x)
    rows = len(frame)
    variance = (bread @ total @ bread.T)[1, 1] * 60 / 59 * (rows - 1) / (rows - 2)
    assert_allclose([row["mean"], row["sd"]], [beta[1], np.sqrt(variance)], rtol=1e-8)


def test_one_entity_under_driscoll_and_kraay_is_a_series_under_a_kernel():
    frame = panel(entities=1)
    alone = frame.droplevel(0)
    kernel = at.fit(
        model({"covariance": "kernel", "bandwidth": 4, "small_sample": True}), data=alone
    )
    series = tables(kernel)
    table = tables(at.fit(model({"covariance": "driscoll_kraay", "bandwidth": 4}), data=frame))
    correction = np.sqrt(59 / 60 * 60 / 59)  # n / (n - k) there, T / (T - 1) (n - 1) / (n - k) here
    both = zip(table["answers"]["sd"], series["answers"]["sd"], strict=True)
    assert all(a == pytest.approx(b * correction, rel=1e-8) for a, b in both)
    scale = table["tests"].loc["e: wooldridge_exogeneity", "statistic"]
    assert scale == pytest.approx(series["tests"].loc["e: wooldridge_exogeneity", "statistic"])


def test_every_part_of_an_answer_takes_rows_together():
    """Copies of every entity say nothing new: no error, test or set may narrow for them."""
    once = panel(entities=3, days=80)
    names = ("e0", "e1", "e2", "e0b", "e1b", "e2b")
    twice = pd.concat({name: once.xs(name[:2]) for name in names}, names=["entity", "day"])
    for errors in (
        {"covariance": "driscoll_kraay", "bandwidth": 2},
        {"covariance": "clustered", "clusters": ["time"]},
    ):
        first, second = (tables(at.fit(model(errors), data=each)) for each in (once, twice))
        exact = (239 / 238) / (479 / 478)  # of (n - 1) / (n - k)
        for name in ("e, ols", "e, 2sls"):
            assert_allclose(
                first["answers"].loc[name, "sd"] / second["answers"].loc[name, "sd"],
                np.sqrt(exact), rtol=1e-7,
            )  # fmt: skip
        for column in ("f_robust", "f_effective"):
            ratio = first["instruments"][column] / second["instruments"][column]
            assert_allclose(ratio.to_numpy(float), 1.0, rtol=0.01)
        for test in ("wooldridge_overidentification", "wooldridge_exogeneity"):
            both = [t["tests"].loc[f"e: {test}"] for t in (first, second)]
            assert_allclose(both[0]["statistic"], both[1]["statistic"], rtol=0.02)
            assert_allclose(both[0]["p"], both[1]["p"], atol=0.002)
        ends = [t["anderson_rubin"][["lowest", "highest"]].to_numpy(float) for t in (first, second)]
        assert_allclose(ends[0], ends[1], rtol=1e-6)


def test_a_kernel_never_crosses_from_one_entity_to_the_next():
    with pytest.raises(DataError, match=r"one entity after another; take .*driscoll_kraay"):
        at.fit(model({"covariance": "kernel", "bandwidth": 5}), data=panel())


def test_rows_grouped_say_how_many_groups_and_no_order_of_entities_matters():
    frame = panel()
    errors = {"covariance": "clustered", "clusters": ["entity"]}
    run = at.fit(model(errors), data=frame)
    (said,) = [f for f in run.manifest["findings"] if f["name"] == "e: groups"]
    assert said["verdict"] == "undecided" and "by entity: 6 groups" in said["evidence"]
    turned = frame.rename(index={f"e{i}": f"e{5 - i}" for i in range(6)}, level=0).sort_index()
    again = at.fit(model(errors), data=turned)
    columns = ["mean", "sd", "q05", "q95"]
    assert_allclose(tables(run)["answers"][columns], tables(again)["answers"][columns], rtol=1e-9)


@pytest.mark.parametrize(
    ("errors", "frame", "said"),
    [
        (
            {"covariance": "clustered", "clusters": ["entity"]},
            panel(entities=2),
            "has 2 group.s. by entity and 2 instrument",
        ),
        ({"covariance": "driscoll_kraay", "bandwidth": 60}, panel(), "reaches beyond the 60 days"),
        ({"covariance": "driscoll_kraay", "bandwidth": 3}, small(), "entities and days"),
        ({"covariance": "clustered", "clusters": ["time"]}, small(), "entities and days"),
    ],
)
def test_rows_that_make_no_groups_are_refused(errors, frame, said):
    with pytest.raises(DataError, match=said) as caught:
        at.fit(model(errors), data=frame)
    assert "\n" not in str(caught.value)


def test_an_error_that_is_no_number_reaches_no_headline():
    """Scores that cancel within entities and within days leave two groupings a negative square."""
    frame = panel(seed=10, days=4, entities=4, together=0.0, persistence=0.0)
    errors = {"covariance": "clustered", "clusters": ["entity", "time"]}
    with pytest.raises(DataError, match=r"covariance is not positive|not positive definite"):
        at.fit(model(errors), data=frame)


@pytest.mark.slow
def test_intervals_hold_the_truth_as_often_as_they_say():
    """Of least squares in few rows; of both groupings under shocks common to a day that last."""
    worlds, hits = 500, 0
    reach = 4 * np.sqrt(0.9 * 0.1 / worlds)
    rng = np.random.default_rng(3)
    for _ in range(worlds):
        frame = pd.DataFrame(rng.normal(size=(16, 8)), columns=["y", "x", "z1", "z2", *CONTROLS])
        frame["y"] += frame["x"]
        columns = Columns(
            frame["y"], frame[["x"]], frame[CONTROLS].assign(constant=1.0)[::1], frame[["z1", "z2"]]
        )
        found = instrumental(columns, methods=("2sls",), covariance="unadjusted", bandwidth=0)
        away = abs(found.coefficients.loc["x", "ols"] - 1) / found.errors.loc["x", "ols"]
        hits += away < stats.t(found.freedom["ols"]).ppf(0.95)
    assert abs(hits / worlds - 0.9) < reach


@pytest.mark.slow
def test_common_shocks_leave_driscoll_and_kraay_what_they_promise():
    """A kernel over stacked entities held the truth in 52 % of worlds."""
    worlds, hits, sets = 300, 0, 0
    for world in range(worlds):
        frame = panel(seed=100 + world, days=160)
        day = pd.factorize(frame.index.get_level_values(1))[0]
        one = pd.DataFrame({"constant": 1.0}, frame.index)
        columns = Columns(
            frame["y"], frame[["x"]], one, frame[["z1", "z2"]], Grouping((day,), 8, ("time",))
        )
        found = instrumental(columns, methods=("2sls",), covariance="driscoll_kraay", bandwidth=8)
        away = abs(found.coefficients.loc["x", "2sls"] - 1) / found.errors.loc["x", "2sls"]
        hits += away < stats.t(found.freedom["2sls"]).ppf(0.95)
        sets += 1.0 in inverted(found.anderson_rubin, 0.9)
    # A kernel of eight lags leaves out a little of shocks that halve every day.
    assert 0.80 < hits / worlds < 0.95
    assert 0.80 < sets / worlds < 0.97
