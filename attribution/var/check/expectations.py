"""What the fitted channels do to series that no restriction touched: the model's own tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from attribution.finding import Finding
from attribution.model.spec import Expectation, ModelSpec
from attribution.panel import Panel
from attribution.sampling.diagnostics import mean_with_error
from attribution.var.estimate.loadings import Loadings


def judge(
    expectations: Sequence[Expectation], slopes: dict[str, np.ndarray], units: dict[str, str]
) -> tuple[Finding, ...]:
    """Compare posterior slopes with the signs that the model file expects.

    Parameters
    ----------
    slopes : series -> (draw, repeat, expectation) of this series, in their order; unit of the
        series per one-scale shock.  Repeats share a posterior draw; draws are independent.
    """
    findings, used = [], dict.fromkeys(slopes, 0)
    for expected in expectations:
        draws = slopes[expected.series][..., used[expected.series]]
        used[expected.series] += 1
        chance, error = mean_with_error((np.sign(draws) == expected.sign).mean(1))
        low, middle, high = np.quantile(draws, [0.05, 0.5, 0.95])
        direction = "raise" if expected.sign > 0 else "lower"
        findings.append(
            Finding.by_chance(
                name=f"{expected.series}: {expected.channel}",
                question=(
                    f"Does a shock of {expected.channel} {direction} {expected.series}?"
                    f" ({expected.reason})"
                ),
                evidence=(
                    f"{middle:+.1f} {units[expected.series]} a shock of one scale, 90 %"
                    f" {low:+.1f} to {high:+.1f}, on the days before the event, as claimed with"
                    f" probability {chance:.2f} \N{PLUS-MINUS SIGN} {error:.2f}; no restriction"
                    " touched the series"
                ),
                probability=chance,
                error=error,
            )
        )
    return tuple(findings)


# A fitted model and its test series in; whether its channels do to them what was expected, out.


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
