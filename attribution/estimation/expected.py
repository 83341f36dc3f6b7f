"""A fitted model and its test series in; whether its channels do to them what was expected, out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from attribution.check.expectations import judge
from attribution.estimate.loadings import Loadings
from attribution.finding import Finding
from attribution.model.spec import ModelSpec
from attribution.panel import Panel


def expectations(
    spec: ModelSpec,
    panel: Panel,
    rng: np.random.Generator,
    loadings: Callable[[pd.Series], Loadings],
) -> tuple[Finding, ...]:
    """Ask a model its ``[[expectations]]``.

    Parameters
    ----------
    loadings : slopes of a series on the shocks of ``spec.channels``, in their order.
    """
    slopes = {}
    for series in dict.fromkeys(expected.series for expected in spec.expectations):
        drawn = loadings(panel.values[series]).draw(rng)
        asked = [e.channel for e in spec.expectations if e.series == series]
        slopes[series] = drawn[..., [spec.channels.index(name) for name in asked]]
    return judge(spec.expectations, slopes, dict(panel.units))


def unasked(spec: ModelSpec) -> tuple[Finding, ...]:
    """Name the tests of which no expectation asks anything; nothing where each is asked."""
    asked = {expected.series for expected in spec.expectations}
    left = [name for name in spec.system.tests if name not in asked]
    if not left:
        return ()
    return (
        Finding(
            name="tests not asked",
            question="Does the model file say what the channels should do to its tests?",
            evidence=(
                f"[system] tests names {', '.join(left)}, which no claim may touch, and no"
                " [[expectations]] says what a channel should do to it: nothing was asked"
            ),
            verdict="untestable",
        ),
    )
