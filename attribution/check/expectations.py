"""What the fitted channels do to series that no restriction touched: the model's own tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from attribution.diagnostics import mean_with_error
from attribution.finding import Finding
from attribution.model.spec import Expectation


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
