"""What verbs share: the program, options, and the refusals made before minutes are spent."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from attribution.cli.door import Verbs
from attribution.errors import SpecError
from attribution.limits import LEAST_DRAWS, most

app = typer.Typer(
    cls=Verbs,
    name="attribution",
    help="Which mechanism moved the price, by how much, and how sure are we?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
RUNS = Path("runs")
"""Where runs are written and sought if no folder is named."""
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON instead of a table.")]
RunFolder = Annotated[Path, typer.Argument(help="Folder that 'attribution fit' wrote.")]
Draws = Annotated[
    int | None,
    typer.Option(
        min=LEAST_DRAWS,
        max=most("draws"),
        help="Kept draws, over all chains; 6000 for kind bvar, else 4000.",
    ),
]
OtherEvent = Annotated[
    str | None, typer.Option(metavar="START:END", help="Another event, as two dates.")
]
Cores = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=most("cores"),
        help="Processes or threads that sampling may use; the run is the same.",
    ),
]
Every = Annotated[
    bool, typer.Option("--findings", help="Print every finding, not the five that matter most.")
]
Seed = Annotated[
    int, typer.Option(min=0, max=most("seed"), help="One seed reproduces a run exactly.")
]


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
