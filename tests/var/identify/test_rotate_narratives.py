"""Narratives: each at its own date, weighed by their joint probability, or not at all."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.core import propagate
from attribution.errors import IdentificationError, SpecError
from attribution.var.identify.compile import compiled
from attribution.var.identify.rotate import rotate
from attribution.var.reduced import Batch

SIGNS = {"output": "+", "price": "+", "rate": "-"}


def flat(array):
    return array.reshape(-1, *array.shape[2:])


@pytest.fixture(scope="module")
def run(closed, simulated, tables):
    """Run one shock with signs on impact and some narratives, conditional unless said."""

    def do(*narratives, reduced=None, draws=800, seed=1, **more):
        cells = [tables.cell("a", name, sign) for name, sign in SIGNS.items()]
        given = {"reading": "conditional", **more}
        table = tables.table(("a", "b"), cells, narratives=narratives, **given)
        chosen = closed() if reduced is None else reduced
        return rotate(chosen, table, simulated[0], lags=2, draws=draws, seed=seed)

    return do


def days_where(simulated, positive):
    """Dates on which the true first shock is clearly positive, or clearly negative."""
    shock = simulated[1][:, 0] if positive else -simulated[1][:, 0]
    return [str(day.date()) for day in simulated[0].index[10:][shock[10:] > 1.3]]


def test_signs_alone_weigh_two_to_the_number_of_dates(run, tables, simulated):
    up, down = days_where(simulated, True), days_where(simulated, False)
    claims = [tables.dated("a", "positive", day) for day in up[:2]]
    claims += [tables.dated("a", "negative", day) for day in down[:2]]
    for count in (1, 2, 4):
        done = run(*claims[:count])
        assert (done.factors["narratives"] == 2.0**count).all()
    again = run(claims[0], claims[0])
    assert (again.factors["narratives"] == 2).all()  # the same date twice is one claim


def test_opposite_signs_on_two_dates_both_hold(run, tables, simulated):
    up, down = days_where(simulated, True)[0], days_where(simulated, False)[0]
    done = run(tables.dated("a", "positive", up), tables.dated("a", "negative", down))
    shock = {day: shocks(done, simulated, day)[:, 0] for day in (up, down)}
    assert (shock[up] >= 0).all()
    assert (shock[down] <= 0).all()


def shocks(done, simulated, day):
    t, path = simulated[0].index.get_loc(day), simulated[0].to_numpy()
    post = done.posterior
    error = path[t] - flat(post.intercept)
    for lag in range(2):
        error = error - flat(post.lag_coefficients)[:, lag] @ path[t - 1 - lag]
    return np.linalg.solve(flat(post.impact), error[..., None])[..., 0]


def simulated_probability(done, scale, kind, rng, tries=20_000):
    """Probability of a claim on output over two dates and a sign, for the first draws."""
    out = []
    for impact, lags in zip(
        flat(done.posterior.impact)[:12], flat(done.posterior.lag_coefficients)[:12], strict=True
    ):
        theta = propagate.responses(lags[None], impact[None], 1)[0]
        shock = rng.standard_normal((tries, 2, 3)) * scale[:, None]
        part = theta[:2, 0].sum(0) * shock[:, 0] + theta[0, 0] * shock[:, 1]
        size = np.abs(part)
        held = {
            "largest": size[:, 0] >= size.max(1),
            "smallest": size[:, 0] <= size.min(1),
            "overwhelming": size[:, 0] >= size[:, 1:].sum(1),
            "negligible": size[:, 0] <= size[:, 1:].sum(1),
            "between": (part[:, 0] >= -3) & (part[:, 0] <= 9),
        }[kind]
        out.append((held & (shock[:, 0, 0] >= 0)).mean())
    return np.array(out)


@pytest.mark.parametrize("kind", ["largest", "smallest", "overwhelming", "negligible", "between"])
def test_weights_are_those_of_brute_force(run, tables, simulated, kind):
    day = days_where(simulated, True)[1]
    end = str((simulated[0].index[simulated[0].index.get_loc(day) + 1]).date())
    bounds = {"low": -3.0, "high": 9.0} if kind == "between" else {}
    done = run(
        tables.dated("a", "positive", day),
        tables.dated("a", kind, day, to="output", end=end, **bounds),
    )
    found = done.factors["narratives"].ravel()[:12]
    truth = 1 / simulated_probability(done, np.ones(2), kind, np.random.default_rng(1))
    # a hundred hits: a tenth of noise at most; the brute force adds little
    assert np.abs(np.log(found / truth)).max() < 4.5 * 0.11


class Scaled:
    """A reduced form whose error scale is given, six times higher on one date."""

    def __init__(self, inner, day):
        self.inner, self.at = inner, inner.time.get_loc(day)
        self.variables, self.time, self.constant = inner.variables, inner.time, True
        self.chains, self.notes = inner.chains, {}

    def batch(self, draws):
        plain = self.inner.batch(draws)
        scale = np.ones((*plain.weight.shape, len(self.time)))
        scale[..., self.at] = 6.0
        return Batch(plain.factor, plain.coefficients, plain.weight, scale)


def test_windows_are_simulated_with_the_scale_of_their_dates(run, tables, simulated, closed):
    day = days_where(simulated, True)[1]
    end = str((simulated[0].index[simulated[0].index.get_loc(day) + 1]).date())
    claims = (
        tables.dated("a", "positive", day),
        tables.dated("a", "between", day, to="output", end=end, low=-3.0, high=9.0),
    )
    done = run(*claims, reduced=Scaled(closed(), day))
    found = done.factors["narratives"].ravel()[:12]
    truth = 1 / simulated_probability(
        done, np.array([6.0, 1.0]), "between", np.random.default_rng(1)
    )
    other = 1 / simulated_probability(done, np.ones(2), "between", np.random.default_rng(1))
    assert np.abs(np.log(found / truth)).max() < 4.5 * 0.11
    assert np.abs(np.log(found / other)).max() > 4.5 * 0.11  # without the scale it would not do


def test_the_unconditional_reading_has_no_such_weight(run, tables, simulated):
    day = days_where(simulated, True)[0]
    claim = tables.dated("a", "overwhelming", day, to="output")
    done = run(claim, reading="unconditional")
    assert "narratives" not in done.factors
    part = np.abs(shocks(done, simulated, day) * flat(done.posterior.impact)[:, 0])
    assert (part[:, 0] >= part[:, 1:].sum(1) - 1e-12).all()


def test_variables_in_levels_change_over_a_window_by_its_last_date(closed, simulated, tables, run):
    day = days_where(simulated, True)[1]
    end = str((simulated[0].index[simulated[0].index.get_loc(day) + 1]).date())
    claim = tables.dated("a", "largest", day, to="output", end=end)
    cells = [tables.cell("a", name, sign) for name, sign in SIGNS.items()]
    table = tables.table(("a",), cells, narratives=(claim,))
    done = rotate(closed(), table, simulated[0], lags=2, draws=400, seed=1, levels=("output",))
    first, last = shocks(done, simulated, day), shocks(done, simulated, end)
    theta = propagate.responses(
        flat(done.posterior.lag_coefficients), flat(done.posterior.impact), 1
    )[:, :, 0]
    size = np.abs(theta[:, 1] * first + theta[:, 0] * last)
    assert (size[:, 0] >= size.max(1) - 1e-12).all()
    summed = np.abs(theta.sum(1) * first + theta[:, 0] * last)
    assert (summed[:, 0] < summed.max(1)).any()  # the two readings differ


def test_contradicting_narratives_are_refused(run, tables):
    both = [tables.dated("a", claim, "2001-03-01") for claim in ("positive", "negative")]
    with pytest.raises(
        IdentificationError, match="a negative on 2001-03-01 contradicts a positive"
    ):
        run(*both)


def test_a_date_that_the_sample_lacks_is_refused_with_the_nearest(run, tables):
    with pytest.raises(SpecError, match=r"1999-01-01 is not a date of the sample .nearest: 2001"):
        run(tables.dated("a", "positive", "1999-01-01"))


def test_a_date_without_its_lags_is_refused(run, tables):
    with pytest.raises(SpecError, match="2001-01-02, but the data of that date and its 2 lags"):
        run(tables.dated("a", "positive", "2001-01-02"))


@pytest.mark.parametrize("back", [0, 1, 2])
@pytest.mark.parametrize("name", ["output", "rate"])
def test_a_date_of_which_one_reading_is_missing_is_refused(simulated, tables, back, name):
    holed = simulated[0].copy()
    holed.loc[holed.index[100 - back], name] = np.nan
    claim = tables.dated("a", "positive", str(holed.index[100].date()))
    table = tables.table(("a",), [tables.cell("a", "price", "+")], narratives=(claim,))
    with pytest.raises(SpecError, match=f"{claim.start}, but the data of that date and its 2 lags"):
        compiled(table, tuple(holed.columns), holed, lags=2, constant=True)


def test_narratives_too_unlikely_to_simulate_are_refused(run, tables, simulated, monkeypatch):
    from attribution.var.identify import weights

    monkeypatch.setattr(weights, "MOST_TRIES", 150)
    day = days_where(simulated, True)[0]
    with pytest.raises(IdentificationError, match="held fewer than 100 times in 150 simulations"):
        run(tables.dated("a", "overwhelming", day, to="output"))


def test_a_narrative_on_a_held_out_date_uses_the_data_of_that_date(closed, simulated, tables):
    """The estimation sample ends before; the error of the date is that of the same draw."""
    day = next(d for d in days_where(simulated, True) if d > "2001-07-20")
    cells = [tables.cell("a", name, sign) for name, sign in SIGNS.items()]
    table = tables.table(("a",), cells, narratives=(tables.dated("a", "positive", day),))
    short = simulated[0].loc[:"2001-07-15"]
    done = rotate(closed(short), replace(table), simulated[0], lags=2, draws=400, seed=1)
    assert (shocks(done, simulated, day)[:, 0] >= 0).all()
    assert_allclose(done.posterior.weight.mean(), 1)
