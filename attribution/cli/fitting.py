"""The verbs that make runs: fit one, or lay several side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from attribution.cli.options import (
    RUNS,
    Cores,
    Draws,
    Every,
    Json,
    OtherEvent,
    Quiet,
    Seed,
    app,
    dates_of,
)
from attribution.errors import DiagnosticsError, SpecError
from attribution.folder.plain import refuse_file
from attribution.screen import console_of, echo, live

if TYPE_CHECKING:
    from attribution.report.run import Run


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
    event: OtherEvent = None,
    event_in: Annotated[
        str,
        typer.Option(help="Event's days in the estimation: out, scale (their own), in, or all."),
    ] = "out",
    draws: Draws = None,
    seed: Seed = 5,
    sampler: Annotated[
        str | None,
        typer.Option(help="Kind bvar: pymc or nutpie; kind svar: accept, gibbs or slice."),
    ] = None,
    cores: Cores = None,
    shocks: Annotated[
        bool, typer.Option("--shocks", help="Save the structural shocks of every day.")
    ] = False,
    rival: Annotated[
        str | None,
        typer.Option(help="A rival account as one more column: a shipped rival or a .toml file."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run; runs/MODEL if not given.")
    ] = None,
    report: Annotated[
        bool, typer.Option(help="Draw figures and the HTML report; without, only the numbers.")
    ] = True,
    findings: Every = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Estimate a model, decompose its event, check the answer, write a run and its report."""
    dates = dates_of(event)
    console = console_of()
    talk = not (quiet or json)
    from attribution.fit import Settings
    from attribution.fit import fit as run_fit
    from attribution.model import read_model

    settings = Settings(draws, seed, event_in, sampler, talk, shocks, cores)
    spec = read_model(model)
    folder = out or RUNS / spec.name
    refuse_file(folder)
    from attribution.report import deliver
    from attribution.report.run_tables import tables

    with live(talk=talk) as line:
        try:
            if rival is None:
                run = run_fit(spec, data=data, event=dates, settings=settings, say=line.stage)
            else:
                how = {"data": data, "settings": settings, "say": line.stage}
                run = _with_rival(model, rival, dates, **how)
        except DiagnosticsError as error:
            if error.run is None:
                raise
            place = deliver.write_unconverged(error.run, folder)
            raise DiagnosticsError(f"{error}; the draws are kept in {place}, unconverged") from None
        line.stage("writing tables, figures and report" if report else "writing the run")
        found = tables(run)
        deliver.write_run(run, found, folder, report=report)
    if json:
        echo(deliver.as_json(run, found))
    elif talk:
        console.print(*deliver.lines(run, found, every=False, findings=findings), sep="\n")
        console.print(
            f"run, tables, figures and report: {folder}/report.html"
            if report
            else f"run: {folder}",
            markup=False,
            soft_wrap=True,
        )


def _with_rival(model: str, rival: str, dates: Any, **how: Any) -> Run:
    """Fit a VAR, about the event that is named, with a rival account as one more column."""
    from attribution.fit.path import with_event
    from attribution.fit.rival import fit_with_rival
    from attribution.model import read_var

    asked = read_var(model)
    asked = asked if dates is None else with_event(asked, *dates)
    return fit_with_rival(asked, rival, **how)


@app.command(
    epilog="Examples:  attribution compare var bvar_signs  |  attribution compare runs/var"
    " runs/bvar --out runs/compared"
)
def compare(
    runs: Annotated[
        list[str], typer.Argument(help="Folders of runs, shipped models or .toml files.")
    ],
    data: Annotated[
        Path | None, typer.Option(help="Data set of the models that are fitted; else shipped.")
    ] = None,
    event: OtherEvent = None,
    draws: Draws = None,
    seed: Seed = 5,
    cores: Cores = None,
    window: Annotated[
        str | None, typer.Option(help="A window that all runs name; else the first one's first.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for tables, numbers and a figure; else none.")
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Lay one event under several models side by side: who agrees, and who is largest.

    With a model that is no VAR among them, each run's answers are listed under its estimand.
    """
    dates = dates_of(event)
    if out is not None:
        refuse_file(out)
    console = console_of()
    talk = not (quiet or json)
    from attribution import compare as comparing
    from attribution.fit import Settings

    settings = Settings(draws, seed, progress=talk, cores=cores)
    with live(talk=talk) as line:
        runs_found = comparing.collect(
            runs, data=data, event=dates, settings=settings, say=line.stage
        )
    if comparing.has_study(runs_found):
        if window is not None:
            raise SpecError("--window: a study has no windows; leave it out, or compare VARs alone")
        answers = comparing.answers_of(runs_found)
        written = [] if out is None else comparing.write_answers(answers, out)
        text, shown = comparing.answers_json(answers), comparing.answers_lines(answers)
    else:
        found = comparing.compare(runs_found, window)
        written = [] if out is None else comparing.write_comparison(found, out)
        text, shown = comparing.as_json(found), comparing.lines(found)
    if json:
        echo(text)
    elif talk:
        console.print(*shown, sep="\n")
        if written:
            console.print(f"numbers, tables and figure: {out}", markup=False, soft_wrap=True)
