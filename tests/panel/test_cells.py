"""A data file that disagrees with its card, or with itself, is refused in one sentence."""

import pytest

from attribution.errors import DataError
from attribution.panel import read_frame, read_panel

HEADER = "date,price,share,basis,flow,days\n"
ROW = "2026-02-05,100,40,6,10,5\n"


@pytest.fixture
def refusal(tmp_path, card):
    """Read a file of this content and return the sentence that refuses it."""

    def read(content, text=None):
        raw = content.encode() if isinstance(content, str) else content
        (tmp_path / "toy.csv").write_bytes(raw)
        (tmp_path / "toy.toml").write_text(text or card(), encoding="utf-8")
        with pytest.raises(DataError) as refused:
            read_frame("toy", tmp_path)
        return str(refused.value)

    return read


def test_an_empty_file_is_refused(refusal):
    assert refusal("") == "toy.csv: an empty file; add a header and the observations"


def test_a_header_without_rows_is_refused(refusal):
    assert refusal(HEADER) == "toy.csv: a header without rows; add the observations"


def test_a_file_that_is_no_text_is_refused(refusal):
    assert refusal(b"\xff\xfe\x00\x01") == "toy.csv: not a text file; save it as CSV in UTF-8"


def test_broken_quotes_are_refused(refusal):
    found = refusal(HEADER + '2026-02-05,"100"x,40,6,10,5\n')
    assert found.startswith("toy.csv: not valid CSV (")
    assert found.endswith("); correct its quoting")


def test_a_ragged_row_is_refused(refusal):
    assert refusal(HEADER + ROW + "2026-02-06,100,40\n") == (
        "toy.csv: row 2 (2026-02-06) has 3 cells, the header 6; correct the row"
    )


def test_a_column_that_appears_twice_is_refused(refusal):
    assert refusal("date,price,price,share,basis,flow,days\n2026-02-05,1,1,1,1,1,1\n") == (
        "toy.csv: column 'price' appears twice; remove or rename one"
    )


def test_a_column_without_a_description_is_refused(refusal):
    content = HEADER.replace("flow", "flow,flows") + "2026-02-05,100,40,6,10,10,5\n"
    assert refusal(content) == (
        "toy.csv: column 'flows' is not described in toy.toml (nearest: 'flow'); add [series.flows]"
        " with its unit, or remove the column"
    )


def test_a_description_without_a_column_is_refused(refusal):
    assert refusal("date,price,shares,basis,flow,days\n" + ROW) == (
        "toy.csv: column 'share' of toy.toml is not in the file (nearest: 'shares'); add it or"
        " correct the card"
    )


@pytest.mark.parametrize("cell", ["n/a", "nan", "inf", "(373.4)", "1_000", "12 %"])
def test_a_cell_that_is_no_finite_number_is_refused(refusal, cell):
    assert refusal(HEADER + ROW + f"2026-02-06,100,40,6,{cell},5\n") == (
        f"toy.csv: column 'flow': '{cell}' on row 2 (2026-02-06) is not a finite number; correct"
        " it, or leave the cell empty if nothing was observed"
    )


def test_a_thousands_separator_is_refused(refusal):
    assert "'1,000' on row 1" in refusal(HEADER + '2026-02-05,"1,000",40,6,10,5\n')


def test_an_empty_cell_stays_missing(tmp_path, card):
    (tmp_path / "toy.csv").write_text(HEADER + "2026-02-05,100,,6,10,5\n")
    (tmp_path / "toy.toml").write_text(card())
    assert read_frame("toy", tmp_path).isna().sum().to_dict() == {
        **{"price": 0, "share": 1, "basis": 0, "flow": 0, "days": 0}
    }


def test_a_byte_order_mark_and_windows_line_ends_are_no_obstacle(tmp_path, card):
    text = "\ufeff" + (HEADER + ROW).replace("\n", "\r\n")
    (tmp_path / "toy.csv").write_bytes(text.encode())
    (tmp_path / "toy.toml").write_text(card())
    assert read_frame("toy", tmp_path)["price"].to_list() == [100.0]


def test_identical_rows_are_dropped_and_the_repair_is_recorded(spec, write, rows):
    twice = rows.loc[[*rows.index[:30], 29, *rows.index[30:]]]
    panel, clean = read_panel(spec(), write(twice)), read_panel(spec(), write(rows))
    day = rows["date"].iloc[29]
    assert panel.repairs == (f"toy.csv: dropped 1 row(s) repeated value by value ({day})",)
    assert clean.repairs == ()
    assert panel.values.equals(clean.values)


def test_rows_that_contradict_each_other_are_refused_and_both_values_shown(refusal):
    assert refusal(HEADER + ROW + ROW.replace(",40,", ",41,")) == (
        "toy.csv: 2026-02-05 appears twice with different values (share = 40.0 and 41.0); keep the"
        " right row"
    )


def test_rows_out_of_order_are_sorted_and_said(spec, write, rows):
    for order in (rows.iloc[::-1], rows.sample(frac=1.0, random_state=1)):
        panel = read_panel(spec(), write(order))
        assert panel.repairs == ("toy.csv: its rows stood out of order; sorted by time",)
        assert panel.values.equals(read_panel(spec(), write(rows)).values)


def test_a_size_that_no_unit_explains_is_refused(refusal):
    content = HEADER + "".join(f"2026-02-0{day},100,40,0.0{day},10,5\n" for day in (4, 5, 6))
    assert refusal(content) == (
        "toy.csv: 'basis' is typically 0.05, outside 0.5 to 500 that toy.toml expects of percent a"
        " year; convert the file or correct the unit"
    )


def test_a_few_wild_values_do_not_hide_the_unit(refusal):
    # the mean of the absolute values would be 5, inside the range
    content = HEADER + "".join(
        f"2026-02-0{day},100,40,{basis},10,5\n"
        for day, basis in ((3, 0.05), (4, 0.04), (5, 19.8), (6, 0.06))
    )
    assert "'basis' is typically 0.055" in refusal(content)


def test_zeros_say_nothing_about_the_unit(tmp_path, card):
    content = HEADER + "".join(
        f"2026-02-0{d},100,40,{b},10,5\n" for d, b in ((4, 0), (5, 0), (6, 6))
    )
    (tmp_path / "toy.csv").write_text(content)
    (tmp_path / "toy.toml").write_text(card())
    assert len(read_frame("toy", tmp_path)) == 3
