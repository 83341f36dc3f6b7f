"""Rivals: one more column, told apart by the series at hand or refused, and weighed."""

from dataclasses import replace

import numpy as np
import pytest

from attribution.errors import IdentificationError, SpecError
from attribution.model import read_model
from attribution.var.check.rivals import (
    read_rival,
    refuse_rival,
    rival_matters,
    rival_names,
    with_rival,
)

ROW = '{{ {claim}, reason = "a test", source = "a test" }}'


@pytest.fixture(scope="module")
def spec():
    return read_model("bvar")


def test_a_rival_is_the_last_column_and_nothing_else_changes(spec):
    found = with_rival(spec, "yen_carry")
    assert found.channels == (*spec.channels, "yen_carry")
    assert found.identification.cells[: len(spec.identification.cells)] == spec.identification.cells
    assert found.path is None, "the file no longer says what is asked"
    same = {"identification": spec.identification, "title": spec.title, "path": spec.path}
    assert replace(found, **same) == spec


@pytest.mark.parametrize(
    ("name", "channel", "mark"),
    [
        ("yen_carry", "macro_risk_off", "usdjpy_change"),
        ("october_continuation", "crypto_liquidation", "offshore_lead"),
    ],
)
def test_the_shipped_series_cannot_tell_a_shipped_rival_from_a_channel(spec, name, channel, mark):
    with pytest.raises(IdentificationError, match=channel) as raised:
        refuse_rival(with_rival(spec, name))
    assert mark in str(raised.value)


def test_the_mark_of_a_rival_tells_it_apart_once_the_series_is_there(spec, tmp_path):
    """With the yen observed, and bounded for the channel that it was taken for, it separates."""
    table = spec.identification
    yen = replace(
        table.cells[0],
        variable="usdjpy_change",
        channel="macro_risk_off",
        low=-0.05,
        high=0.1,
        center=None,
    )
    others = [replace(yen, channel=name) for name in table.names]
    seen = replace(
        spec,
        identification=replace(table, cells=(*table.cells, *others)),
        system=replace(spec.system, variables=(*spec.system.variables, "usdjpy_change")),
    )
    assert not refuse_rival(with_rival(seen, "yen_carry")).inseparable


def test_every_shipped_rival_can_be_read():
    assert rival_names() == ("october_continuation", "yen_carry")
    for name in rival_names():
        assert read_rival(name).names == (name,)


def test_an_unknown_rival_is_refused_with_the_nearest_name(spec):
    with pytest.raises(SpecError, match="yen_carry"):
        with_rival(spec, "yen_cary")


def test_a_channel_of_the_table_is_no_rival(spec):
    once = with_rival(spec, "yen_carry")
    with pytest.raises(SpecError, match="has this channel"):
        with_rival(once, "yen_carry")


def test_two_rivals_at_a_time_are_refused(tmp_path):
    cell = ROW.format(claim='sign = "-"')
    path = tmp_path / "two.toml"
    path.write_text(
        'outcome = "btc_return"\ndirection = "-"\n[channels]\na = "one"\nb = "two"\n'
        f"[cells.igv_return]\na = {cell}\n"
    )
    with pytest.raises(SpecError, match="one at a time"):
        read_rival(str(path))


def test_a_model_without_a_table_has_no_rival():
    with pytest.raises(SpecError, match="needs a model with an identification table"):
        with_rival(read_model("var"), "yen_carry")


def test_the_finding_gives_the_chance_and_what_the_others_lose():
    rng = np.random.default_rng(0)
    without, even = rng.normal([-6.0, -4.0], 0.1, (4, 500, 2)), np.ones((4, 500))

    def asked(rival, taken=0.0, weight=even, unit="log points"):
        joint = np.concatenate([without + np.array([taken, 0.0]), rival[..., None]], axis=2)
        return rival_matters(
            "y", ("a", "b"), (without, even), (joint, weight), move=-10.0, unit=unit
        )

    busy = rng.normal(-2.0, 0.3, (4, 500))
    found = asked(busy, taken=2.0)
    assert found.verdict == "holds"
    assert found.probability > 0.99
    assert "a +2.0, b +0.0" in found.evidence
    idle = rng.normal(0.0, 0.3, (4, 500))
    assert asked(idle, unit="pp").verdict == "fails"
    half = np.where(np.arange(500) < 250, busy, idle)
    assert asked(half).verdict == "undecided"
    only = np.where(np.arange(500) < 250, even, 0.0)  # weights decide which draws count
    assert asked(half, weight=only).verdict == "holds"
