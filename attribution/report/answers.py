"""The tables of a study in; what a terminal and a page show of them out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any, NamedTuple

from attribution.report.cells import free_cells, headed
from attribution.report.numbers import MINUS, THIN, decimals_for, label, number, span
from attribution.runs import ANSWER, ANSWERS

if TYPE_CHECKING:
    import pandas as pd


# Answers that put several questions to the same names in; a matrix of them out.

BETWEEN = ": "


class Matrix(NamedTuple):
    """Answers by name and question, and those that are in no such matrix.

    An answer called ``question: name`` belongs to a question. Where two questions or more are put
    to the same names, they are read across a row, and a list of all would hide that.
    """

    unit: str
    questions: list[str]
    rows: list[tuple[str, list[str]]]
    rest: pd.DataFrame


def question_of(answer: str) -> tuple[str, str]:
    """Split an answer into its question and its name; the question is empty if there is none."""
    question, between, name = answer.partition(BETWEEN)
    return (question, name) if between else ("", answer)


def matrix(table: pd.DataFrame) -> Matrix | None:
    """Lay answers out by question; nothing where there are not two questions of one name.

    A cell holds the mean and, below it, the 90 % interval; one number of decimals for all.
    """
    split = {answer: question_of(str(answer)) for answer in table.index}
    asked = [answer for answer, (question, _) in split.items() if question]
    questions = list(dict.fromkeys(split[answer][0] for answer in asked))
    names = list(dict.fromkeys(split[answer][1] for answer in asked))
    units = set(table.loc[asked, "unit"])
    if len(questions) < 2 or len(names) == len(asked) or len(units) != 1:
        return None
    inside = table.loc[asked, ["mean", "q05", "q95"]]
    places = decimals_for(float(inside["mean"].abs().max()))
    places = places if places < 2 else places - 1  # columns are many
    cells = {split[answer]: _cell(inside.loc[answer], places) for answer in asked}
    rows = [(label(name), [cells.get((q, name), "") for q in questions]) for name in names]
    return Matrix(units.pop(), questions, rows, table.drop(index=asked))


def _cell(row: pd.Series, places: int) -> str:
    interval = span(row["q05"], row["q95"], places)
    return f"{number(row['mean'], places)}\n{interval}"


def answers_grids(title: str, table: pd.DataFrame) -> Iterator[Any]:
    """Yield answers for a terminal: matrices as wide as it is, and the others as a list."""
    found = matrix(table)
    parts = [] if found is None else _parts(found, get_terminal_size().columns)
    if found is None or not parts:
        yield _list(title, table)
        return
    said = f"mean and 90 % interval, {found.unit}"
    for place, columns in enumerate(parts):
        heads = [_head(found.questions[i]) for i in columns]
        rows = [(name, [cells[i] for i in columns]) for name, cells in found.rows]
        shown = [(name, cells) for name, cells in rows if any(cells)]
        yield grid("" if place else f"{title}: {said}" if title else said, heads, shown)
    if len(found.rest):
        yield _list("", found.rest)


def _head(question: str) -> str:
    return question.replace(" ", "\n", 1)


def _parts(found: Matrix, room: int) -> list[list[int]]:
    """Divide columns into runs that fit a terminal; nothing if not even two of them do."""
    columns = zip(*(cells for _, cells in found.rows), strict=True)
    widths = [
        EDGE + max(map(len, "\n".join((_head(head), *column)).split("\n")))
        for head, column in zip(found.questions, columns, strict=True)
    ]
    left = room - EDGE - max(len(name) for name, _ in found.rows)
    parts: list[list[int]] = [[]]
    for place, width in enumerate(widths):
        if parts[-1] and sum(widths[i] for i in parts[-1]) + width > left:
            parts.append([])
        parts[-1].append(place)
    return parts if len(parts[0]) > 1 else []


def _list(title: str, table: pd.DataFrame) -> Any:
    """Set answers line by line; an estimand that all share stands once, in the title."""
    headings, rows = answer_cells(table, brief=True)
    shared = set(table["estimand"])
    if title and len(table) > 1 and len(shared) == 1 and headings[-1] == "estimand":
        title, headings = f"{title}: {shared.pop()}", headings[:-1]
        rows = [(name, cells[:-1]) for name, cells in rows]
    return grid(title, headings, rows)


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


def terminal_study(tables: Mapping[str, pd.DataFrame]) -> Iterator[Any]:
    """Yield what a terminal shows of a study: its answers, then each further table if short."""
    from rich.markup import escape

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

    shown = Table(box=box.SIMPLE_HEAD)
    texts = [any(cell and not _numeric(cell) for cell in column) for column in _columns(rows)]
    first, *widths = column_widths(headings, rows, texts, get_terminal_size().columns)
    shown.add_column("", overflow="fold", width=first)
    for heading, text, width in zip(headings, texts, widths, strict=True):
        shown.add_column(
            escape(heading), justify="left" if text else "right", no_wrap=not text, width=width
        )
    for name, cells in rows:
        shown.add_row(escape(name), *map(escape, cells))
    return headed(shown, title)


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
