"""What reaches a screen, a spreadsheet or a figure is text, whatever names and titles hold."""

import io
import logging
import warnings

import numpy as np
import pandas as pd
import pytest

from attribution.report.numbers import csv_text, harmless
from attribution.report.style import drawing, figure, png_bytes, svg_bytes
from attribution.screen import clock, console_of, echo, live, one_line, quiet, told, visible

STEERING = "red\x1b[31m bell\x07 back\x08 csi\x9b turn\u202e zero\0 return\r end"
WRITTEN = r"red\x1b[31m bell\x07 back\x08 csi\x9b turn\u202e zero\x00 return\r end"


def test_control_characters_are_written_out_and_letters_stay():
    assert visible(STEERING) == WRITTEN
    assert visible("λ 危机 −1 é\n\tx") == "λ 危机 −1 é\n\tx"
    assert one_line("a\n\tb") == r"a\n\tb"


def test_no_control_character_reaches_a_terminal(capsys):
    from rich.table import Table

    console = console_of()
    table = Table(title=STEERING)
    table.add_column(STEERING)
    table.add_row(STEERING)
    console.print(STEERING, table, f"[bold]{STEERING}[/bold]")
    with live() as line:
        line.stage(f"[/red] {STEERING}")
        console.print(line)
    echo(STEERING)
    echo(STEERING, err=True)
    out, err = capsys.readouterr()
    assert all(ord(c) >= 32 or c == "\n" for c in out + err)
    assert out.count(r"\x1b") >= 5 and r"\x1b" in err and "[/red]" in out


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_live_line_is_on_a_terminal_alone_and_leaves_nothing(monkeypatch, capsys):
    with live() as line:
        line.stage("estimating bvar")
    assert capsys.readouterr() == ("", "")
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with live() as line:
        line.stage("estimating bvar")
        line.step(1, 400, chains="chains 0 of 4 ended", divergences=0)
        line._live.refresh()
    shown = terminal.getvalue()
    assert "estimating bvar · chains 0 of 4 ended" in shown
    assert shown.rstrip().endswith("\x1b[2K"), "the line is wiped"
    assert capsys.readouterr().out == ""


def test_the_live_line_is_silent_where_it_is_told_to_be(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with live(talk=False) as line:
        line.stage("estimating bvar")
    assert terminal.getvalue() == ""


def test_the_time_left_is_that_of_the_pace_so_far(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("attribution.screen.monotonic", lambda: now[0])
    with live() as line:
        line.stage("estimating svar")
        now[0] = 107.0
        assert line.text() == "estimating svar · 0:07"
        line.step(1, 101, chains="chains 0 of 4 ended", divergences=0)
        now[0] = 117.0  # fifty in ten seconds, fifty are left
        line.step(51, 101, chains="chains 2 of 4 ended", divergences=3)
        expected = "estimating svar · chains 2 of 4 ended · 50 % · 3 divergences · 0:10 left"
        assert line.text() == expected
        told(1, 11, "replicates")  # another sampler begins anew
        now[0] = 119.0
        told(6, 11, "replicates")
        assert line.text() == "estimating svar · replicates · 54 % · 0:02 left"
        line.stage("decomposing")
        assert line.text() == "decomposing · 0:00"


def test_who_is_inside_a_live_line_is_given_it():
    with live() as outer, live() as inner:
        assert inner is outer
    told(1, 2, "nobody listens")


def test_a_span_of_time_is_written_as_on_a_clock():
    assert [clock(s) for s in (0, 59.6, 61, 3600, 3725)] == [
        *("0:00", "1:00", "1:01", "1:00:00", "1:02:05"),
    ]


def test_what_libraries_say_does_not_reach_the_screen_and_what_we_say_does(capsys):
    logger, handler = logging.getLogger("pymc.test"), logging.StreamHandler()
    logger.addHandler(handler)
    shown = logging.root.manager.disable
    with quiet(), warnings.catch_warnings(record=True) as seen:
        logger.warning("Initializing NUTS")
        warnings.warn("ArviZ is undergoing a major refactor", FutureWarning, stacklevel=1)
        warnings.warn("run 'x': an earlier version wrote it", UserWarning, stacklevel=1)
        logger.error("a fault")
    logger.removeHandler(handler)
    assert [str(one.message) for one in seen] == ["run 'x': an earlier version wrote it"]
    assert capsys.readouterr().err == "a fault\n"
    assert logging.root.manager.disable == shown


def test_a_screen_keeps_its_own_colours():
    console = console_of()
    console._force_terminal, console._color_system = True, console._color_system
    console.file = io.StringIO()
    console.print("[bold]x[/bold]\x1b[31m")
    assert r"\x1b[31m" in console.file.getvalue()


@pytest.mark.parametrize("cell", ["=1+1", "+x", "-x", "@sum", "\tx", "\rx", "=", "--5", "-1.5e"])
def test_a_text_that_begins_like_a_formula_is_made_a_text(cell):
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize(
    "cell", ["-1.5", "+2", "-1e-3", "-inf", "", "a=1", "x-1", -1.5, None, True]
)
def test_numbers_and_other_texts_stay(cell):
    assert harmless(cell) == cell


def test_no_cell_heading_or_row_of_a_sheet_is_a_formula():
    table = pd.DataFrame(
        {"=a": ["@x", "plain", "-1.5"], "n": [-1.5, 2.0, np.nan]}, index=["-row", "row", "+row"]
    )
    before = table.copy()
    text = csv_text(table, index_label="name")
    assert text.splitlines() == [
        *("name,'=a,n", "'-row,'@x,-1.5", "row,plain,2.0", "'+row,-1.5,"),
    ]
    pd.testing.assert_frame_equal(table, before)


def test_a_sheet_without_formulas_is_what_pandas_writes():
    days = pd.date_range("2025-01-01", periods=3, name="day")
    table = pd.DataFrame({"x": [-1.0, 0.1, np.nan], "flag": [True, pd.NA, False]}, index=days)
    assert csv_text(table, index_label="date") == table.to_csv(
        index_label="date", lineterminator="\n"
    )


@pytest.mark.parametrize("title", ["$x^{$", "US$ 1 and $2", "a_b % & ^ <b> \\frac", "{", "λ"])
def test_a_figure_takes_every_title_as_it_stands(title):
    @drawing
    def drawn():
        one = figure(height=1.0)
        axes = one.subplots()
        axes.set_title(title)
        axes.set_ylabel(title)
        axes.plot([0, 1], label=title)
        axes.legend()
        return one

    one = drawn()
    assert png_bytes(one, title=title)
    svg = svg_bytes(one, title=title).decode()
    plain = title.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert svg.count(plain) >= 3


def test_names_that_look_like_formulas_or_styles_survive_a_whole_run(own, attribution):
    text = (own / "mine.toml").read_text(encoding="utf-8")
    text = text.replace('name = "fall"', 'name = "=1+1 [bold]"').replace(
        'title = "A small recursive model"', 'title = "US$ {x} [/red] <script>_%&^ $x^{$"'
    )
    (own / "odd.toml").write_text(text, encoding="utf-8")
    out = own / "out"
    words = ("--model", own / "odd.toml", "--data", own, "--out", out, "--draws", "2000")
    code, said, err = attribution("fit", *words)
    assert (code, err) == (0, "")
    assert "=1+1 [bold]" in said and "US$ {x} [/red] <script>" in said
    assert (out / "tables" / "1-1-bold.csv").is_file()
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "<script>_%" not in page and "US$ {x} [/red] &lt;script&gt;" in page
