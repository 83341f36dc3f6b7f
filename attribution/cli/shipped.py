"""The verbs that say what there is: models, data, and what a table separates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from attribution.cli.options import Json, app
from attribution.errors import SpecError
from attribution.screen import echo

NET_CREATION = "net-creation"


@app.command()
def models(json: Json = False) -> None:
    """List the shipped models."""
    from attribution.model import model_names, read_model

    rows = [(name, read_model(name)) for name in model_names()]
    if json:
        import json as encoder

        echo(encoder.dumps({name: {"kind": s.kind, "title": s.title} for name, s in rows}))
        return
    for name, spec in rows:
        echo(f"{name:<12} {spec.kind:<12} {spec.title}")


@app.command(epilog="Example:  attribution schema svar")
def schema(
    kind: Annotated[
        str, typer.Argument(help="A kind of model; or identification, a table of claims.")
    ],
) -> None:
    """Print the JSON Schema of a kind of model file, for editors that complete and check."""
    import json as encoder

    from attribution.model.schema import json_schema

    echo(encoder.dumps(json_schema(kind), indent=2, ensure_ascii=False))


@app.command()
def data(
    path: Annotated[
        Path | None, typer.Argument(help="A data set of your own; else shipped.")
    ] = None,
    json: Json = False,
) -> None:
    """List data sets and their columns: span, unit, transform, source."""
    from attribution.listing import print_data

    print_data(path, as_json=json)


@app.command(
    epilog="Examples:  attribution check bvar  |  attribution check net-creation runs/flows"
)
def check(
    what: Annotated[
        str,
        typer.Argument(help=f"A shipped model or a .toml file; or {NET_CREATION}, of a run."),
    ],
    run: Annotated[
        Path | None, typer.Argument(help=f"With {NET_CREATION}: a run of kind flows.")
    ] = None,
    json: Json = False,
) -> None:
    """Say what a model's table keeps apart; or put the net-creation question to a run."""
    if what == NET_CREATION:
        if run is None:
            raise SpecError(
                f"check {NET_CREATION}: it asks a run of kind 'flows'; add its folder, such as"
                " runs/flows"
            )
        from attribution.listing import print_net_creation

        print_net_creation(run, as_json=json)
        return
    if run is not None:
        raise SpecError(f"check '{what}': a table is checked without a run; leave '{run}' out")
    from attribution.listing import print_separation

    print_separation(what, as_json=json)
