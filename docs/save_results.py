"""Copy the numbers and the picture that the site, the paper and the README quote from saved runs.

Usage: python docs/save_results.py RUN_OF_BVAR [RUN_OF_ANOTHER_MODEL ...]
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

DOCS = Path(__file__).resolve().parent
RESULTS = DOCS / "results"
FROZEN = "1aa5c427e10a9b96c457415fd809184577f8e8d4"
"""Commit in which table, thresholds, priors and default specification were frozen."""
OF_A_COMPANION = ("headline", "windows", "findings", "manifest")


def main(headline: Path, *others: Path) -> None:
    """Write numbers of VARs, of studies and of the audit, and the headline's waterfall."""
    found = _results(headline)
    found["frozen_commit"] = FROZEN
    read = [_results(run) for run in others]
    found["companions"] = {
        other["model"]: {key: other[key] for key in OF_A_COMPANION}
        for other in read
        if "windows" in other
    }
    studies = {other["model"]: other for other in read if "tables" in other}
    for run, other in zip(others, read, strict=True):
        if other.get("kind") == "flows":
            studies[other["model"]]["net_creation"] = _net_creation(run)
    RESULTS.mkdir(exist_ok=True)
    _write("results.json", found)
    _write("studies.json", studies)
    _write("claims.json", _audit([headline, *others]))
    for suffix in ("png", "svg"):
        shutil.copyfile(
            headline / "figures" / f"waterfall_crash.{suffix}", RESULTS / f"waterfall.{suffix}"
        )


def _results(run: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((run / "results.json").read_text(encoding="utf-8"))
    return read


def _net_creation(run: Path) -> dict[str, Any]:
    from attribution.runs.run import load_run
    from attribution.studies.flows.checks import findings_of

    tree = load_run(run).tree
    findings, tables = findings_of(tree)
    return {
        "focus": str(tree["predictive"].attrs["focus"]),
        "findings": [finding.record() for finding in findings],
        "tables": {name: _plain(table) for name, table in tables.items()},
    }


def _plain(table: pd.DataFrame) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(table.to_json(orient="index"))
    return read


def _audit(runs: list[Path]) -> dict[str, Any]:
    from attribution.audit.deliver import plain
    from attribution.audit.run import audit
    from attribution.audit.saved import collect
    from attribution.audit.sources import Library, Sources
    from attribution.model.audit import read_audit

    found = collect(runs)
    sources = Sources(Library(None), found.runs, 1, found.left_out)
    return plain(audit(read_audit("essay"), sources))


def _write(name: str, content: dict[str, Any]) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    (RESULTS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    main(*(Path(name) for name in sys.argv[1:]))
