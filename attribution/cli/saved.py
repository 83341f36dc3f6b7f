"""The verbs that read a saved run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from attribution.cli.options import Every, Json, RunFolder, app
from attribution.folder.plain import refuse_file
from attribution.screen import console_of, echo


@app.command(
    epilog="Examples:  attribution summary runs/bvar  |  attribution summary runs/bvar --findings"
)
def summary(
    run: RunFolder,
    findings: Every = False,
    parameters: Annotated[
        bool, typer.Option("--parameters", help="R-hat and ESS of every parameter too, by ArviZ.")
    ] = False,
    json: Json = False,
) -> None:
    """Print a saved run: its headline, its tables, and the findings that matter most.

    With --findings all of them, and R-hat and ESS of every contribution; of a run that did not
    converge R-hat and ESS alone.
    """
    from attribution.report import deliver
    from attribution.report.run_tables import tables
    from attribution.runs import is_study
    from attribution.runs.run import load_run
    from attribution.sampling import engine as compat

    loaded = load_run(run, unconverged=True)
    found = {} if loaded.unconverged else tables(loaded)
    if json:
        echo(deliver.as_json(loaded, found))
        return
    console_of().print(*deliver.lines(loaded, found, every=True, findings=findings), sep="\n")
    if not (findings or parameters or loaded.unconverged):
        return
    table = compat.summary(loaded.tree)
    if not parameters and not (loaded.unconverged and is_study(loaded.tree)):
        table = table[
            [str(name).startswith(("contribution", "baseline", "impact")) for name in table.index]
        ]
    if len(table):  # a study has its answers above, and no contributions of channels
        echo(table.round(3).to_string())


@app.command(epilog="Example:  attribution report runs/bvar --out report/")
def report(
    run: RunFolder,
    out: Annotated[Path | None, typer.Option(help="Folder to write to; RUN if not given.")] = None,
) -> None:
    """Draw tables, figures and the HTML report of a saved run again."""
    from attribution.report.deliver import draw_report
    from attribution.report.run_tables import tables
    from attribution.runs.run import load_run

    refuse_file(out or run)
    loaded = load_run(run)
    for path in draw_report(loaded, tables(loaded), out or run):
        echo(str(path))


@app.command(epilog="Example:  attribution counterfactual runs/event --without liquidations,notes")
def counterfactual(
    run: RunFolder,
    without: Annotated[
        str, typer.Option(metavar="A,B", help="Mechanisms to switch off, all at once.")
    ],
    json: Json = False,
) -> None:
    """Say what a saved run's move would have been without some of its mechanisms."""
    from attribution.report import switched as shown
    from attribution.runs import switch_off as asked
    from attribution.runs.run import load_run

    off = [name.strip() for name in without.split(",") if name.strip()]
    found = asked.switched_off(load_run(run), off)
    if json:
        echo(shown.as_json(found))
        return
    console_of().print(*shown.lines(found), sep="\n")
