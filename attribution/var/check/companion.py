"""Contributions of a model and of its companion in; whether the two tell one story out."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from attribution.finding import Finding
from attribution.model.spec import UNATTRIBUTED


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
