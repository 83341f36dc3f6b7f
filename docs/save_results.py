"""Copy the numbers and the picture that the site, the paper and the README quote from saved runs.

Usage: python docs/save_results.py RUN_OF_BVAR [RUN_OF_ANOTHER_MODEL ...]
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
RESULTS = DOCS / "results"
FROZEN = "1aa5c427e10a9b96c457415fd809184577f8e8d4"
"""Commit in which table, thresholds, priors and default specification were frozen."""


def main(headline: Path, *companions: Path) -> None:
    """Write ``results.json`` and the waterfall of the headline run into ``docs/results``."""
    found = json.loads((headline / "results.json").read_text(encoding="utf-8"))
    found["frozen_commit"] = FROZEN
    found["companions"] = {}
    for run in companions:
        other = json.loads((run / "results.json").read_text(encoding="utf-8"))
        kept = ("headline", "windows", "findings", "manifest")
        found["companions"][other["model"]] = {key: other[key] for key in kept}
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    (RESULTS / "results.json").write_text(text, encoding="utf-8")
    for suffix in ("png", "svg"):
        shutil.copyfile(
            headline / "figures" / f"waterfall_crash.{suffix}", RESULTS / f"waterfall.{suffix}"
        )


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    main(*(Path(name) for name in sys.argv[1:]))
