"""A model and a rival account in; the run with the rival's column beside the channels out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from attribution.fit.path import fit
from attribution.fit.settings import Settings
from attribution.model.spec import UNATTRIBUTED, ModelSpec
from attribution.panel import Panel
from attribution.report.run import Run
from attribution.runs.table_window import move_of
from attribution.var.check.rivals import refuse_rival, rival_matters, with_rival

if TYPE_CHECKING:
    import pandas as pd


def fit_with_rival(
    spec: ModelSpec,
    rival: str,
    *,
    data: Path | pd.DataFrame | Panel | None = None,
    settings: Settings | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Run:
    """Fit a model without and with a rival's column, and ask whether the rival matters.

    Parameters
    ----------
    rival : a shipped rival, or a file with a table of one channel.

    Raises
    ------
    IdentificationError
        If the series at hand cannot tell the rival from a channel, before anything is sampled.
    SpecError, DataError, EventError, DiagnosticsError
        As ``fit``.
    """
    asked = with_rival(spec, rival)
    refuse_rival(asked)
    without, run = (fit(s, data=data, settings=settings, say=say) for s in (spec, asked))
    names = [str(name) for name in without.tree["posterior/channel"].to_numpy()]
    channels = [name for name in names if name != UNATTRIBUTED]
    window = str(run.tree["posterior/window"].to_numpy()[0])
    finding = rival_matters(
        asked.channels[-1],
        channels,
        _draws(without, window, channels),
        _draws(run, window, [*channels, asked.channels[-1]]),
        move=move_of(run.tree[f"windows/{window}"].to_dataset()),
        unit=str(run.tree.attrs["outcome_unit"]),
    )
    findings = [*run.manifest["findings"], finding.record()]
    return replace(run, manifest={**run.manifest, "findings": findings})


def _draws(run: Run, window: str, channels: list[str]) -> tuple[np.ndarray, np.ndarray]:
    parts = run.tree["posterior/contribution"].sel(window=window, channel=channels)
    weight = run.tree["weights/weight"].transpose("chain", "draw")
    return parts.transpose("chain", "draw", "channel").to_numpy(), weight.to_numpy()
