"""A fitted model beside its companion, or its test series, in; whether they tell one story out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.finding import Finding
from attribution.model.spec import UNATTRIBUTED, Expectation, ModelSpec
from attribution.panel import Panel
from attribution.sampling.diagnostics import mean_with_error
from attribution.var.estimate.loadings import Loadings


@dataclass(frozen=True)
class Agreement:
    """How the 50 % bands of two models lie, channel by channel.

    Attributes
    ----------
    inside : channels of which each model's median lies in the other's band.
    overlap : channels whose bands overlap, but not so far.
    apart : channels whose bands do not overlap.
    """

    inside: tuple[str, ...]
    overlap: tuple[str, ...]
    apart: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """``holds`` if every channel is inside, ``fails`` if one is apart."""
        if self.apart:
            return "fails"
        return "undecided" if self.overlap else "holds"


def agreement(first: pd.DataFrame, second: pd.DataFrame) -> Agreement:
    """Compare two tables with columns ``q25``, ``median`` and ``q75``, one row a channel.

    Rows that only one of the tables has, and what is unattributed, are not compared: two models
    with different shocks leave different things over.
    """
    found: dict[str, list[str]] = {"inside": [], "overlap": [], "apart": []}
    for name in first.index.intersection(second.index, sort=False):
        if name in (UNATTRIBUTED, "baseline", "observed"):
            continue
        one, other = first.loc[name], second.loc[name]
        if one["q75"] < other["q25"] or other["q75"] < one["q25"]:
            found["apart"].append(str(name))
        elif _holds(one, other["median"]) and _holds(other, one["median"]):
            found["inside"].append(str(name))
        else:
            found["overlap"].append(str(name))
    return Agreement(*(tuple(found[key]) for key in ("inside", "overlap", "apart")))


def companion(
    first: pd.DataFrame, second: pd.DataFrame, *, names: tuple[str, str], window: str, unit: str
) -> Finding:
    """Ask whether a companion with other errors reads the event as the model does.

    Parameters
    ----------
    first, second : as ``agreement`` takes them; in ``unit``.
    names : of the two models.

    References
    ----------
    plagborg2022
    """
    found = agreement(first, second)
    parts = []
    for words, channels in (
        ("each median in the other's 50 % band", found.inside),
        ("50 % bands overlap, a median outside", found.overlap),
        ("50 % bands disjoint", found.apart),
    ):
        said = [
            f"{name} {one:+.1f} and {other:+.1f}"
            for name, one, other in zip(
                channels,
                first["median"].reindex(channels),
                second["median"].reindex(channels),
                strict=True,
            )
        ]
        parts += [f"{words}: {', '.join(said)}"] if said else []
    return Finding(
        name="companion",
        question=f"Do {names[0]} and {names[1]} agree within their 50 % bands?",
        evidence=f"medians in {unit}, window '{window}', {names[0]} first: " + "; ".join(parts),
        verdict=found.verdict,
    )


def _holds(band: pd.Series, value: float) -> bool:
    return bool(band["q25"] <= value <= band["q75"])


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
