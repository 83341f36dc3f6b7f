"""The verb that follows the data after an event."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from attribution.cli.options import Json, Seed, app
from attribution.errors import SpecError
from attribution.folder.plain import refuse_file
from attribution.screen import console_of, echo


@app.command(epilog="Example:  attribution monitor --until 2026-03-31 --out runs/monitor")
def monitor(
    model: Annotated[
        str, typer.Option(help="A shipped model of kind flows, or a .toml file.")
    ] = "flows",
    data: Annotated[
        Path | None, typer.Option(help="Folder of data sets with their cards; else shipped.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="Last day used; the data's if not given.")
    ] = None,
    seed: Seed = 5,
    out: Annotated[
        Path | None, typer.Option(help="Folder for table, numbers and picture; else none.")
    ] = None,
    json: Json = False,
) -> None:
    """Follow net creations that neither returns nor the basis explain, day by day."""
    if out is not None:
        refuse_file(out)
    last = None if until is None else _day(until)
    from attribution.studies.flows import monitor as monitoring

    found = monitoring.watch(model, data, last, seed)
    written = [] if out is None else monitoring.write_monitor(found, out)
    if json:
        echo(monitoring.as_json(found))
        return
    console = console_of()
    console.print(*monitoring.lines(found), sep="\n")
    if written:
        console.print(f"table, numbers and picture: {out}", markup=False, soft_wrap=True)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SpecError(f"--until '{text}': not a date; write it as 2026-03-31") from None
