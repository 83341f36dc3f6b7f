"""The verbs of the command line; no numbers are made here."""

from __future__ import annotations

from typing import Annotated

import typer

from attribution import __version__
from attribution.cli import fitting, saved, shipped, watching
from attribution.cli.auditing import claims
from attribution.cli.options import app
from attribution.errors import AttributionError
from attribution.validate.command import validate

app.command()(claims)
app.command()(validate)
__all__ = ["app", "fitting", "main", "saved", "shipped", "watching"]


def main() -> None:
    """Run a verb; a refusal is a sentence a fault on standard error and its class's exit code."""
    try:
        app()
    except AttributionError as error:
        for fault in error.faults or (error,):
            typer.echo(f"attribution: {fault}", err=True)
        raise SystemExit(error.exit_code) from None


@app.callback(invoke_without_command=True)
def _top(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit
