"""From a question with instruments to a posterior: published numbers, names, signs, refusals."""

from dataclasses import replace
from datetime import date
from math import inf
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from attribution.core.instruments.instrument import responses
from attribution.errors import DataError, EventError, IdentificationError, SpecError
from attribution.model.restriction import SHOCK, Cell, Channel, Identification
from attribution.model.scheme import Errors, Instrument, Scheme
from attribution.model.spec import Event, Minnesota, ModelSpec, Sample, System, Window
from attribution.var.estimate.proxy import fit_proxy
from attribution.var.estimate.proxy_setup import instrumented_sample, says_more

REFERENCE = Path(__file__).resolve().parents[2] / "reference"
NAMES = ("rate", "price", "output")
IMPACT = np.array([[1.0, -1.0, 0.2], [0.9, 1.0, 0.3], [-0.5, 0.4, 1.0]])
WINDOW = Window("fall", date(2021, 1, 4), date(2021, 1, 6))
HELD = Event("event", "price", (WINDOW,), (date(2021, 1, 4), date(2021, 1, 6)))


def question(*instruments, variables=NAMES, lags=1, event=None, table=None, **settings):
    return ModelSpec(
        name="toy",
        kind="svar",
        title="",
        references=(),
        sample=Sample("none", date(1900, 1, 1), date(2100, 1, 1)),
        event=Event("none", variables[0], ()) if event is None else event,
        system=System(variables, lags, horizons=3),
        identification=table,
        scheme=Scheme("proxy", instruments=tuple(instruments)),
        **settings,
    )


def table(direction=0, cells=(), channels=("policy",)):
    return Identification(
        name="toy",
        path=None,
        outcome="rate",
        direction=direction,
        channels=tuple(Channel(name, name) for name in channels),
        cells=cells,
    )


POLICY = Instrument("policy", "surprise", "read in a narrow window")
DEMAND = Instrument("demand", "survey", "asked before")
LOWERS = Cell("policy", "output", -inf, 0.0, "reason", "source", per=SHOCK)


@pytest.fixture(scope="module")
def values():
    rng = np.random.default_rng(1)
    days = pd.bdate_range("2020-01-01", "2021-01-08")
    shocks = rng.standard_normal((len(days), 3))
    series = np.zeros((len(days), 3))
    for t in range(1, len(days)):
        series[t] = 0.3 * series[t - 1] + IMPACT @ shocks[t]
    frame = pd.DataFrame(series, days, list(NAMES))
    frame["surprise"] = 0.8 * shocks[:, 0] + rng.standard_normal(len(days))
    frame["survey"] = 0.8 * shocks[:, 1] + rng.standard_normal(len(days))
    frame["noise"] = rng.standard_normal(len(days))
    frame.loc[:"2020-03-01", "surprise"] = np.nan
    return frame


@pytest.fixture(scope="module")
def fit(values):
    return fit_proxy(question(POLICY, event=HELD), values, draws=800, seed=1)


def reference(case, name):
    return pd.read_csv(REFERENCE / case / name)


@pytest.fixture(scope="module")
def oil():
    frame = reference("montielolea2021", "msw_oil.csv")
    frame.index = pd.to_datetime(frame.pop("date"))
    variables = ("d_production", "activity", "real_price")
    one = Instrument("supply", "opec_shortfall_iv", "exogenous shortfall")
    spec = question(one, variables=variables, lags=24, prior=Minnesota(flat=True))
    return replace(spec, system=replace(spec.system, horizons=20)), frame


def test_montiel_olea_stock_and_watson_is_reproduced_to_the_digits_stored(oil):
    spec, frame = oil
    stored = reference("montielolea2021", "expected_irf_and_sets.csv")
    expected = reference("montielolea2021", "expected.csv").set_index("id")["value"]
    var = instrumented_sample(spec, frame, "out").least_squares(spec, "opec_shortfall_iv", 0)
    gamma = [expected[f"Gamma.{name}"] for name in ("production", "activity", "price")]
    np.testing.assert_allclose(var.gamma, gamma, atol=1e-7)
    rows = responses(var, unit=0, horizons=20, level=0.95)
    for i, name in enumerate(("production", "activity", "price")):
        for h, row in enumerate(rows):
            e = row[i]
            ours = [e.value, e.se, e.robust.low, e.robust.high, e.delta.low, e.delta.high]
            heads = ("irf", "irf_se", "ar95_low", "ar95_high", "delta95_low", "delta95_high")
            theirs = [stored[f"{head}_{name}"][h] for head in heads]
            np.testing.assert_allclose(ours, theirs, atol=1e-8)
    assert rows[6][2].value == pytest.approx(expected["irf.price.h6"], abs=1e-8)
    assert rows[12][1].value == pytest.approx(expected["irf.activity.h12"], abs=1e-8)


def test_montiel_olea_stock_and_watson_call_the_instrument_weak_and_so_does_the_fit(oil):
    spec, frame = oil
    found = fit_proxy(spec, frame, draws=200, seed=1).instruments[0]
    assert found.wald == pytest.approx(4.39879407597057, abs=1e-9)
    assert found.verdict == "fails"
    assert "Anderson-Rubin" in found.finding().evidence


def test_gertler_and_karadi_is_reproduced_row_by_row():
    frame = reference("gertler_karadi2015", "gk2015.csv")
    frame.index = pd.PeriodIndex(frame.pop("date").str.replace("m", "-"), freq="M").to_timestamp()
    frame.loc[: pd.Timestamp("1990-12-01"), "ff4_tc"] = np.nan
    spec = question(
        Instrument("policy", "ff4_tc", "surprise in a narrow window"),
        variables=("gs1", "logcpi", "logip", "ebp"),
        lags=12,
        prior=Minnesota(flat=True),
    )
    spec = replace(spec, system=replace(spec.system, horizons=24))
    found = fit_proxy(spec, frame, draws=200, seed=1).instruments[0]
    stage, impact = found.first_stage, found.impact
    path = found.responses.query("level == 0.9").set_index(["horizon", "variable"])["response"]
    ours = {
        "first_stage.F": stage.f,
        "first_stage.robustF.HC0": stage.f_hc0,
        "first_stage.robustF.HC1": stage.f_hc1,
        "first_stage.R2_pct": 100 * stage.r2,
        "first_stage.adjR2_pct": 100 * stage.r2_adjusted,
        "first_stage.slope": stage.slope[0],
        "first_stage.robust_t": stage.t_robust[0],
        "first_stage.nobs": stage.observations,
    }
    for name in ("ebp", "logip", "logcpi"):
        ours[f"relative_impact.{name}"] = impact["per_unit"][name]
    for key in ("gs1.h0", "gs1.h12", "logip.h18", "logip.h24", "ebp.h0", "logcpi.h24"):
        name, h = key.split(".h")
        ours[f"irf.vartoolbox.{key}"] = 100 * impact["one_sd_observed"]["gs1"] * path[int(h), name]
    expected = reference("gertler_karadi2015", "expected.csv").set_index("id")
    assert set(ours) == set(expected.index)
    for key, value in ours.items():
        assert abs(value - expected["value"][key]) <= expected["tolerance"][key], key
    assert impact["one_sd"]["gs1"] == pytest.approx(0.2475, abs=0.0005)


def test_a_fit_names_the_channel_first_and_finds_its_column(fit, values):
    assert fit.posterior.channels == ("policy",)
    assert fit.posterior.shocks == ("policy", "unnamed_1", "unnamed_2")
    column = fit.posterior.impact[..., 0]
    assert (np.abs(column.mean((0, 1)) - IMPACT[:, 0]) < 3.5 * column.std((0, 1))).all()
    assert fit.time[0] == values.index[1]
    assert fit.time[-1] < pd.Timestamp("2021-01-04")
    assert fit.instruments[0].reliability.mean() == pytest.approx(0.64 / 1.64, abs=0.15)
    assert fit.instruments[0].verdict == "holds"
    seen = values["surprise"].loc["2020-01-02":"2021-01-01"].notna().sum()
    assert fit.instruments[0].first_stage.observations == seen


def test_the_robust_set_of_the_event_holds_the_posterior_mean(fit, values):
    found = fit.instruments[0].contributions["fall"].estimate
    assert found.delta.low > found.robust.low
    errors = values[list(NAMES)].loc["2021-01-01":"2021-01-06"].to_numpy()
    posterior = fit.posterior
    lag, intercept = posterior.lag_coefficients[:, :, 0], posterior.intercept
    past, now = errors[:-1], errors[1:]
    residual = now - intercept[:, :, None] - np.einsum("cdij,tj->cdti", lag, past)
    struck = np.linalg.solve(posterior.impact[:, :, None], residual[..., None])[..., 0, 0]
    moved = posterior.impact[..., 0]
    total = np.zeros(struck.shape[:2])
    for t in range(3):
        path = moved
        for _ in range(t, 3):
            total += struck[:, :, t] * path[..., 1]
            path = np.einsum("cdij,cdj->cdi", lag, path)
    assert total.mean() in found.robust


def test_a_table_turns_the_channel_and_the_loading_with_it(values):
    plain = fit_proxy(question(POLICY), values, draws=40, seed=2)
    for claims in (table(direction=-1), table(cells=(replace(LOWERS, high=inf, low=0.0),))):
        turned = fit_proxy(question(POLICY, table=claims), values, draws=40, seed=2)
        assert (
            turned.posterior.impact[..., 2 if claims.cells else 0, 0] * (1 if claims.cells else -1)
            > 0
        ).all()
    same = fit_proxy(question(POLICY, table=table(cells=(LOWERS,))), values, draws=40, seed=2)
    side = np.sign(same.posterior.impact[..., 2, 0] * plain.posterior.impact[..., 2, 0])
    np.testing.assert_allclose(
        same.parameters["loading"][..., 0], side * plain.parameters["loading"][..., 0]
    )


def test_the_other_sign_of_an_instrument_changes_its_loading_alone(values):
    claims = table(cells=(LOWERS,))
    one = fit_proxy(question(POLICY, table=claims), values, draws=4000, seed=3)
    other = fit_proxy(
        question(POLICY, table=claims),
        values.assign(surprise=-values["surprise"]),
        draws=4000,
        seed=3,
    )
    column = one.posterior.impact[..., 0]
    error = np.sqrt(2) * column.std((0, 1)) / np.sqrt(2000)
    gap = np.abs(column.mean((0, 1)) - other.posterior.impact[..., 0].mean((0, 1)))
    assert (gap < 4 * error).all()
    assert one.parameters["loading"].mean() > 0 > other.parameters["loading"].mean()


def test_two_channels_come_in_the_order_of_the_table(values):
    claims = table(cells=(LOWERS,), channels=("demand", "policy"))
    found = fit_proxy(question(POLICY, DEMAND, table=claims), values, draws=400, seed=4)
    assert found.posterior.channels == ("demand", "policy")
    np.testing.assert_allclose(
        found.posterior.impact[..., :2].mean((0, 1)), IMPACT[:, [1, 0]], atol=0.45
    )


def test_claims_beyond_the_sign_need_someone_who_checks_them(values):
    more = replace(LOWERS, variable="price", low=0.0, high=inf)
    spec = question(POLICY, table=table(cells=(LOWERS, more)))
    with pytest.raises(SpecError, match="1 claims beyond the sign"):
        fit_proxy(spec, values, draws=40, seed=1)
    kept = fit_proxy(
        spec, values, draws=400, seed=1, keep=lambda post: post.impact[..., 0, 0] > 1.0
    )
    assert 0 < kept.notes["share_kept"] < 1
    assert kept.posterior.weight.mean() == pytest.approx(1.0)
    assert (kept.posterior.weight[kept.posterior.impact[..., 0, 0] <= 1.0] == 0).all()
    with pytest.raises(IdentificationError, match="none of 40 draws"):
        fit_proxy(spec, values, draws=40, seed=1, keep=lambda p: p.impact[..., 0, 0] > 99)


def test_noise_is_called_weak_and_told_what_to_do(values):
    found = fit_proxy(question(replace(POLICY, column="noise")), values, draws=400, seed=5)
    finding = found.instruments[0].finding()
    assert finding.verdict == "fails"
    assert "find a stronger instrument" in finding.evidence
    assert found.instruments[0].doubt > 0.5


def test_one_seed_gives_one_posterior(values):
    one = fit_proxy(question(POLICY), values, draws=40, seed=7)
    other = fit_proxy(question(POLICY), values, draws=40, seed=7)
    np.testing.assert_array_equal(one.posterior.impact, other.posterior.impact)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"errors": Errors("student_t")}, "Gaussian errors"),
        ({"errors": Errors(outliers=(date(2020, 5, 4),))}, "not outliers"),
        ({"prior": Minnesota(hierarchical=True)}, "hierarchical = false"),
        ({"scheme": Scheme("proxy")}, "no instrument"),
        ({"identification": table(channels=("polcy",))}, "nearest: 'polcy'"),
        ({"identification": table(channels=("policy", "a", "b", "c"))}, "4 channels for 3"),
    ],
)
def test_what_the_sampler_does_not_do_is_refused(values, change, message):
    with pytest.raises(SpecError, match=message):
        fit_proxy(replace(question(POLICY), **change), values, draws=40, seed=1)


def test_an_unknown_unit_is_refused_with_the_nearest_name(values):
    with pytest.raises(SpecError, match="nearest: 'price'"):
        fit_proxy(question(POLICY), values, draws=40, seed=1, unit="prise")


def test_bad_instruments_are_refused(values):
    def run(frame, *instruments):
        return fit_proxy(question(*(instruments or (POLICY,))), frame, draws=40, seed=1)

    with pytest.raises(DataError, match="nearest: 'surprise'"):
        run(values, replace(POLICY, column="suprise"))
    with pytest.raises(DataError, match="is constant"):
        run(values.assign(surprise=1.0))
    with pytest.raises(DataError, match="has 3 values"):
        run(values.assign(surprise=values["surprise"].iloc[-3:]))
    with pytest.raises(DataError, match="collinear"):
        run(values.assign(survey=2 * values["surprise"]), POLICY, replace(POLICY, column="survey"))
    half = values["survey"].where(values.index < "2020-03-01")
    with pytest.raises(DataError, match="share 0 days"):
        run(values.assign(survey=half), POLICY, DEMAND)


def test_a_window_that_the_data_do_not_cover_is_refused(values):
    late = Window("late", date(2021, 1, 7), date(2021, 1, 7))
    event = replace(HELD, windows=(late,))
    holed = values.copy()
    holed.loc["2021-01-07", "rate"] = np.nan
    with pytest.raises(EventError, match="window 'late'"):
        fit_proxy(question(POLICY, event=event), holed, draws=40, seed=1)


def test_a_table_of_signs_alone_says_no_more_than_the_instruments_need():
    assert not says_more(question(POLICY))
    assert not says_more(question(POLICY, table=table(cells=(LOWERS,))))
    assert says_more(question(POLICY, table=table(direction=-1, cells=(LOWERS,))))
