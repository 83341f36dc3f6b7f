"""What verbs share: the program, options, and the refusals made before minutes are spent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from attribution.errors import SpecError

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(
    name="attribution",
    help="Which mechanism moved the price, by how much, and how sure are we?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
RUNS = Path("runs")
"""Where runs are written and sought if no folder is named."""
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON instead of a table.")]
RunFolder = Annotated[Path, typer.Argument(help="Folder that 'attribution fit' wrote.")]
OtherEvent = Annotated[
    str | None, typer.Option(metavar="START:END", help="Another event, as two dates.")
]
Seed = Annotated[int, typer.Option(min=0, help="One seed reproduces a run exactly.")]


def dates_of(event: str | None) -> tuple[date, date] | None:
    """Read START:END."""
    if event is None:
        return None
    start, colon, end = event.partition(":")
    try:
        return date.fromisoformat(start), date.fromisoformat(end if colon else start)
    except ValueError:
        raise SpecError(
            f"--event '{event}': not two dates; write START:END, such as 2026-02-04:2026-02-06"
        ) from None


def console_of() -> Console:
    """Return a screen that colours nothing by itself."""
    from rich.console import Console

    return Console(highlight=False)


def refuse_file(out: Path) -> None:
    """Refuse to write below a file before minutes are spent, not after."""
    for path in (out, *out.parents):
        if path.exists() and not path.is_dir():
            raise SpecError(f"--out '{out}': {path} is a file; name a folder")


def teller(console: Console, *, talk: bool) -> Callable[[str], None]:
    """Return what tells a user who waits of each stage, or nothing."""
    return (lambda text: console.print(f"[dim]{text} …[/dim]")) if talk else (lambda text: None)
