"""The verb ``validate``; heavy rooms are entered only when it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from attribution.folder.plain import refuse_file
from attribution.limits import most
from attribution.screen import echo

if TYPE_CHECKING:
    from attribution.validate.runner import Outcome, Task

Designs = Annotated[
    list[str] | None,
    typer.Argument(help="Designs to run, by name; bvar_signs in every world if none is."),
]
Count = Annotated[
    int | None,
    typer.Option(
        min=1, max=most("replications"), help="Replications of each; its own number if not given."
    ),
]


Out = Annotated[Path, typer.Option(help="Folder of the records; found again after a stop.")]
Seed = Annotated[
    int, typer.Option(min=0, max=most("seed"), help="One seed reproduces every record.")
]
Processes = Annotated[int, typer.Option(min=1, max=most("processes"), help="Of this machine.")]
Names = Annotated[bool, typer.Option("--list", help="List the designs and stop.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Json = Annotated[bool, typer.Option("--json", help="Print the verdicts as JSON.")]
OUT = Path("validation")


def validate(
    designs: Designs = None,
    replications: Count = None,
    out: Out = OUT,
    seed: Seed = 1,
    processes: Processes = 1,
    names: Names = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Split simulated crashes by a shipped model: count how often its intervals hold."""
    from attribution.validate.coverage import SHIPPED, chosen, finish

    if names:
        list_tasks(chosen(designs or tuple(SHIPPED)))
        return
    tasks = chosen(designs or ())
    examine(tasks, finish, replications, out, seed, processes, quiet=quiet, json=json)


def list_tasks(tasks: Sequence[tuple[Task, int]]) -> None:
    """Print the name of each task and the replications that it is worth."""
    for task, size in tasks:
        echo(f"{task.name:<26} {size:>5}")


def examine(
    tasks: Sequence[tuple[Task, int]],
    finish: Callable[[Outcome, Path], tuple[bool, str]],
    replications: int | None,
    out: Path,
    seed: int,
    processes: int,
    *,
    quiet: bool,
    json: bool,
) -> None:
    """Run tasks, each in its folder below ``out``, and print what each came to.

    Raises
    ------
    DiagnosticsError
        If one of them did not hold.
    """
    from attribution.errors import DiagnosticsError
    from attribution.validate.coverage import collect
    from attribution.validate.runner import on_one_line, run

    refuse_file(out)
    silent, failed = quiet or json, []
    for task, size in tasks:
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
        raise DiagnosticsError(
            f"validate: {', '.join(failed)} did not hold; see calibration.csv and ecdf.png below"
            f" {out}"
        )
