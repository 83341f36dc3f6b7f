"""A rival account of the event, as one more column of the table: tried one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from attribution.content import content
from attribution.core.weighted_draws import quantile
from attribution.errors import IdentificationError, SpecError, nearest
from attribution.finding import Finding
from attribution.model.restriction import Identification
from attribution.model.spec import ModelSpec
from attribution.model.table import read_table
from attribution.sampling.diagnostics import mean_with_error
from attribution.var.check.separation import Separation, separate

MATTERS = 1.0
"""Contribution, in the outcome's unit and the direction of its move, from which a rival matters."""


def rival_names() -> tuple[str, ...]:
    """Names of the shipped rivals."""
    folder = content("models") / "tables" / "rivals"
    return tuple(sorted(path.stem for path in folder.glob("*.toml")))


def read_rival(name: str) -> Identification:
    """Read a shipped rival, or a user's file: a table of one channel.

    Raises
    ------
    SpecError
        If there is no such rival, or the table has more than one channel.
    """
    if not name.endswith(".toml") and name not in rival_names():
        raise SpecError(
            f"--rival '{name}': unknown{nearest(name, rival_names())}; name one of"
            f" {', '.join(rival_names())}, or a file ending in .toml"
        )
    path = name if name.endswith(".toml") else None
    table = read_table(path or str(content("models") / "tables" / "rivals" / f"{name}.toml"))
    if len(table.names) != 1:
        raise SpecError(
            f"--rival '{name}': {len(table.names)} channels; rivals are tried one at a time, give a"
            " table of one channel"
        )
    return table


def with_rival(spec: ModelSpec, name: str) -> ModelSpec:
    """Add a rival's column to the table of a model.

    Raises
    ------
    SpecError
        If the model has no table, or the rival speaks of another outcome or names a channel anew.
    """
    table, rival = spec.identification, read_rival(name)
    if table is None:
        raise SpecError(
            f"{spec.name}: --rival '{name}' needs a model with an identification table; use another"
            " model"
        )
    if (rival.outcome, rival.direction) != (table.outcome, table.direction):
        raise SpecError(
            f"--rival '{name}' speaks of another outcome or direction than table '{table.name}';"
            " correct it"
        )
    if rival.names[0] in table.names:
        raise SpecError(f"--rival '{name}': table '{table.name}' has this channel; leave it out")
    joined = replace(
        table,
        name=f"{table.name} + {rival.names[0]}",
        channels=(*table.channels, *rival.channels),
        cells=(*table.cells, *rival.cells),
    )
    title = f"{spec.title}; rival {rival.names[0]}"
    # no longer what its file says: the manifest's digest is then taken of the whole question
    return replace(spec, title=title, identification=joined, path=None)


def refuse_rival(spec: ModelSpec) -> Separation:
    """Put the table with its rival, the last column, through the linear programmes.

    Raises
    ------
    IdentificationError
        If the series at hand cannot tell the rival from a channel: that is the answer.
    """
    table = spec.identification
    if table is None:
        raise SpecError(f"{spec.name}: no identification table; use a model that has one")
    rival, variables = table.names[-1], (*spec.system.variables, *spec.system.auxiliary)
    found = separate(table, core=spec.system.variables, variables=variables)
    alike = [
        next(name for name in pair.names if name != rival)
        for pair in found.inseparable
        if rival in pair.names
    ]
    if not alike:
        return found
    unseen = [cell for cell in table.cells_of(rival) if cell.variable not in variables]
    mark = ", ".join(f"'{cell.variable}' ({cell.claim})" for cell in unseen)
    raise IdentificationError(
        f"rival '{rival}': one shock can satisfy every cell of it and of {_and(alike)} on the"
        f" series of '{spec.name}', so these data cannot tell them apart; "
        + (
            f"its mark is {mark}, which the model does not observe: add that series to the data and"
            " to [system], and bound its response for the others too"
            if unseen
            else "bound the response of one more series for both"
        )
    )


def rival_matters(
    rival: str,
    channels: Sequence[str],
    without: tuple[np.ndarray, np.ndarray],
    contribution: tuple[np.ndarray, np.ndarray],
    *,
    move: float,
    unit: str,
) -> Finding:
    """Ask whether a rival did some of the work, and what it took from whom.

    Parameters
    ----------
    channels : names, without the rival.
    without : (chain, draw, channel); contributions fitted without the rival, and their weights
        (chain, draw).
    contribution : (chain, draw, channel + 1); fitted with it, the rival last, and their weights.
    move : of the outcome over the window.
    """
    (before, weight_before), (after, weight) = without, contribution
    own = after[..., -1]
    chance, error = mean_with_error(np.sign(move) * own > MATTERS, weight)
    low, high = quantile(own.ravel(), weight.ravel(), np.array([0.05, 0.95]))
    means = np.average(after, axis=(0, 1), weights=weight)
    middle = means[-1]
    change = means[:-1] - np.average(before, axis=(0, 1), weights=weight_before)
    moved = ", ".join(f"{name} {by:+.1f}" for name, by in zip(channels, change, strict=True))
    return Finding.by_chance(
        name=f"rival {rival}",
        question=f"Did {rival} add more than {MATTERS:g} {unit} to the move?",
        evidence=(
            f"mean {middle:+.1f}, 90 % {low:+.1f} to {high:+.1f} {unit}; with it in the table the"
            f" means of the others change by: {moved}"
        ),
        probability=chance,
        error=error,
    )


def _and(names: Sequence[str]) -> str:
    return " and of ".join(f"'{name}'" for name in names)
