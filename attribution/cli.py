"""The verbs of the command line; no numbers are made here."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from attribution import __version__
from attribution.errors import AttributionError, SpecError

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
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON instead of a table.")]
RunFolder = Annotated[Path, typer.Argument(help="Folder that 'attribution fit' wrote.")]


def main() -> None:
    """Run a verb; a refusal is one sentence on standard error and the exit code of its class."""
    try:
        app()
    except AttributionError as error:
        typer.echo(f"attribution: {error}", err=True)
        raise SystemExit(error.exit_code) from None


@app.callback(invoke_without_command=True)
def _top(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


@app.command(
    epilog="Examples:  attribution fit --model bvar  |  attribution fit --model my.toml --data my/"
    " --event 2025-10-10:2025-10-13 --seed 7"
)
def fit(
    model: Annotated[
        str, typer.Option(help="Name of a shipped model (attribution models) or a .toml file.")
    ] = "bvar",
    data: Annotated[
        Path | None, typer.Option(help="Folder or file of a data set with its card; else shipped.")
    ] = None,
    event: Annotated[
        str | None, typer.Option(metavar="START:END", help="Another event, as two dates.")
    ] = None,
    event_in: Annotated[
        str,
        typer.Option(help="Event's days in the estimation: out, scale (their own), in, or all."),
    ] = "out",
    draws: Annotated[
        int | None,
        typer.Option(min=4, help="Kept draws, over all chains; 6000 for kind bvar, else 4000."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="One seed reproduces a run exactly.")] = 5,
    sampler: Annotated[str, typer.Option(help="NUTS of pymc, or nutpie if installed.")] = "pymc",
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run; runs/MODEL if not given.")
    ] = None,
    report: Annotated[
        bool, typer.Option(help="Draw figures and the HTML report; without, only the numbers.")
    ] = True,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Estimate a model, decompose its event, check the answer, write a run and its report."""
    dates = _dates(event)
    if out is not None:
        _refuse_file(out)
    console = _console()
    talk = not (quiet or json)
    from attribution.fit import Settings
    from attribution.fit import fit as run_fit

    run = run_fit(
        model,
        data=data,
        event=dates,
        settings=Settings(draws, seed, event_in, sampler, progress=talk),
        say=(lambda text: console.print(f"[dim]{text} …[/dim]")) if talk else (lambda text: None),
    )
    from attribution import deliver
    from attribution.results import tables

    folder, found = out or RUNS / str(run.tree.attrs["model"]), tables(run)
    deliver.write_run(run, found, folder, report=report)
    if json:
        typer.echo(deliver.as_json(run, found))
    elif talk:
        console.print(*deliver.lines(run, found, every=False), sep="\n")
        console.print(
            f"run, tables, figures and report: {folder}/report.html"
            if report
            else f"run: {folder}",
            soft_wrap=True,
        )


@app.command(epilog="Example:  attribution summary runs/bvar")
def summary(
    run: RunFolder,
    parameters: Annotated[bool, typer.Option(help="Also every parameter, by ArviZ.")] = False,
    json: Json = False,
) -> None:
    """Print a saved run: its tables, findings, and R-hat and ESS of every contribution."""
    from attribution import compat, deliver
    from attribution.results import tables
    from attribution.run import load_run

    loaded = load_run(run)
    found = tables(loaded)
    if json:
        typer.echo(deliver.as_json(loaded, found))
        return
    _console().print(*deliver.lines(loaded, found, every=True), sep="\n")
    table = compat.summary(loaded.tree)
    if not parameters:
        table = table[[str(name).startswith(("contribution", "baseline")) for name in table.index]]
    typer.echo(table.round(3).to_string())


@app.command(epilog="Example:  attribution report runs/bvar --out report/")
def report(
    run: RunFolder,
    out: Annotated[Path | None, typer.Option(help="Folder to write to; RUN if not given.")] = None,
) -> None:
    """Draw tables, figures and the HTML report of a saved run again."""
    from attribution.deliver import draw_report
    from attribution.results import tables
    from attribution.run import load_run

    _refuse_file(out or run)
    loaded = load_run(run)
    for path in draw_report(loaded, tables(loaded), out or run):
        typer.echo(str(path))


@app.command()
def models(json: Json = False) -> None:
    """List the shipped models."""
    from attribution.model import model_names, read_model

    rows = [(name, read_model(name)) for name in model_names()]
    if json:
        import json as encoder

        typer.echo(encoder.dumps({name: {"kind": s.kind, "title": s.title} for name, s in rows}))
        return
    for name, spec in rows:
        typer.echo(f"{name:<12} {spec.kind:<12} {spec.title}")


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


@app.command(epilog="Example:  attribution check bvar")
def check(
    model: Annotated[str, typer.Argument(help="Name of a shipped model or a .toml file.")],
    json: Json = False,
) -> None:
    """Say what a model's table separates, what hangs on a bound, and what can pass for what."""
    from attribution.listing import print_separation

    print_separation(model, as_json=json)


def _dates(event: str | None) -> tuple[date, date] | None:
    if event is None:
        return None
    start, colon, end = event.partition(":")
    try:
        return date.fromisoformat(start), date.fromisoformat(end if colon else start)
    except ValueError:
        raise SpecError(
            f"--event '{event}': not two dates; write START:END, such as 2026-02-04:2026-02-06"
        ) from None


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False)


def _refuse_file(out: Path) -> None:
    """Refuse to write below a file before minutes are spent, not after."""
    for path in (out, *out.parents):
        if path.exists() and not path.is_dir():
            raise SpecError(f"--out '{out}': {path} is a file; name a folder")
