"""Tables that the build makes of saved measurements: run times, engine rates, calibration."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


class StaleMeasurement(Exception):
    """A saved measurement that lacks what its page prints; one sentence with a remedy."""


def table_of(path: Path, write: Callable[[Mapping[str, Any]], list[str]]) -> str:
    """Make a page of a saved measurement, or say that there is none."""
    if not path.is_file():
        return "No measurement has been saved yet.\n"
    measured = json.loads(path.read_text(encoding="utf-8"))
    try:
        return "\n".join(write(measured)) + "\n"
    except KeyError as error:
        raise StaleMeasurement(f"{path.name}: lacks {error}; measure again") from None


def run_times(measured: Mapping[str, Any]) -> list[str]:
    """Whole commands."""
    rows = [f"| {r['task']} | {r['seconds']:.1f} | {r['note']} |" for r in measured["rows"]]
    head = [f"Measured on: {measured['machine']}.", "", "| task | CPU seconds | note |"]
    return [*head, "| --- | ---: | --- |", *rows]


def engine_rates(measured: Mapping[str, Any]) -> list[str]:
    """Kernels and their goals, per second of one core."""
    rows = [
        f"| {r['task']} | {r['value']:,.6g} {r['unit'].replace('us', 'µs')} | {r['goal']} |"
        for r in measured["rows"]
    ]
    head = [f"Measured on: {measured['machine']}; medians of {measured['runs']} runs."]
    return [*head, "", "| task | measured | goal |", "| --- | ---: | ---: |", *rows]


def calibration(measured: Mapping[str, Any]) -> list[str]:
    """Ranks of simulated truths, one line a design."""
    lines = ["| design | worlds | refused | smallest p | of | limit | |", "| --- |" + " ---: |" * 6]
    for name, design in sorted(measured["designs"].items()):
        quantities = design["quantities"]
        worst = min(quantities, key=lambda key: quantities[key]["p_value"])
        lines.append(
            f"| {name} | {design['replications']:,} | {design['refused']} |"
            f" {quantities[worst]['p_value']:.2g} | {worst} | {design['limit']:.2g} |"
            f" {'holds' if design['holds'] else 'fails'} |"
        )
    return lines


def coverage(measured: Mapping[str, Any]) -> list[str]:
    """Simulated crashes, one line a world and channel."""
    lines = []
    for name, world in sorted(measured["coverage"].items()):
        largest = world["right_largest"]
        told = (
            "no effect is true"
            if largest is None
            else f"mean probability of the truly largest channel {largest:.2f}"
        )
        lines += [
            f"### {name}",
            "",
            f"{world['replications']:,} crashes, {world['refused']} refused; {told}; alarm in"
            f" {100 * world['alarm']:.0f} %.",
            "",
            "| channel | 50 % covers | 90 % covers | robust 90 % covers | bias | RMSE | width |",
            "| --- |" + " ---: |" * 6,
        ]
        for row in world["scores"]:
            robust = "" if row["robust_90"] is None else f"{row['robust_90']:.2f}"
            lines.append(
                f"| {row['channel']} | {row['covered_50']:.2f} | {row['covered_90']:.2f} |"
                f" {robust} | {row['bias']:+.2f} | {row['rmse']:.2f} | {row['width_90']:.2f} |"
            )
        lines.append("")
    return lines or ["No simulated crash has been saved yet."]
