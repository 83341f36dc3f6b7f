"""Models that are no VAR: what their files share, and the question that each kind asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

from attribution.errors import SpecError
from attribution.model.faults import part
from attribution.model.grammar import Table
from attribution.model.kinds import KINDS, loaded

ALWAYS = ("schema", "kind", "title", "references", "sample")
"""Keys that every model file may have; a kind adds its own sections."""


class Question(Protocol):
    """What one kind of study asks: a frozen dataclass that knows which columns it reads."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the data that it reads, each once."""
        ...

    @property
    def outcome(self) -> str:
        """The column that is explained."""
        ...


@dataclass(frozen=True)
class StudySample:
    """Which data, and its days.

    ``panel`` names the data set whose rows are the observations; ``beside`` one whose columns are
    joined to them by day.  Without ``start`` or ``end`` (they are then the first and the last
    date there is) every row counts, and rows need not be days.
    """

    panel: str = ""
    beside: str = ""
    start: date = date.min
    end: date = date.max

    @property
    def dated(self) -> bool:
        """Whether the sample is cut by dates."""
        return self.start > date.min or self.end < date.max


@dataclass(frozen=True)
class StudySpec:
    """A model file of a kind that is no VAR, read and accepted."""

    name: str
    kind: str
    title: str
    references: tuple[str, ...]
    sample: StudySample
    question: Question
    path: Path | None = None


def parse_study(table: Table, kind: str, name: str, path: Path | None) -> StudySpec:
    """Type a model file of a study.

    Raises
    ------
    SpecError
        With the file, the key and the remedy.
    """
    reader = loaded(KINDS[kind].question)
    table.known((*ALWAYS, *reader.SECTIONS))
    return StudySpec(
        name=name,
        kind=kind,
        title=table.text("title"),
        references=table.texts("references", ()),
        sample=part(
            "sample", lambda: _sample_of(table.sub("sample", required=True)), StudySample()
        ),
        question=part("question", lambda: reader.question_of(table), None),
        path=path,
    )


def _sample_of(table: Table) -> StudySample:
    table.known(("panel", "beside", "start", "end"))
    found = StudySample(
        panel=table.text("panel", ""),
        beside=table.text("beside", ""),
        start=table.day("start") if "start" in table.values else date.min,
        end=table.day("end") if "end" in table.values else date.max,
    )
    if not found.start < found.end:
        raise SpecError(f"{table.place}: it ends before it starts; swap the two dates")
    return found
