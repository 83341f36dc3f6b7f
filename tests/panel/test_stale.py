"""Quotes that stand still: refused in the event, and while another series moves far."""

import pytest

from attribution.errors import DataError, EventError
from attribution.panel import read_panel

STILL = ("2025-11-10", "2025-11-11", "2025-11-12")


@pytest.fixture
def stale(rows):
    """Freeze a column on these days at its value of the first."""

    def frozen(days, column="share"):
        found = rows.copy()
        value = found.loc[found["date"] == days[0], column].item()
        found.loc[found["date"].isin(days), column] = value
        return found

    return frozen


def jump(rows, day, by):
    """Move the price by a factor from a day on."""
    after = rows["date"] >= day
    moved = rows["price"].astype(float).where(~after, rows["price"].astype(float) * by)
    return rows.assign(price=moved.map("{:.4f}".format))


def refused(model, folder, kind):
    with pytest.raises(kind) as error:
        read_panel(model, folder)
    return str(error.value)


def test_three_equal_quotes_while_another_series_moves_far_are_refused(spec, write, stale):
    value = stale(STILL).set_index("date").loc[STILL[0], "share"]
    folder = write(jump(stale(STILL), "2025-11-12", 0.8))
    assert refused(spec(), folder, DataError) == (
        f"toy.csv: 'share' stands still at {float(value):g} from 2025-11-10 to 2025-11-12 while"
        " 'price' moves by more than 3 standard deviations; supply its quotes, empty stale cells,"
        " or mark the series repeats in toy.toml"
    )


def test_three_equal_quotes_on_quiet_days_are_accepted(spec, write, stale):
    assert len(read_panel(spec(), write(stale(STILL))).values)


def test_two_equal_quotes_are_accepted(spec, write, stale):
    assert len(read_panel(spec(), write(jump(stale(STILL[1:]), "2025-11-12", 0.8))).values)


def test_a_far_move_before_the_quotes_stood_still_is_no_sign(spec, write, stale):
    assert len(read_panel(spec(), write(jump(stale(STILL), "2025-11-10", 0.8))).values)


def test_quotes_that_stand_still_in_the_event_are_refused(spec, write, stale):
    days = ("2026-02-02", "2026-02-03", "2026-02-04")
    value = stale(days).set_index("date").loc[days[0], "share"]
    assert refused(spec(), write(stale(days)), EventError) == (
        f"toy.csv: 'share' stands still at {float(value):g} from 2026-02-02 to 2026-02-04, in the"
        " event; supply its quotes, remove the series from the model, or mark it repeats in"
        " toy.toml"
    )


def test_quotes_that_stand_still_after_the_event_are_no_matter_of_the_event(spec, write, stale):
    assert len(read_panel(spec(), write(stale(("2026-02-09", "2026-02-10", "2026-02-11")))).values)


def test_a_series_that_may_repeat_is_not_stale(spec, write, stale, rows):
    days = ("2026-02-03", "2026-02-04", "2026-02-05")
    model = spec(variables=("price_return", "flow"))
    assert len(read_panel(model, write(stale(days, "flow"))).values)


def test_a_series_that_the_model_does_not_read_may_stand_still(spec, write, stale):
    folder = write(jump(stale(STILL, "basis"), "2025-11-12", 0.8))
    assert len(read_panel(spec(), folder).values)


def test_missing_quotes_are_not_equal_quotes(spec, write, rows):
    gone = rows.assign(share=rows["share"].where(~rows["date"].isin(STILL), ""))
    model = spec(variables=("price_return",), auxiliary=("share_return",))
    assert len(read_panel(model, write(jump(gone, "2025-11-12", 0.8))).values)
