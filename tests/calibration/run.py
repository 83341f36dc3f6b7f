"""Calibrate the engine: ``python tests/calibration/run.py --list``, or the names of designs.

Records are found again after a stop; ``tests/calibration/verdicts.py`` says what is written.
"""

import sys
from pathlib import Path

import typer

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # also of the processes it starts

from attribution.cli.door import leave
from attribution.validate.command import (
    OUT,
    Count,
    Designs,
    Json,
    Names,
    Out,
    Processes,
    Quiet,
    Seed,
    examine,
    list_tasks,
)


def calibrate(
    designs: Designs = None,
    replications: Count = None,
    out: Out = OUT,
    seed: Seed = 1,
    processes: Processes = 1,
    names: Names = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Rank the truth of simulated worlds among posterior draws; all designs if none is named."""
    from calibration.catalogue import chosen
    from calibration.verdicts import finish

    tasks = chosen(designs or ())
    if names:
        list_tasks(tasks)
        return
    examine(tasks, finish, replications, out, seed, processes, quiet=quiet, json=json)


if __name__ == "__main__":
    try:
        typer.run(calibrate)
    except Exception as error:
        raise leave(error) from None
