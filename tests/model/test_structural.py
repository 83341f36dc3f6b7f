"""What a structural model file says is what its specification holds."""

import math
import tomllib
from copy import deepcopy
from datetime import date
from pathlib import Path

import pytest

from attribution.errors import IdentificationError, SpecError
from attribution.model import model_from, read_model
from attribution.model.restriction import Cell, Response
from attribution.model.spec import NEVER

VALID = Path(__file__).parent / "valid_svar.toml"
TEXT = VALID.read_text(encoding="utf-8")


@pytest.fixture
def said():
    """Return the valid file as a mapping, to be changed."""
    return deepcopy(tomllib.loads(TEXT))


@pytest.fixture
def bare(said):
    """Build a model of three variables from its [identification] alone, and further sections."""

    def built(identification, **sections):
        said.pop("event")
        said.pop("errors")
        said["prior"] = {}
        return model_from({**said, "identification": identification, **sections})

    return built


def rows(table, **more):
    return {"reason": "r", "source": "s", **table, **more}


def test_a_file_a_text_and_a_mapping_say_the_same(said):
    spec = read_model(str(VALID))
    assert model_from(TEXT, "valid_svar") == model_from(said, "valid_svar")
    assert spec.path == VALID and model_from(TEXT).path is None
    assert model_from(TEXT).name == "model"
    assert model_from(TEXT).identification.cells == spec.identification.cells


def test_a_text_that_is_no_toml_is_refused():
    with pytest.raises(SpecError, match=r"^mine: not valid TOML \(.*\); correct that line$"):
        model_from("schema = ", "mine")


def test_the_label_of_a_period_is_its_first_day():
    spec = read_model(str(VALID))
    assert (spec.sample.start, spec.sample.end) == (date(1965, 1, 1), date(2007, 11, 1))
    assert spec.event.hold_out == (date(1979, 10, 1), date(1979, 10, 1))
    assert spec.errors.outliers == (date(1973, 12, 1), date(1987, 10, 1))


def test_law_prior_and_horizons_are_read():
    spec = read_model(str(VALID))
    assert (spec.errors.law, spec.errors.dof) == ("student_t", 5.0)
    assert spec.prior.hierarchical
    assert (spec.prior.sum_of_coefficients, spec.prior.single_unit_root) == (1.0, 1.0)
    assert spec.system.horizons == 24
    assert spec.channels == ("demand", "supply", "policy")


def test_cells_carry_horizons_units_and_the_common_reason():
    table = read_model(str(VALID)).identification
    common = ("what textbooks agree on", "own")
    assert table.cells == (
        Cell("demand", "output", 0.0, math.inf, *common, first=0, last=3, per="shock"),
        Cell("supply", "output", 0.0, math.inf, *common, per="shock"),
        Cell("supply", "output", -math.inf, 0.5, *common, first=12, last=24, per="prices"),
        Cell("policy", "output", -2.0, -0.1, *common, first=6, last=6, per="rate"),
        Cell("demand", "prices", 0.0, math.inf, *common, per="shock"),
        Cell("supply", "prices", -math.inf, 0.0, *common, first=0, last=1, per="shock"),
        Cell("policy", "prices", -math.inf, 0.0, "dear money", "a book", last=5, per="shock"),
        Cell("demand", "rate", 0.0, math.inf, *common, per="shock"),
        Cell("policy", "rate", 0.0, math.inf, *common, per="shock"),
    )
    assert (table.outcome, table.direction, table.reading) == ("rate", 0, "conditional")
    assert not table.elastic


def test_claims_beyond_cells_are_typed():
    table = read_model(str(VALID)).identification
    (ranking,), (share,), (positive, large) = table.rankings, table.shares, table.narratives
    assert ranking.larger == Response("supply", "prices", 0, 1)
    assert ranking.smaller == Response("policy", "prices", 0, 1)
    assert (ranking.factor, ranking.absolute) == (1.5, True)
    assert (share.channel, share.variable, share.horizon) == ("policy", "output", 12)
    assert (share.low, share.high) == (0.0, 0.4)
    assert (positive.claim, positive.to, positive.start) == ("positive", None, date(1979, 10, 1))
    assert (large.claim, large.to) == ("overwhelming", "rate")
    assert (large.start, large.end) == (date(1980, 11, 1), date(1980, 12, 1))


def test_a_table_with_a_direction_measures_per_unit_of_its_outcome(bare):
    cells = {"output": {"demand": {"at_least": 0.5}}, "rate": {"demand": {"sign": "-"}}}
    table = rows({"channels": {"demand": "d"}, "cells": cells}, outcome="prices", direction="+")
    spec = bare(table)
    assert [cell.per for cell in spec.identification.cells] == ["outcome", "outcome"]
    assert spec.identification.elastic
    assert spec.event.outcome == "prices"


def test_without_an_event_nothing_is_asked_and_nothing_held_out(bare):
    spec = bare({"scheme": "recursive"})
    assert not spec.event.asked and spec.event.hold_out == (NEVER, NEVER)
    assert spec.event.outcome == "output"
    assert spec.channels == ("output", "prices", "rate")


@pytest.mark.parametrize(
    ("identification", "channels"),
    [
        ({"scheme": "recursive", "order": ["rate", "prices", "output"]}, "rate prices output"),
        ({"scheme": "long_run", "shocks": ["supply", "demand", "money"]}, "supply demand money"),
        (
            {"scheme": "heteroskedasticity", "breaks": [date(1979, 10, 1)]},
            "shock_1 shock_2 shock_3",
        ),
        (
            {"scheme": "heteroskedasticity", "breaks": ["1979-10"], "shocks": ["a", "b", "c"]},
            "a b c",
        ),
        (
            {
                "scheme": "proxy",
                "instruments": [
                    {"channel": "policy", "column": name, "reason": "r"} for name in ("m", "n")
                ],
            },
            "policy",
        ),
    ],
)
def test_channels_are_named_by_the_scheme(bare, identification, channels):
    assert bare(identification).channels == tuple(channels.split())


def test_shocks_of_independent_laws_need_no_table(bare):
    spec = bare({"scheme": "non_gaussian"}, errors={"law": "independent_t"})
    assert spec.channels == ("shock_1", "shock_2", "shock_3")


def test_shocks_with_volatilities_of_their_own_need_no_table(bare):
    spec = bare({}, errors={"law": "stochastic_volatility"})
    assert spec.channels == ("shock_1", "shock_2", "shock_3")
    assert spec.identification is None


def test_an_instrument_is_a_column_that_the_panel_must_hold(bare):
    spec = bare(
        {"scheme": "proxy", "instruments": [{"channel": "p", "column": "m", "reason": "r"}]}
    )
    assert spec.columns == ("output", "prices", "rate", "m")


def test_a_model_file_adds_narratives_to_a_table_in_a_file_of_its_own(tmp_path):
    start, end = TEXT.index("[identification]\n"), TEXT.index("[[identification.rankings]]")
    table = TEXT[start:end].replace("[identification]\n", "").replace("identification.", "")
    table = table.replace('reading = "conditional"\n', "")
    (tmp_path / "mine.toml").write_text(table, encoding="utf-8")
    here = '[identification]\ntable = "mine.toml"\nreading = "conditional"\nreason = "r"\n'
    model = TEXT[:start] + here + 'source = "s"\n\n' + TEXT[end:]
    (tmp_path / "model.toml").write_text(model, encoding="utf-8")
    found = read_model(str(tmp_path / "model.toml")).identification
    inline = read_model(str(VALID)).identification
    assert found.cells == inline.cells
    assert [row.claim for row in found.narratives] == ["positive", "overwhelming"]
    assert found.reading == "conditional" and found.narratives[0].reason == "r"


SIGN = {"+": {"sign": "+"}, "-": {"sign": "-"}, "0": {"sign": "0"}}


@pytest.mark.parametrize(
    ("first", "other", "apart"),
    [
        # output and prices, for two channels
        ("++", "+-", True),
        ("++", "--", False),
        ("+ ", " +", False),
        ("+ ", "+ ", False),
        ("0+", " +", True),
        ("0+", "0+", False),
        ("0+", "++", True),
    ],
)
def test_two_channels_must_differ_whatever_the_sign_of_their_shock(bare, first, other, apart):
    cells = {"output": {}, "prices": {}}
    for channel, signs in (("one", first), ("two", other)):
        for variable, sign in zip(cells, signs, strict=True):
            if sign != " ":
                cells[variable][channel] = SIGN[sign]
    table = rows({"channels": {"one": "1", "two": "2"}, "cells": cells})
    if apart:
        assert bare(table).channels == ("one", "two")
    else:
        with pytest.raises(IdentificationError, match="trade labels"):
            bare(table)


@pytest.mark.parametrize(
    "more",
    [
        {"narratives": [{"channel": "one", "claim": "positive", "date": "1979-10"}]},
        {
            "variance_shares": [
                {"channel": "two", "variable": "rate", "horizon": 0, "at_least": 0.5}
            ]
        },
        {
            "rankings": [
                {
                    "larger": {"channel": "one", "variable": "rate"},
                    "smaller": {"channel": "two", "variable": "rate"},
                }
            ]
        },
    ],
    ids=["narrative", "share", "ranking"],
)
def test_any_claim_on_one_of_two_channels_tells_them_apart(bare, more):
    cells = {"output": {"one": SIGN["+"], "two": SIGN["+"]}}
    table = rows({"channels": {"one": "1", "two": "2"}, "cells": cells}, **more)
    assert bare(table).channels == ("one", "two")


def test_ratios_to_a_response_do_not_turn_with_the_shock(bare):
    # one shock raises prices by at least as much as output, the other by less than half
    cells = {
        "output": {"one": SIGN["+"], "two": SIGN["+"]},
        "prices": {
            "one": {"at_least": 1.0, "per": "output"},
            "two": {"between": [-0.5, 0.5], "per": "output"},
        },
    }
    assert bare(rows({"channels": {"one": "1", "two": "2"}, "cells": cells})).channels


def test_zeros_of_a_recursive_order_are_feasible(bare):
    cells = {
        "output": {"two": SIGN["0"], "three": SIGN["0"], "one": SIGN["+"]},
        "prices": {"three": SIGN["0"], "two": SIGN["+"]},
        "rate": {"three": SIGN["+"]},
    }
    names = {name: name for name in ("one", "two", "three")}
    assert bare(rows({"channels": names, "cells": cells})).channels == tuple(names)


def test_the_largest_of_many_may_still_be_less_than_the_sum_of_the_others(bare):
    said = {"channel": "one", "to": "rate", "date": "1979-10"}
    both = [{**said, "claim": claim} for claim in ("largest", "negligible")]
    table = rows({"channels": {"one": "1"}, "cells": {}}, narratives=both)
    assert len(bare(table).identification.narratives) == 2


@pytest.mark.parametrize("law", ["independent_t", "stochastic_volatility"])
def test_a_table_may_name_the_shocks_of_a_law_per_shock(bare, law):
    cells = {"output": {"one": SIGN["+"]}}
    spec = bare(rows({"channels": {"one": "1"}, "cells": cells}), errors={"law": law})
    assert (spec.errors.law, spec.scheme.name) == (law, "restrictions")


JUNK = [None, True, -1, 0, 1.5, math.nan, math.inf, "", "x", "1979-10", "0", [], [1], ["x"], {}]
JUNK += [[1, 2, 3], [[]], {"x": 1}, {"demand": {}}, date(1979, 10, 1), ["1979-10", "1979-11"]]


def leaves(value, path=()):
    """Every place in a nested mapping or list."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in inside:
        yield (*path, key)
        if isinstance(item, dict | list):
            yield from leaves(item, (*path, key))


def test_whatever_stands_anywhere_is_accepted_or_refused_in_one_sentence(said):
    places, accepted = list(leaves(said)), 0
    assert len(places) > 100
    for *way, last in places:
        for junk in JUNK:
            text = deepcopy(said)
            at = text
            for key in way:
                at = at[key]
            at[last] = junk
            try:
                model_from(text)
                accepted += 1
            except (SpecError, IdentificationError) as refusal:
                lines = str(refusal).split("\n")  # a section of another kind lacks all its keys
                assert all(";" in line for line in lines), (way, last, junk)
    assert accepted < len(places) * len(JUNK) / 4


def test_tuples_stand_for_lists_in_a_mapping(bare):
    cells = {"output": {"one": ({"sign": "+", "horizons": (0, 2)},)}}
    (cell,) = bare(rows({"channels": {"one": "1"}, "cells": cells})).identification.cells
    assert (cell.first, cell.last) == (0, 2)
