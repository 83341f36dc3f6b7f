"""What the toolkit ships, in words for the command line: data sets, and what a table separates."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from attribution.errors import SpecError
from attribution.model import read_var
from attribution.panel import data_sets
from attribution.screen import console_of, echo
from attribution.var.check.separation import describe, refuse_inseparable, separate


def print_data(path: Path | None, *, as_json: bool) -> None:
    """Print every data set, or that of a path, with its columns."""
    sets = data_sets(path)
    if as_json:
        echo(json.dumps([asdict(item) for item in sets], indent=2, ensure_ascii=False))
        return
    for item in sets:
        span = f", {item.first} to {item.last}" if item.first else ""
        echo(f"\n{item.name}: {item.title} ({item.rows:,} rows{span})")
        width = max(len(column.name) for column in item.columns)
        for column in item.columns:
            unit = column.unit or "text"
            echo(f"  {column.name:<{width}}  {unit:<24} {column.transform:<14} {column.source}")


def print_net_creation(folder: Path, *, as_json: bool) -> None:
    """Print the posterior predictive checks of net creations of a saved run of kind flows."""
    from attribution.report.answers import free_grid
    from attribution.report.terminal import findings_table
    from attribution.runs.run import load_run
    from attribution.studies.flows.checks import findings_of

    run = load_run(folder)
    if run.tree.attrs.get("study") != "flows":
        raise SpecError(
            f"run '{folder}': model '{run.tree.attrs['model']}' holds no net creations; name a run"
            " of kind 'flows' (attribution fit --model flows)"
        )
    findings, tables = findings_of(run.tree)
    said = [finding.record() for finding in findings]
    if as_json:
        plain = {name: table.to_dict(orient="index") for name, table in tables.items()}
        echo(json.dumps({"findings": said, "tables": plain}, indent=2, ensure_ascii=False))
        return
    console = console_of()
    for name, table in tables.items():
        console.print(free_grid(name, table))
    console.print(findings_table(said))


def print_separation(model: str, *, as_json: bool) -> None:
    """Print what a model's table separates; refuse one that leaves two channels exchangeable."""
    spec = read_var(model)
    if spec.identification is None:
        raise SpecError(
            f"model '{spec.name}': it has no identification table to check; its shocks are named"
            " after the order of its variables"
        )
    found = separate(
        spec.identification,
        core=spec.system.variables,
        variables=(*spec.system.variables, *spec.system.auxiliary),
    )
    rows = describe(found)
    if as_json:
        keys = ("what", "verdict", "why")
        echo(json.dumps([dict(zip(keys, row, strict=True)) for row in rows], ensure_ascii=False))
    else:
        what, verdict = (max(len(row[i]) for row in rows) for i in (0, 1))
        echo(f"table '{found.table}', direction of the outcome fixed by every channel\n")
        for row in rows:
            echo(f"{row[0]:<{what}}  {row[1]:<{verdict}}  {row[2]}")
    refuse_inseparable(found)
