"""What the restrictions-alone model reads, and what it refuses."""

from dataclasses import replace
from datetime import date
from math import inf

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from attribution.errors import DataError, EventError, IdentificationError, SpecError
from attribution.model import read_model
from attribution.model.restriction import Cell
from attribution.model.spec import Minnesota, Window
from attribution.var.estimate.bvar_signs import fit_bvar_signs
from attribution.var.estimate.cones import table_cones


def fit_of(model, data, **changes):
    settings = {"draws": 400, "seed": 1, "robust_draws": 4, "windows": ()} | changes
    return fit_bvar_signs(model, data, **settings)


def test_a_cell_on_a_series_outside_the_system_does_not_count(toy, signs_values):
    extra = toy.table(toy.cells | {("hedging", "open_interest"): (0.1, inf)})
    one, two = (fit_of(toy.spec(identification=t), signs_values) for t in (toy.table(), extra))
    assert np.array_equal(one.posterior.impact, two.posterior.impact)


def test_with_the_event_out_no_day_of_it_is_used_and_with_it_in_no_later_day(toy, signs_values):
    shaken, later = signs_values.copy(), signs_values.copy()
    shaken.loc["2025-12-01":] *= -50.0
    later.loc["2025-12-04":] *= -50.0
    one, two = (fit_of(toy.spec(), frame) for frame in (signs_values, shaken))
    assert np.array_equal(one.posterior.impact, two.posterior.impact)
    three, four = (fit_of(toy.spec(), frame, event_in="in") for frame in (signs_values, later))
    assert np.array_equal(three.posterior.impact, four.posterior.impact)
    assert three.time[-1] == pd.Timestamp("2025-12-03")
    assert three.reduced_form.scale[1, 1] > one.reduced_form.scale[1, 1]


def test_a_table_that_contradicts_itself_is_refused_before_anything_is_read(toy):
    cells = toy.cells | {("hedging", "volume"): (1.0, 2.0), ("hedging", "extra"): (1.0, 2.0)}
    broken = toy.table(cells)
    twice = replace(
        broken, cells=(*broken.cells, Cell("hedging", "volume", 3.0, 4.0, "reason", "source"))
    )
    with pytest.raises(IdentificationError, match=r"'hedging'.*volume \[1, 2\], volume \[3, 4\]"):
        fit_of(toy.spec(identification=twice), pd.DataFrame())


def test_a_table_that_the_data_contradict_is_refused_with_the_cells_to_blame(toy, signs_values):
    """Both shocks move price and volume apart, and the two series move together."""
    rng = np.random.default_rng(1)
    common = rng.normal(size=260)
    two = pd.DataFrame(
        {"price": common + 0.3 * rng.normal(size=260), "volume": common}, signs_values.index
    )
    cells = {("derisking", "volume"): (0.5, inf), ("hedging", "volume"): (0.0, 0.4)}
    model = toy.spec(identification=toy.table(cells), variables=("price", "volume"))
    with pytest.raises(IdentificationError, match="the data contradict it") as refusal:
        fit_of(model, two)
    assert refusal.value.exit_code == 4
    assert "derisking.volume >= 0.5" in str(refusal.value)
    assert "hedging.volume [0, 0.4]" in str(refusal.value)
    agreed = fit_of(model, two.assign(volume=-two["volume"] + 0.5 * rng.normal(size=260)))
    assert agreed.acceptance.plausibility == 1
    assert agreed.posterior.shocks == ("derisking", "hedging")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"event_in": "scale"}, SpecError, "no scale of its own .* kind 'bvar'"),
        ({"event_in": "outside"}, SpecError, "event-in is 'outside'"),
        ({"draws": 402}, SpecError, "402 draws do not fill 4 .* ask for 404$"),
        ({"robust_draws": 6}, SpecError, "6 draws do not fill 4 chains of 100"),
        ({"robust_draws": 404}, SpecError, "404 draws"),
        (
            {"windows": (Window("late", date(2026, 2, 1), date(2026, 2, 2)),)},
            EventError,
            "window 'late'",
        ),
    ],
)
def test_settings_that_cannot_be_met_are_refused(toy, signs_values, changes, error, message):
    with pytest.raises(error, match=message):
        fit_of(toy.spec(), signs_values, **changes)


def test_gaps_and_missing_tables_are_refused(toy, signs_values):
    holed = signs_values.copy()
    holed.iloc[40, 1] = np.nan
    with pytest.raises(DataError, match="'price': no value on"):
        fit_of(toy.spec(), holed)
    leading = signs_values.copy()
    leading.iloc[:3, 0] = np.nan
    assert len(fit_of(toy.spec(), leading).time) == len(fit_of(toy.spec(), signs_values).time) - 3
    with pytest.raises(SpecError, match="needs an identification table"):
        fit_of(replace(toy.spec(), identification=None), signs_values)


def test_four_draws_are_enough_to_ask(toy, signs_values):
    found = fit_of(toy.spec(), signs_values, draws=4)
    assert found.posterior.impact.shape == (4, 1, 4, 4)
    assert np.isnan(list(found.acceptance.rhat.values())).all()


def test_the_flat_prior_is_least_squares(toy, signs_values):
    found = fit_of(toy.spec(prior=Minnesota(flat=True)), signs_values).reduced_form
    sample = signs_values.loc[:"2025-11-28"].to_numpy()
    x = np.column_stack([np.ones(len(sample) - 1), sample[:-1]])
    assert_allclose(found.mean, np.linalg.lstsq(x, sample[1:])[0], rtol=1e-7, atol=1e-9)
    assert found.dof == len(sample) - 1


def test_the_shipped_table_is_sampled_on_simulated_data():
    shipped = read_model("bvar_signs")
    rng = np.random.default_rng(0)
    cones = table_cones(shipped)
    n = len(shipped.system.variables)
    impact = cones.start(np.array([3.0, 1.5, 2.0, 1.2, 2.2, 9.0, 2.0, 1.0]), rng)
    days = pd.bdate_range(shipped.sample.start, shipped.sample.end, name="time")
    noise = pd.DataFrame(
        rng.normal(size=(len(days), n)) @ impact.T, days, list(shipped.system.variables)
    )
    found = fit_of(shipped, noise)
    assert found.acceptance.accepted == 0  # plain rejection has no chance on this table
    assert found.acceptance.plausibility > 0.9
    held = np.einsum("rv,cdvk->cdrk", cones.rows, found.posterior.impact)
    for k, own in enumerate(np.split(np.arange(len(cones.rows)), cones.ends[:-1])):
        assert (held[:, :, own, k] >= -1e-9).all()
