"""Names and paths of models and tables, and what a specification derives from them."""

from dataclasses import replace
from pathlib import Path

import pytest

from attribution.content import content
from attribution.errors import SpecError
from attribution.model import model_names, read_model
from attribution.model.read import check_model
from attribution.model.table import read_table

VALID = Path(__file__).parent / "valid.toml"


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(
        SpecError, match=r"model 'bvr': unknown \(nearest: 'bvar'\); name a shipped"
    ):
        read_model("bvr")


def test_a_path_without_a_file_is_refused(tmp_path):
    with pytest.raises(SpecError, match=r"mine\.toml': no such file; check the path"):
        read_model(str(tmp_path / "mine.toml"))


def test_a_table_without_a_file_is_refused(tmp_path):
    with pytest.raises(SpecError, match=r"table 'mine\.toml': no such file; check the path"):
        read_table("mine.toml", tmp_path)


def test_a_table_beside_the_model_file_is_read_relative_to_it(tmp_path):
    text = VALID.read_text(encoding="utf-8")
    start, end = text.index("[identification]\n"), text.index("[[exposures]]")
    cells = text[start:end].replace("[identification]\n", "").replace("identification.", "")
    (tmp_path / "mine.toml").write_text(cells, encoding="utf-8")
    (tmp_path / "model.toml").write_text(
        text[:start] + '[identification]\ntable = "mine.toml"\n\n' + text[end:], encoding="utf-8"
    )
    spec, inline = read_model(str(tmp_path / "model.toml")), read_model(str(VALID))
    assert spec.identification.name == "mine"
    assert spec.identification.cells == inline.identification.cells
    assert spec.identification.channels == inline.identification.channels


def test_a_sensitivity_analysis_is_a_value_and_is_checked_like_a_file():
    spec = read_model(str(VALID))
    other = replace(spec, event=replace(spec.event, outcome="gold_return"))
    with pytest.raises(SpecError, match="'gold_return' is not among"):
        check_model(other)


def test_the_columns_of_a_model_are_all_it_names_each_once():
    spec = read_model(str(VALID))
    assert spec.columns == (
        *("btc_return", "igv_return", "vix_change"),
        *("ibit_net_creation", "lagged_log_vix"),
    )
    assert spec.predetermined == ("lagged_log_vix",)


def test_a_recursive_model_names_its_channels_after_its_variables():
    spec = read_model("var")
    assert spec.identification is None
    assert spec.channels == spec.system.variables


@pytest.mark.parametrize(
    ("claim", "low", "high", "printed", "signed"),
    [
        ('sign = "-"', -float("inf"), 0.0, "-", True),
        ('sign = "+"', 0.0, float("inf"), "+", True),
        ("at_least = 0.5", 0.5, float("inf"), ">= 0.5", True),
        ("at_most = -0.5", -float("inf"), -0.5, "<= -0.5", True),
        ("at_most = 0.5", -float("inf"), 0.5, "<= 0.5", False),
        ("between = [-0.5, 1]", -0.5, 1.0, "[-0.5, 1]", False),
    ],
)
def test_a_claim_becomes_bounds_of_an_elasticity(claim, low, high, printed, signed, tmp_path):
    path = tmp_path / "t.toml"
    path.write_text(
        'outcome = "y"\ndirection = "-"\n[channels]\na = "a channel"\n[cells.x]\n'
        f'a = {{ {claim}, reason = "r", source = "s" }}\n',
        encoding="utf-8",
    )
    (cell,) = read_table("t.toml", tmp_path).cells
    assert (cell.low, cell.high, cell.claim, cell.signed) == (low, high, printed, signed)


def test_only_models_are_listed_as_models_and_tables_stand_apart():
    assert {"bvar", "bvar_signs", "coarse", "factor", "var"} < set(model_names())
    assert not {"bitcoin", "essay", "yen_carry"} & set(model_names())
    tables = content("models") / "tables"
    assert sorted(path.name for path in tables.iterdir()) == [
        "bitcoin.toml",
        "coarse.toml",
        "rivals",
    ]
