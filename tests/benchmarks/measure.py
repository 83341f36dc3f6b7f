"""Measure whole commands: CPU seconds, wall seconds and peak memory, medians of several runs.

Usage: python tests/benchmarks/measure.py [RUNS] > docs/results/performance.json

Run it on a machine that does nothing else.  Every command starts a new process; the first run of
each, which compiles and fills caches, is reported apart.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMANDS = {
    "attribution --help": ["--help"],
    "attribution models": ["models"],
    "attribution check bvar": ["check", "bvar"],
    "fit var, 4,000 replicates, no report": ["fit", "--model", "var", "--no-report"],
    "fit bvar_signs, 4,000 draws, no report": ["fit", "--model", "bvar_signs", "--no-report"],
    "fit bvar_signs, 4,000 draws, with report": ["fit", "--model", "bvar_signs"],
    "fit bvar, 6,000 draws, with report": ["fit", "--model", "bvar"],
}


def once(arguments: list[str], folder: Path) -> tuple[float, float, float]:
    """Run a command; return CPU seconds, wall seconds and peak memory of a process in MiB."""
    extra = ["--quiet", "--out", str(folder)] if arguments[0] == "fit" else []
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "attribution", *arguments, *extra],
        stdout=subprocess.DEVNULL,
        cwd=folder,
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(arguments)} ended with status {status}")
    cpu = usage.ru_utime + usage.ru_stime
    return cpu, time.perf_counter() - started, usage.ru_maxrss / 1024


def measure(runs: int) -> dict[str, object]:
    """Measure every command."""
    rows = []
    for task, arguments in COMMANDS.items():
        with tempfile.TemporaryDirectory() as name:
            first, *rest = (once(arguments, Path(name)) for _ in range(runs + 1))
        cpu, wall, memory = (statistics.median(values) for values in zip(*rest, strict=True))
        rows.append(
            {
                "task": task,
                "seconds": round(cpu, 2),
                "note": f"{wall:.2f} s on the clock, {memory:.0f} MiB; first run {first[0]:.1f} s",
            }
        )
    machine = f"{os.cpu_count()} cores, Python {sys.version_info.major}.{sys.version_info.minor}"
    return {"machine": machine, "runs": runs, "rows": rows}


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print(json.dumps(measure(number), indent=1))
