"""Every refusal of the grammar: one faulty file each, its expected sentence on the first line."""

from pathlib import Path

import pytest

from attribution.errors import IdentificationError, SpecError
from attribution.model import read_model

HERE = Path(__file__).parent
BROKEN = sorted((HERE / "broken").glob("*.toml"))


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_faulty_file_is_refused_with_its_sentence(path, tmp_path):
    expected, text = path.read_text(encoding="utf-8").split("\n", 1)
    # every file is read under one name, so that the expected sentence need not repeat its own
    file = tmp_path / "broken.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises((SpecError, IdentificationError)) as refusal:
        read_model(str(file))
    sentence = str(refusal.value)
    assert expected.removeprefix("# ") in sentence
    assert ";" in sentence, "say what to do"
    assert "\n" not in sentence


def test_the_file_without_a_fault_is_accepted():
    spec = read_model(str(HERE / "valid.toml"))
    assert spec.channels == ("risk", "native")
    assert spec.event.hold_out == (spec.event.start, spec.event.end)


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_no_fault_is_listed_twice(path):
    others = [other.read_text(encoding="utf-8") for other in BROKEN if other != path]
    body = path.read_text(encoding="utf-8").split("\n", 1)[1]
    assert all(other.split("\n", 1)[1] != body for other in others)


def test_the_exit_code_of_a_refused_model_is_two():
    assert SpecError.exit_code == 2
