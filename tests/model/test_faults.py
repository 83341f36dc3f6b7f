"""All faults of a model file at once, a sentence a line, and none that is only a consequence."""

from itertools import combinations
from pathlib import Path

import pytest

from attribution.errors import AttributionError, IdentificationError, SpecError
from attribution.model import model_from, read_model

VALID = (Path(__file__).parent / "valid.toml").read_text(encoding="utf-8")
SVAR = (Path(__file__).parent / "valid_svar.toml").read_text(encoding="utf-8")
FAULTS = {
    "unknown key": ("lags = 1", "lags = 1\nspeed = 2", "[system]: unknown key 'speed'"),
    "no date": ("end = 2026-02-06\n", 'end = "soon"\n', "[sample]: end = 'soon' is not a date"),
    "no title": ('title = "A small model"', 'title = ""', "title = '' is not a non-empty text"),
    "typo of a test": (
        '[[exposures]]\nchannel = "risk"',
        '[[exposures]]\nchannel = "rsk"',
        "[[exposures]] channel 'rsk' is unknown (nearest: 'risk')",
    ),
    "sign": ('sign = "-", reason', 'sign = "?", reason', "sign = '?' is not '+', '-' or '0'"),
    "no source": (
        'reason = "no leg in equities", source = "own"',
        'reason = "no leg in equities"',
        "[native]: key 'source' is missing; add it",
    ),
    "window": ("start = 2026-02-05", "start = 2026-02-07", "it ends before it starts"),
}
"""What stands in the valid file, what replaces it, and what is said of that."""
CONTROLS = """
schema = 1
kind = "counterfactual"
title = "what if"
[sample]
[event]
outcome = "y"
[[event.windows]]
name = "w"
start = 2020-03-01
end = 2020-03-10
[counterfactual]
form = "returns"
pre = [2019-01-01, 2020-02-01]
[controls]
columns = ["x"]
"""


def refused(text, read=model_from):
    with pytest.raises(AttributionError) as refusal:
        read(text)
    return refusal.value


def with_faults(names, text=VALID):
    for name in names:
        old, new, _ = FAULTS[name]
        assert text.count(old) >= 1, name
        text = text.replace(old, new, 1)
    return text


@pytest.mark.parametrize("pair", [*combinations(FAULTS, 2)], ids=" and ".join)
def test_two_faults_of_a_file_are_two_sentences(pair):
    lines = str(refused(with_faults(pair))).split("\n")
    for name in pair:
        assert sum(FAULTS[name][2] in line for line in lines) == 1, (name, lines)
    assert len(lines) == 2, lines
    assert all(";" in line for line in lines)


def test_five_faults_in_five_places_are_told_in_one_round():
    names = ("unknown key", "no date", "no title", "sign", "no source")
    found = refused(with_faults(names))
    assert isinstance(found, SpecError) and found.exit_code == SpecError.exit_code
    assert len(found.faults) == len(names)
    assert [str(one) for one in found.faults] == str(found).split("\n")
    for name in names:
        assert any(FAULTS[name][2] in str(one) for one in found.faults), name


def test_one_fault_is_itself_and_one_sentence():
    found = refused(with_faults(["sign"]))
    assert found.faults == ()
    assert "\n" not in str(found)


def test_every_cell_with_a_fault_is_named():
    text = VALID.replace("cells.igv_return]", "cells.igv_retrun]") + "\n"
    text += '[identification.cells.vix_chnge]\nrisk = { sign = "+", reason = "r", source = "s" }\n'
    lines = str(refused(text)).split("\n")
    assert ["igv_retrun" in lines[0], "vix_chnge" in lines[1], len(lines)] == [True, True, 2]
    assert "nearest: 'vix_change'" in lines[1]


def test_what_cannot_be_read_is_not_held_against_the_rest():
    """Without variables no outcome, cell or exposure can be judged: that is one fault."""
    text = VALID.replace('variables = ["btc_return", "igv_return", "vix_change"]', "variables = 3")
    assert str(refused(text)).count("\n") == 0
    misspelt = VALID.replace("variables = [", "varables = [")
    assert str(refused(misspelt)) == (
        "model: [system]: unknown key 'varables' (nearest: 'variables'); correct or remove it"
    )


def test_a_contradiction_is_found_beside_a_fault_elsewhere():
    text = SVAR.replace("output.demand = {", 'output.demand = [{ sign = "-" }, {', 1)
    text = text.replace("horizons = [0, 3] }", "horizons = [0, 3] }]", 1)
    assert isinstance(refused(text), IdentificationError)
    both = refused(text.replace('title = "A small structural model"', "title = 4"))
    assert [type(one) for one in both.faults] == [SpecError, IdentificationError]


def test_a_reason_that_the_table_should_give_is_missed_once_and_that_of_a_few_cells_each():
    without = SVAR.replace('reason = "what textbooks agree on"\n', "")
    assert str(refused(without)).count("\n") == 0
    assert "key 'reason' is missing; add it" in str(refused(without))
    cells = VALID.replace(', reason = "equities fall"', "").replace(
        ', reason = "no leg in equities"', ""
    )
    assert str(refused(cells)).count("key 'reason' is missing") == 1  # none of the cells has one


def test_a_study_and_a_file_are_read_alike(tmp_path):
    assert model_from(CONTROLS).kind == "counterfactual"
    text = CONTROLS.replace('title = "what if"', "title = 1").replace("[sample]", "[sample]\nx = 1")
    text = text.replace('columns = ["x"]', "columns = 3").replace("pre = [", "pre = 5 # [")
    path = tmp_path / "model.toml"
    path.write_text(text, encoding="utf-8")
    for found in (refused(text), refused(str(path), read_model)):
        said = str(found)
        assert said.count("\n") == 3
        for part in ("title = 1", "unknown key 'x'", "columns = 3", "pre is not the first"):
            assert part in said


def test_the_command_line_gives_each_fault_a_line(attribution, tmp_path):
    path = tmp_path / "model.toml"
    path.write_text(with_faults(["unknown key", "no date"]), encoding="utf-8")
    code, out, err = attribution("check", path)
    lines = err.strip().split("\n")
    assert (code, out, len(lines)) == (SpecError.exit_code, "", 2)
    for line, name in zip(lines, ("unknown key", "no date"), strict=True):
        assert line.startswith("attribution: model.toml: ")
        assert FAULTS[name][2] in line
