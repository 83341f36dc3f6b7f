"""The tables of a study in; what a terminal and a page show of them out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

from attribution.record import ANSWER, ANSWERS
from attribution.report.numbers import MINUS, THIN, decimals_for, label, number, span
from attribution.report.tables import free_cells

if TYPE_CHECKING:
    import pandas as pd

SHORT = 12
"""Rows up to which a terminal shows a further table whole; a page shows every row of all."""
LEAST = 10
"""Letters of a row's name that are not broken for want of room."""
TEXT = 12
"""Letters that a column of words has, if it has so many to show."""
EDGE = 3
"""Letters that a terminal puts about each column."""
BRIEF = 3
"""Letters of a column's name, such as p, up to which a terminal finds room for it."""
NUMERIC = f"{MINUS}{THIN}+.,<> to\n"


def answer_cells(
    table: pd.DataFrame, *, brief: bool = False
) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Return headings and rows: estimate, spread, interval, unit, what is estimated.

    Further columns follow as they are; one that says nothing in any row is left out.  In brief,
    the spread is left to the interval, and only further columns of a short name are shown.
    """
    further = [str(name) for name in table.columns if str(name) not in ANSWER]
    further = [name for name in further if len(name) <= BRIEF] if brief else further
    headings = ["mean", "sd", "90 %", "unit", *map(label, further), "estimand"]
    extra = dict(free_cells(table[further])) if further else {}
    rows = []
    for name, row in zip(table.index, table.to_dict("records"), strict=True):
        largest = max(abs(v) for v in (row["mean"], row["sd"], row["q05"], row["q95"]) if v == v)
        places = decimals_for(float(largest))
        cells = [
            number(row["mean"], places),
            number(row["sd"], places),
            span(row["q05"], row["q95"], places),
            str(row["unit"]),
            *extra.get(str(name), []),
            str(row["estimand"]),
        ]
        rows.append((label(str(name)), cells))
    said = [any(cells[i] for _, cells in rows) for i in range(len(headings))]
    kept = [i for i, spoken in enumerate(said) if spoken and not (brief and headings[i] == "sd")]
    return [headings[i] for i in kept], [(n, [cells[i] for i in kept]) for n, cells in rows]


def terminal_study(title: str, tables: Mapping[str, pd.DataFrame]) -> Iterator[Any]:
    """Yield what a terminal shows of a study: its answers, then each further table if short."""
    yield f"\n[bold]{title}[/bold]"
    from rich.markup import escape

    from attribution.report.layered import answers_grids  # it is set with what is below

    yield from answers_grids("", tables[ANSWERS])
    for name, table in tables.items():
        if name == ANSWERS:
            continue
        if len(table) <= SHORT and _width(table) <= get_terminal_size().columns:
            yield free_grid(name, table)
        else:
            yield f"[dim]{escape(label(name))}: {len(table)} rows, in the report[/dim]"


def _width(table: pd.DataFrame) -> int:
    """Letters of a line, with two about each column, if nothing is broken."""
    rows = free_cells(table)
    cells = [list(map(len, cells)) for _, cells in rows]
    heads = [len(str(column)) for column in table.columns]
    widest = [max([head, *(row[i] for row in cells)]) for i, head in enumerate(heads)]
    return max(len(name) for name, _ in rows) + 2 + sum(n + 2 for n in widest)


def free_grid(name: str, table: pd.DataFrame) -> Any:
    """Set any table for a terminal, its cells as they are."""
    heads = [label(str(column)) for column in table.columns]
    return grid(label(name), heads, [(label(n), cells) for n, cells in free_cells(table)])


def grid(title: str, headings: list[str], rows: list[tuple[str, list[str]]]) -> Any:
    """Set cells for a terminal: columns of words to the left, of numbers to the right."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    shown = Table(
        title=escape(title) or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD
    )
    texts = [any(cell and not _numeric(cell) for cell in column) for column in _columns(rows)]
    first, *widths = column_widths(headings, rows, texts, get_terminal_size().columns)
    shown.add_column("", overflow="fold", width=first)
    for heading, text, width in zip(headings, texts, widths, strict=True):
        shown.add_column(
            escape(heading), justify="left" if text else "right", no_wrap=not text, width=width
        )
    for name, cells in rows:
        shown.add_row(escape(name), *map(escape, cells))
    return shown


def column_widths(
    headings: list[str], rows: list[tuple[str, list[str]]], texts: list[bool], room: int
) -> list[int]:
    """Return letters for the names and for each column: no word is cut where there is room.

    Numbers get what they need; a text gets its longest word and some more, then what is left.
    """
    cells = [(heading, *column) for heading, column in zip(headings, _columns(rows), strict=True)]
    whole = [max(len(line) for cell in column for line in cell.split("\n")) for column in cells]
    least = [
        max(len(word) for cell in column for word in (cell.split() or [""])) if text else full
        for column, text, full in zip(cells, texts, whole, strict=True)
    ]
    least = [
        max(width, min(full, TEXT)) if text else full
        for width, full, text in zip(least, whole, texts, strict=True)
    ]
    left = room - EDGE - 1 - sum(width + EDGE for width in least)
    name = min(max((len(name) for name, _ in rows), default=0), max(left, LEAST))
    left, found = left - name, [name]
    for width, full in zip(least, whole, strict=True):
        more = max(min(left, full - width), 0)
        left -= more
        found.append(width + more)
    return found


def _columns(rows: list[tuple[str, list[str]]]) -> list[tuple[str, ...]]:
    return list(zip(*(cells for _, cells in rows), strict=True))


def _numeric(cell: str) -> bool:
    """Whether a cell is a number or an interval of two."""
    return all(c.isdigit() or c in NUMERIC for c in cell)
