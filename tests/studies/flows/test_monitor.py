"""What to watch, on the shipped data: from a model file to a table, findings and a picture."""

from datetime import date

import numpy as np
import pytest

from attribution.errors import DataError, EventError
from attribution.model import read_model
from attribution.panel import read_evidence
from attribution.studies.flows.monitor import monitor
from attribution.studies.flows.pictures import monitor_pictures


@pytest.fixture(scope="module")
def asked():
    spec = read_model("flows")
    return read_evidence(spec), spec.question


@pytest.fixture(scope="module")
def watched(asked):
    return monitor(*asked, seed=1, draws=300)


def test_published_flows_are_split_day_by_day(watched, asked):
    evidence, question = asked
    published = evidence.wide(question.net_creation)[question.focus]
    table = watched.table
    assert np.array_equal(table["published"], published.loc[table.index])
    assert table["inflow"].between(0, 1).all()
    assert (table["organic_q05"] <= table["organic_q95"]).all()
    assert (table["sum_q25"] <= table["sum_q75"]).all()


def test_the_basis_is_read_with_an_error_of_the_size_of_a_clock_mismatch(watched):
    """A tenth of a per cent between two clocks is ten basis points of a basis in price."""
    assert 5.0 < watched.basis_error < 20.0


def test_one_seed_gives_the_same_table(watched, asked):
    again = monitor(*asked, seed=1, draws=300)
    assert again.table.equals(watched.table)


def test_no_later_day_is_used(asked):
    cut = date(2026, 3, 31)
    found = monitor(*asked, seed=1, draws=60, until=cut)
    assert found.table.index[-1].date() == cut
    evidence, question = asked
    late = evidence.rows.index.get_level_values(-1) > np.datetime64(cut)
    odd = evidence.rows.copy()
    odd.loc[late, question.net_creation] *= -7.0
    changed = type(evidence)(evidence.name, odd, evidence.units, evidence.digest)
    assert monitor(changed, question, seed=1, draws=60, until=cut).table.equals(found.table)


def test_a_last_day_before_all_days_is_refused(asked):
    with pytest.raises((DataError, EventError), match="no day lies on or before 2020-01-01"):
        monitor(*asked, seed=1, until=date(2020, 1, 1))


def test_the_picture_shows_both_panels(watched):
    (picture,) = monitor_pictures(watched.table, watched.fund)
    above, below = picture.figure.axes
    assert "IBIT" in above.get_ylabel()
    assert below.get_ylim()[1] == pytest.approx(1.03)
    assert "flag" in picture.caption
