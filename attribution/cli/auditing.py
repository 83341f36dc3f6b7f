"""The verb that holds an account's claims against data and runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from attribution.cli.options import RUNS, Json
from attribution.folder.plain import refuse_file
from attribution.limits import most
from attribution.screen import console_of, echo


def claims(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[RUNS]...", help="Saved runs; runs/MODEL of every model if none is named."
        ),
    ] = None,
    table: Annotated[str, typer.Option(help="A shipped table of claims, or a .toml file.")] = (
        "essay"
    ),
    data: Annotated[
        Path | None, typer.Option(help="Folder of data sets with their cards; else shipped.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for JSON, CSV, Markdown and HTML.")
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, max=most("seed"), help="One seed reproduces every number.")
    ] = 1,
    every: Annotated[bool, typer.Option("--every", help="Also print every variant.")] = False,
    json: Json = False,
) -> None:
    """Hold each claim of an account of the event against data and saved runs.

    A run is evidence only if it is of the shipped model that it is named after.
    """
    if out is not None:
        refuse_file(out)
    from attribution.audit import deliver
    from attribution.audit.run import audit
    from attribution.audit.saved import below, collect
    from attribution.audit.sources import Library, Sources
    from attribution.model.audit import read_audit

    read = read_audit(table)
    found = collect(runs or below(RUNS))
    for sentence in found.left_out.values() if json else ():
        typer.echo(f"warning: {sentence}", err=True)
    result = audit(read, Sources(Library(data), found.runs, seed, found.left_out))
    if out is not None:
        deliver.write_audit(result, out)
    if json:
        echo(deliver.as_json(result))
        return
    console_of().print(*deliver.lines(result, every=every), sep="\n")
