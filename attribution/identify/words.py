"""Claims in words, as refusals and counts print them."""

from __future__ import annotations

from attribution.model.restriction import (
    OUTCOME,
    SHOCK,
    Cell,
    Narrative,
    Ranking,
    Response,
    VarianceShare,
)


def cell_words(cell: Cell) -> str:
    """Return ``risk.vix + at horizons 0 to 5``."""
    per = "" if cell.per in (OUTCOME, SHOCK) else f" per {cell.per}"
    where = _horizons(cell.first, cell.last, cell.long_run)
    return f"{cell.channel}.{cell.variable} {cell.claim}{per}{where}"


def ranking_words(ranking: Ranking) -> str:
    """Return ``demand.price larger than supply.price in absolute value``."""
    factor = "" if ranking.factor == 1 else f"{ranking.factor:g} times "
    size = " in absolute value" if ranking.absolute else ""
    return f"{_response(ranking.larger)} at least {factor}{_response(ranking.smaller)}{size}"


def share_words(share: VarianceShare) -> str:
    """Return ``risk's share in the variance of vix [0.2, 1] at horizon 4``."""
    return (
        f"{share.channel}'s share in the variance of {share.variable}"
        f" [{share.low:g}, {share.high:g}] at horizon {share.horizon}"
    )


def narrative_words(narrative: Narrative) -> str:
    """Return ``risk largest for vix on 2008-09-15``."""
    to = "" if narrative.to is None else f" for {narrative.to}"
    days = f"on {narrative.start}"
    if narrative.end != narrative.start:
        days = f"from {narrative.start} to {narrative.end}"
    bounds = f" {narrative.low:g} and {narrative.high:g}" if narrative.claim == "between" else ""
    return f"{narrative.channel} {narrative.claim}{bounds}{to} {days}"


def _response(response: Response) -> str:
    where = _horizons(response.first, response.last, response.long_run)
    return f"{response.channel}.{response.variable}{where}"


def _horizons(first: int, last: int, long_run: bool) -> str:
    if long_run:
        return " in the long run"
    if first == last:
        return "" if first == 0 else f" at horizon {first}"
    return f" at horizons {first} to {last}"
