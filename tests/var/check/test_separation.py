"""A table in words: what it separates, what it refuses, and what it tells the reader."""

import math

import pytest

from attribution.errors import IdentificationError
from attribution.model import model_names, read_model
from attribution.model.restriction import Cell, Channel, Identification
from attribution.model.spec import ModelSpec
from attribution.var.check.separation import describe, refuse_inseparable, separate

INF = math.inf
CORE = ("price", "software", "volatility")
ALL = (*CORE, "open_interest")


def table(**channels):
    """Build a table: channel={series: (low, high)}."""
    return Identification(
        name="toy",
        path=None,
        outcome="price",
        direction=-1,
        channels=tuple(Channel(name, name) for name in channels),
        cells=tuple(
            Cell(channel, variable, low, high, reason="toy", source="toy")
            for channel, cells in channels.items()
            for variable, (low, high) in cells.items()
        ),
    )


TOY = table(
    derisking={"software": (-INF, -0.4), "volatility": (0.0, INF)},
    hedging={"software": (-0.1, 0.1), "volatility": (0.2, INF), "open_interest": (-0.2, 0.2)},
    liquidation={"software": (-0.1, 0.1), "open_interest": (-INF, -0.6)},
)


def pair(separation, *names):
    return next(p for p in separation.pairs if p.names == names)


def test_a_pair_is_told_apart_by_the_cells_that_exclude_each_other():
    found = pair(separate(TOY, core=CORE, variables=ALL), "derisking", "hedging")
    assert found.slack_core == found.slack_all == 0.0
    assert found.alone == ("software",)
    assert {(cell.channel, cell.variable) for cell in found.cells} == {
        ("derisking", "software"),
        ("hedging", "software"),
    }


def test_core_and_auxiliary_series_are_counted_apart():
    separation = separate(TOY, core=CORE, variables=ALL)
    assert separation.inseparable == ()
    assert [p.names for p in separation.inseparable_by_core] == [("hedging", "liquidation")]
    assert pair(separation, "hedging", "liquidation").alone == ("open_interest",)
    refuse_inseparable(separation)


def test_an_inseparable_pair_is_refused_with_the_series_that_could_separate_it():
    separation = separate(TOY, core=CORE, variables=CORE)
    with pytest.raises(
        IdentificationError,
        match=r"table 'toy': one shock can satisfy every cell of 'hedging' and of 'liquidation'"
        r".*bound the response of 'volatility' for both, or merge the two",
    ) as refusal:
        refuse_inseparable(separation)
    assert refusal.value.exit_code == 4


def test_overlapping_bounds_on_every_series_are_refused_too():
    both = {"software": (-0.1, 0.1), "volatility": (0.0, INF)}
    separation = separate(table(a=both, b=both), core=CORE, variables=CORE)
    with pytest.raises(IdentificationError, match="make their bounds on one series disjoint"):
        refuse_inseparable(separation)


def test_contradictory_cells_are_refused_by_name():
    cells = table(a={"software": (0.4, INF)}, b={"software": (-INF, 0.0)})
    extra = Cell("a", "software", -INF, 0.1, reason="toy", source="toy")
    broken = Identification(**{**vars(cells), "cells": (*cells.cells, extra)})
    separation = separate(broken, core=CORE, variables=CORE)
    assert list(separation.infeasible) == ["a"]
    with pytest.raises(
        IdentificationError,
        match=r"channel 'a': no shock can satisfy a.software >= 0.4, a.software <= 0.1 together",
    ):
        refuse_inseparable(separation)


def test_cells_on_series_the_model_does_not_observe_do_not_count():
    narrow = separate(TOY, core=CORE, variables=CORE)
    kept = tuple(cell for cell in TOY.cells if cell.variable in CORE)
    same = separate(Identification(**{**vars(TOY), "cells": kept}), core=CORE, variables=CORE)
    assert narrow == same


def test_the_description_has_a_row_for_every_pair_and_every_masquerade():
    separation = separate(TOY, core=CORE, variables=ALL)
    rows = describe(separation)
    assert len(rows) == 3 + 3
    assert rows[0] == ("derisking | hedging", "separated", "each alone: software")
    assert rows[2][1] == "by auxiliary series only"
    assert {row[0] for row in rows[3:]} == {f"others as {name}" for name in TOY.names}
    lonely = describe(separate(TOY, core=CORE, variables=CORE))
    assert lonely[2][1] == "not separated"
    assert "'volatility'" in lonely[2][2]


def test_bounds_that_touch_are_called_so():
    edge = table(a={"software": (-INF, -0.4)}, b={"software": (-0.4, 0.1)})
    row = describe(separate(edge, core=CORE, variables=CORE))[0]
    assert row[1] == "separated"
    assert row[2].startswith("each alone: software; their bounds touch")
    assert "touch" not in describe(separate(TOY, core=CORE, variables=ALL))[0][2]


VARS = [name for name in model_names() if isinstance(read_model(name), ModelSpec)]


@pytest.mark.parametrize("name", VARS)
def test_the_table_of_every_shipped_model_separates_every_pair_of_channels(name):
    spec = read_model(name)
    if spec.identification is None:
        assert spec.kind == "var"  # recursive: the order of the variables is the identification
        return
    observed = (*spec.system.variables, *spec.system.auxiliary)
    separation = separate(spec.identification, core=spec.system.variables, variables=observed)
    refuse_inseparable(separation)
    assert separation.infeasible == {}
    assert set(separation.masquerade) == set(spec.channels)
    assert not {cell.variable for pair in separation.pairs for cell in pair.cells} & set(
        spec.system.tests
    )
