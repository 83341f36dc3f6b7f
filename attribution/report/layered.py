"""Answers that put several questions to the same names in; a matrix of them out.

An answer called ``question: name`` belongs to a question.  Where two questions or more are put to
the same names, they are read across a row, and a list of all would hide that.
"""

from __future__ import annotations

from collections.abc import Iterator
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any, NamedTuple

from attribution.report.answers import EDGE, answer_cells, grid
from attribution.report.numbers import decimals_for, label, number, span

if TYPE_CHECKING:
    import pandas as pd

BETWEEN = ": "


class Matrix(NamedTuple):
    """Answers by name and question, and those that are in no such matrix."""

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
