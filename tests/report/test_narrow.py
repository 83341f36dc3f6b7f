"""Tables of a study on a narrow terminal: numbers whole, words whole, no line beyond the edge."""

import io

import pandas as pd
import pytest
from rich.console import Console

from attribution.report.answers import answer_cells, grid

ROW = {"sd": 1.0, "q05": -16.0, "q95": -6.1, "unit": "USD million", "p": 0.25}
TABLE = pd.DataFrame.from_dict(
    {
        "flow/without overlay": {"mean": -11.0, **ROW, "estimand": "hedge flow, no vega sold"},
        "shock+crash/unexplained": {"mean": 3.2, **ROW, "estimand": "seen less counterfactual"},
    },
    orient="index",
)


@pytest.mark.parametrize("room", [80, 100, 140])
def test_no_word_and_no_number_is_cut_and_no_line_is_too_long(room, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(room))
    written = io.StringIO()
    console = Console(file=written, width=room, highlight=False)
    console.print(grid("answers", *answer_cells(TABLE, brief=True)))
    text = written.getvalue()
    assert all(len(line) <= room for line in text.splitlines())
    words = set(text.split())
    assert {"hedge", "flow,", "vega", "sold", "seen", "counterfactual", "million"} <= words
    assert "…" not in text and "\N{MINUS SIGN}11.0" in text
