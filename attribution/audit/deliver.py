"""An audited table in; lines on a screen, data, files, or a table for a page or a paper out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape as html_escape
from pathlib import Path
from typing import Any

import pandas as pd

from attribution.audit.run import AuditResult, ClaimResult
from attribution.audit.sources import command_for
from attribution.audit.tested import Tested
from attribution.report.numbers import csv_text, probability
from attribution.report.terminal import STYLES, escape
from attribution.runs.run import whole, write_json

FILES = ("claims.json", "claims.csv", "claims.md", "claims.html")


def write_audit(result: AuditResult, folder: Path) -> list[Path]:
    """Write JSON, CSV, Markdown and an HTML fragment; all of them, or what was there stays."""
    with whole(folder, FILES) as aside:
        write_json(plain(result), aside / FILES[0])
        (aside / FILES[1]).write_bytes(csv_text(frame(result), index=False).encode())
        (aside / FILES[2]).write_text(markdown(result), encoding="utf-8")
        (aside / FILES[3]).write_text(html(result), encoding="utf-8")
    return [folder / name for name in FILES]


def plain(result: AuditResult) -> dict[str, Any]:
    """Return everything that was found as plain data."""
    return {
        "table": result.name,
        "title": result.title,
        "about": result.about,
        "seed": result.seed,
        "runs": {name: dict(made) for name, made in result.runs.items()},
        "left_out": list(result.left_out),
        "data": dict(result.data),
        "counts": result.counts(),
        "claims": [_plain(claim) for claim in result.claims],
    }


def _plain(claim: ClaimResult) -> dict[str, Any]:
    return {
        "id": claim.id,
        "claim": claim.claim,
        "quantity": claim.quantity,
        "reason": claim.reason,
        "verdict": claim.verdict,
        "probability": claim.probability,
        "sensitivity": claim.sensitivity,
        "missing_runs": list(claim.missing),
        "combine": claim.combine,
        "parts": [
            {
                "name": part.name,
                "test": part.test,
                **_told(part.tested),
                "variants": {say: _told(tested) for say, tested in part.variants.items()},
            }
            for part in claim.parts
        ],
    }


def _told(tested: Tested) -> dict[str, Any]:
    return {
        "verdict": tested.verdict,
        "probability": tested.probability,
        "evidence": tested.evidence,
    }


def as_json(result: AuditResult) -> str:
    """Return everything that was found as JSON."""
    return json.dumps(plain(result), indent=2, ensure_ascii=False, allow_nan=False)


def frame(result: AuditResult) -> pd.DataFrame:
    """Return one row a part: claim, part, verdicts, probability, evidence, sensitivity."""
    rows = [
        {
            "id": claim.id,
            "claim": claim.claim,
            "quantity": claim.quantity,
            "verdict": claim.verdict,
            "sensitivity": claim.sensitivity,
            "part": part.name,
            "test": part.test,
            "part_verdict": part.tested.verdict,
            "part_probability": part.tested.probability,
            "evidence": part.tested.evidence,
        }
        for claim in result.claims
        for part in claim.parts
    ]
    return pd.DataFrame(rows).astype({"part_probability": float})


def lines(result: AuditResult, *, every: bool = False) -> Iterator[Any]:
    """Yield what a terminal shows: a line a claim, and with ``every`` each part's variants."""
    yield f"\n[bold]{escape(result.title)}[/bold]"
    for claim in result.claims:
        yield _grid(claim, every)
    said = ", ".join(f"{count} {verdict}" for verdict, count in result.counts().items())
    yield f"\n{len(result.claims)} claims: {said}"
    yield from (escape(sentence) for sentence in result.left_out)
    for name in dict.fromkeys(name for claim in result.claims for name in claim.missing):
        ids = ", ".join(claim.id for claim in result.claims if name in claim.missing)
        how = command_for(name)
        yield (
            f"[dim]more of {ids} becomes testable with: {how}[/dim]"
            if how
            else f"[dim]parts of {ids} need a run of '{name}', which no shipped model makes[/dim]"
        )


def _grid(claim: ClaimResult, every: bool) -> Any:
    from rich.table import Table

    shown = Table(box=None, show_header=False, padding=(0, 1), pad_edge=False)
    shown.add_column(width=10, no_wrap=True)
    shown.add_column(ratio=1)
    heading = f"[bold]{escape(claim.id)}[/bold] {escape(claim.claim)}"
    shown.add_row(_coloured(claim.verdict), heading)
    for part in claim.parts:
        shown.add_row("", f"{_mark(part.tested)} [bold]{escape(part.name)}[/bold]: "
                      f"{escape(part.tested.evidence)}")  # fmt: skip
        for say, tested in part.variants.items() if every else ():
            shown.add_row("", f"    {_mark(tested)} {escape(say)}: {escape(tested.evidence)}")
    shown.add_row("", f"[dim]{escape(claim.sensitivity)}[/dim]")
    return shown


def _coloured(verdict: str) -> str:
    return f"[{STYLES[verdict]}]{verdict}[/{STYLES[verdict]}]"


def _mark(tested: Tested) -> str:
    chance = "" if tested.probability is None else f" {probability(tested.probability)}"
    return _coloured(tested.verdict) + chance


def markdown(result: AuditResult) -> str:
    """Return the table for a page or a paper in Markdown, one row a part."""
    rows = ["| id | claim | verdict | P | evidence | sensitivity |", "|---|---|---|---|---|---|"]
    for claim in result.claims:
        for first, part in zip(_firsts(len(claim.parts)), claim.parts, strict=True):
            named = part.name if len(claim.parts) > 1 else ""
            told = f"*{named}*: {part.tested.verdict}. " if named else ""
            chance = part.tested.probability
            cells = [
                claim.id if first else "",
                claim.claim if first else "",
                f"**{claim.verdict}**" if first else "",
                "" if chance is None else probability(chance),
                told + part.tested.evidence,
                claim.sensitivity if first else "",
            ]
            rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def html(result: AuditResult) -> str:
    """Return the table as a fragment of a page; every text is escaped."""
    body = []
    for claim in result.claims:
        parts = "".join(_item(part.name, part.tested) for part in claim.parts)
        body.append(
            f'<tr class="{claim.verdict}"><th scope="row">{html_escape(claim.id)}</th>'
            f"<td>{html_escape(claim.claim)}</td><td>{claim.verdict}</td>"
            f"<td><ul>{parts}</ul></td><td>{html_escape(claim.sensitivity)}</td></tr>"
        )
    head = "".join(
        f'<th scope="col">{name}</th>'
        for name in ("id", "claim", "verdict", "evidence", "sensitivity")
    )
    return (
        f'<table class="claims">\n<caption>{html_escape(result.title)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n" + "\n".join(body) + "\n</tbody>\n</table>\n"
    )


def _item(name: str, tested: Tested) -> str:
    chance = (
        "" if tested.probability is None else f", probability {probability(tested.probability)}"
    )
    return (
        f"<li><em>{html_escape(name)}</em>: {tested.verdict}{chance}."
        f" {html_escape(tested.evidence)}</li>"
    )


def _firsts(count: int) -> list[bool]:
    return [True] + [False] * (count - 1)
