"""The verbs of the command line; no numbers are made here."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from attribution import __version__
from attribution.cli import fitting, saved, shipped, watching
from attribution.cli.auditing import claims
from attribution.cli.door import flushed, leave, refuse_words
from attribution.cli.options import app
from attribution.screen import echo, forgiving, quiet
from attribution.validate.command import validate

__all__ = ["app", "fitting", "main", "saved", "shipped", "watching"]

app.command()(claims)
app.command()(validate)


def main() -> None:
    """Run a verb; whatever stops it is one sentence on standard error and an exit code."""
    forgiving()
    try:
        refuse_words(sys.argv[1:])
        try:
            with quiet():
                app()
        finally:
            flushed()
    except Exception as error:
        raise leave(error) from None


@app.callback(invoke_without_command=True)
def _top(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        echo(__version__)
        raise typer.Exit
