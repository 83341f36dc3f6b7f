"""Numbers to text: the rules hold, and every number on the terminal is a number of the table."""

import numpy as np
import pytest
from rich.console import Console

from attribution.errors import DataError
from attribution.report import cells, numbers

MINUS = "\u2212"


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (-14.16, 1, MINUS + "14.2"),
        (-0.04, 1, "0.0"),
        (0.0, 2, "0.00"),
        (1234.5, 0, "1,234"),
        (-1234567.0, 0, MINUS + "1,234,567"),
        (np.nan, 2, ""),
        (np.inf, 2, ""),
    ],
)
def test_a_number_has_a_true_minus_sign_and_zero_has_none(value, decimals, text):
    assert numbers.number(value, decimals) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.01"), (0.0049, "0.01"), (0.005, "0.01"), (0.5, "0.50"), (0.995, "0.99")],
)
def test_a_probability_from_draws_is_never_printed_as_certain(value, text):
    assert text in numbers.probability(value)
    assert numbers.probability(value).startswith("<") == (value < 0.005)


def test_a_probability_near_one_is_a_bound():
    assert numbers.probability(1.0).startswith(">")
    assert numbers.probability(np.nan) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.031234, "0.031"),
        (12.34, "12"),
        (0.00052, "0.00052"),
        (-4567.0, MINUS + "4,567"),
        (0, "0"),
    ],
)
def test_an_error_keeps_two_significant_digits_without_an_exponent(value, text):
    assert numbers.significant(value, 2) == text


@pytest.mark.parametrize(("error", "decimals"), [(0.2, 1), (0.006, 1), (0.005, 2), (0.0001, 2)])
def test_a_second_decimal_is_printed_only_if_the_monte_carlo_error_allows_it(run, error, decimals):
    table = run.tables["crash"].assign(mcse_mean=error)
    assert cells.decimals(table) == decimals


def test_without_a_monte_carlo_error_one_decimal_is_printed(run):
    assert cells.decimals(run.tables["crash"].assign(mcse_mean=np.nan)) == 1


@pytest.mark.parametrize("column", ["mean", "q95", "identification_strength"])
def test_a_table_without_a_column_is_refused_by_name(run, column):
    with pytest.raises(DataError, match=f"table 'crash': column '{column}' is missing"):
        cells.checked(run.tables["crash"].drop(columns=column), "crash")


def test_a_table_without_the_unattributed_row_is_refused(run):
    with pytest.raises(DataError, match="row 'unattributed' is missing"):
        cells.checked(run.tables["crash"].drop(index="unattributed"), "crash")


def test_a_column_with_words_among_its_numbers_is_refused(run):
    table = run.tables["crash"].assign(r_hat="")
    with pytest.raises(DataError, match="'r_hat' holds more than numbers; write NaN"):
        cells.checked(table, "crash")


def test_rows_run_from_the_baseline_to_the_observed_move(run):
    names = list(cells.rows(run.tables["crash"].sample(frac=1, random_state=0)))
    assert (names[0], names[-2], names[-1]) == ("baseline", "unattributed", "observed")
    assert sorted(names) == sorted(run.tables["crash"].index)


def test_per_cents_of_the_parts_add_up_to_the_simple_return(run):
    shown = cells.rows(run.tables["crash"])
    parts = sum(row["percent"] for name, row in shown.items() if name != "observed")
    assert parts == pytest.approx(100 * np.expm1(-0.1416), rel=1e-12)
    assert shown["observed"]["percent"] == pytest.approx(parts, rel=1e-12)


def test_the_terminal_shows_the_numbers_of_the_table(run):
    table = run.tables["crash"]
    console = Console(width=80)
    with console.capture() as capture:
        console.print(cells.terminal_table(table, "bvar"))
    shown = [line.split() for line in capture.get().splitlines() if line[:2] == "  "]
    lines = {words[0]: words for words in shown if words}
    for name in table.index:
        row = table.loc[name]
        wanted = [numbers.number(row[key], 1) for key in ("mean", "q05", "q95")]
        percent = cells.rows(table)[name]["percent"]
        wanted.append(numbers.per_cent(percent, 1))
        assert lines[name][1:] == " ".join(wanted).split(), name
    assert max(map(len, capture.get().splitlines())) <= 80


@pytest.mark.parametrize(
    ("strength", "words"), [(0.49, "compatible range"), (0.5, "contribution"), (np.nan, "")]
)
def test_below_one_half_a_contribution_is_called_a_compatible_range(strength, words):
    assert cells.reading({"identification_strength": strength}) == words


def test_long_names_are_wrapped_between_words():
    assert numbers.wrapped("factor_derisking_of_funds", 16) == "factor derisking\nof funds"
