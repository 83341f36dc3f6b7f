"""Anderson-Rubin: the statistic is a regression's, the set is its inversion, and it covers."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from attribution.studies.instruments.sets import RealSet, anderson_rubin, inverted

LAWS = [("unadjusted", 0), ("robust", 0), ("kernel", 4)]


def drawn(rng, *, rows=200, strength=0.5, instruments=3, beta=1.5, own=1.0):
    z = rng.standard_normal((rows, instruments))
    w = np.column_stack([np.ones(rows), rng.standard_normal(rows)])
    common = rng.standard_normal(rows)
    x = z @ np.full(instruments, strength) + w @ [1, 0.5] + common + own * rng.standard_normal(rows)
    noise = (0.8 * common + own * rng.standard_normal(rows)) * (1 + 0.5 * np.abs(z[:, 0]))
    return beta * x + w @ [2, -1] + noise, x, w, z


@pytest.fixture(params=LAWS, ids=lambda law: law[0])
def law(request):
    return {"covariance": request.param[0], "bandwidth": request.param[1]}


def test_the_statistic_is_that_of_instruments_in_a_regression_of_what_is_left(law):
    y, x, w, z = drawn(np.random.default_rng(1))
    test = anderson_rubin(y, x, w, z, **law)
    for beta in (-1.0, 1.5, 4.0):
        model = sm.OLS(y - beta * x, np.column_stack([z, w]))
        if law["covariance"] == "unadjusted":
            fit = model.fit()
        elif law["covariance"] == "robust":
            fit = model.fit(cov_type="HC0")
        else:
            fit = model.fit(cov_type="HAC", cov_kwds={"maxlags": 4, "use_correction": False})
        wald = fit.wald_test(np.eye(3, 5), use_f=False, scalar=True).statistic
        assert test.statistic(np.array([beta]))[0] == pytest.approx(float(wald), rel=1e-8)


@pytest.mark.parametrize("strength", [0.5, 0.12, 0.03, 0.0])
@pytest.mark.parametrize("instruments", [1, 2, 4])
def test_the_set_is_where_the_statistic_is_below_its_critical_value(law, strength, instruments):
    rng = np.random.default_rng(2)
    for _ in range(8):
        y, x, w, z = drawn(rng, rows=80, strength=strength, instruments=instruments)
        test = anderson_rubin(y, x, w, z, **law)
        for level in (0.5, 0.9, 0.95):
            found = inverted(test, level)
            grid = np.sort(np.tan(np.linspace(-1.57, 1.57, 2001)) * 3 + 1.5)
            below = test.statistic(grid) <= test.critical(level)
            assert [beta in found for beta in grid] == below.tolist()
            ends = [e for part in found.parts for e in part if np.isfinite(e)]
            for end in ends:
                gap = test.statistic(np.array([end]))[0] - test.critical(level)
                assert abs(gap) < 1e-6 * test.critical(level)


def test_the_set_is_bounded_exactly_where_the_first_stage_rejects_no_relevance(law):
    rng, seen = np.random.default_rng(3), set()
    for _ in range(60):
        y, x, w, z = drawn(rng, rows=60, strength=0.15, instruments=2)
        test = anderson_rubin(y, x, w, z, **law)
        found = inverted(test, 0.9)
        strong = test.at_infinity > test.critical(0.9)
        assert strong == all(np.isfinite(e) for part in found.parts for e in part)
        seen.add(found.shape)
    assert {"interval", "line"} <= seen


def test_instruments_that_contradict_each_other_leave_no_value():
    rng = np.random.default_rng(4)
    z = rng.standard_normal((500, 2))
    x = z @ [1, 1] + rng.standard_normal(500)
    y = z @ [3, -3] + rng.standard_normal(500)
    found = inverted(anderson_rubin(y, x, np.ones((500, 1)), z, covariance="robust"), 0.95)
    assert found.shape == "empty"
    assert str(found) == "no value"


def test_it_covers_the_truth_with_useless_instruments_where_two_stage_intervals_do_not():
    rng, kept, two_stage = np.random.default_rng(5), 0, 0
    replications = 600
    for _ in range(replications):
        y, x, w, z = drawn(rng, rows=800, strength=0.02, instruments=2, own=0.2)
        test = anderson_rubin(y, x, w, z, covariance="robust")
        kept += 1.5 in inverted(test, 0.9)
        q, _ = np.linalg.qr(np.column_stack([w, z]))
        hat = np.column_stack([q @ (q.T @ x), w])
        both = np.column_stack([x, w])
        b = np.linalg.lstsq(hat, y, rcond=None)[0]
        variance = np.sum((y - both @ b) ** 2) / 797 * np.linalg.inv(hat.T @ hat)[0, 0]
        two_stage += abs(b[0] - 1.5) < 1.645 * np.sqrt(variance)
    noise = np.sqrt(0.09 / replications)
    assert abs(kept / replications - 0.9) < 3 * noise
    assert two_stage / replications < 0.8


def test_scale_and_shift_of_the_columns_carry_over_to_the_set(law):
    y, x, w, z = drawn(np.random.default_rng(6))
    base = inverted(anderson_rubin(y, x, w, z, **law), 0.9).parts[0]
    scaled = inverted(
        anderson_rubin(1e6 * y, 10 * x, w, z @ [[2, 1, 0], [0, 1, 0], [0, 1, 5]], **law), 0.9
    )
    shifted = inverted(anderson_rubin(y + 7 * x, x, w, z, **law), 0.9)
    assert scaled.parts[0] == pytest.approx([1e5 * e for e in base], rel=1e-7)
    assert shifted.parts[0] == pytest.approx([e + 7 for e in base], rel=1e-7)


def test_with_equal_variances_and_one_instrument_the_law_is_f():
    y, x, w, z = drawn(np.random.default_rng(7), rows=30, instruments=1)
    test = anderson_rubin(y, x, w, z, covariance="unadjusted")
    assert test.critical(0.9) == pytest.approx(stats.f.ppf(0.9, 1, 27))


@pytest.mark.parametrize(
    ("parts", "shape", "said"),
    [
        ((), "empty", "no value"),
        (((-np.inf, np.inf),), "line", "every value"),
        (((1.0, 2.0),), "interval", "1 to 2"),
        (((-np.inf, 1.0), (2.0, np.inf)), "half_lines", "at most 1 or at least 2"),
        (((0.0, 1.0), (2.0, 3.0)), "union", "0 to 1 or 2 to 3"),
    ],
)
def test_every_shape_has_its_name_and_its_words(parts, shape, said):
    assert (RealSet(parts).shape, str(RealSet(parts))) == (shape, said)
