"""The verb ``validate``; heavy rooms are entered only when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from attribution.folder.plain import refuse_file
from attribution.limits import most
from attribution.screen import echo

Designs = Annotated[
    list[str] | None, typer.Argument(help="Designs to run, by name; all if none is named.")
]
Count = Annotated[
    int | None,
    typer.Option(
        min=1, max=most("replications"), help="Replications of each; its own number if not given."
    ),
]


def validate(
    designs: Designs = None,
    replications: Count = None,
    out: Annotated[
        Path, typer.Option(help="Folder of the records; found again after a stop.")
    ] = Path("validation"),
    seed: Annotated[
        int, typer.Option(min=0, max=most("seed"), help="One seed reproduces every record.")
    ] = 1,
    processes: Annotated[
        int, typer.Option(min=1, max=most("processes"), help="Of this machine.")
    ] = 1,
    names: Annotated[bool, typer.Option("--list", help="List the designs and stop.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the verdicts as JSON.")] = False,
) -> None:
    """Calibrate the engine on simulated worlds: ranks of the truth, coverage of intervals."""
    from attribution.validate.catalogue import chosen
    from attribution.validate.runner import on_one_line, run
    from attribution.validate.write import collect, finish

    if names:
        for task, size in chosen(designs or ()):
            echo(f"{task.name:<26} {size:>5}")
        return
    refuse_file(out)
    silent, failed = quiet or json, []
    for task, size in chosen(designs or ()):
        outcome = run(
            task,
            out / task.name,
            replications=replications or size,
            seed=seed,
            processes=processes,
            say=(lambda text: None) if silent else on_one_line,
        )
        holds, said = finish(outcome, out / task.name)
        if not silent:
            on_one_line("")
            echo(said)
        if not holds:
            failed.append(task.name)
    text = collect(out)
    if json:
        echo(text)
    if failed:
        _refuse(failed, out)


def _refuse(failed: list[str], out: Path) -> None:
    from attribution.errors import DiagnosticsError

    raise DiagnosticsError(
        f"validate: {', '.join(failed)} did not hold; see calibration.csv and ecdf.png below {out}"
    )
