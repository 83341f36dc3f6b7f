"""A saved run and names of mechanisms in; its move without them, draw by draw, out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from attribution.allocate import Coalitions, Without, without
from attribution.errors import DataError, SpecError, nearest
from attribution.runs import game_of, has_coalitions, is_study, study_tables
from attribution.runs.run import Run
from attribution.sampling.diagnostics import mean_with_error

LEDGER, DRIVEN, EFFECT = "ledger", "prior_driven", "but-for "
"""Table, column and beginning of a row that say what an effect rests on."""


@dataclass(frozen=True)
class Switched:
    """What a run says of its move without some mechanisms.

    Attributes
    ----------
    model, outcome : of the run.
    observed : what was seen; in the unit of the draws.
    shape : chains, and draws of each.
    drawn : draws of the posterior, those without an answer too.
    together : with all of them off at once.
    alone : with each of them off by itself, in the order asked; empty if only one was asked.
    prior_driven : those of them whose own effect the run's ledger calls prior-driven.
    """

    model: str
    outcome: str
    observed: float | None
    shape: tuple[int, int]
    drawn: int
    together: Without
    alone: tuple[Without, ...]
    prior_driven: tuple[str, ...] = ()

    @property
    def probability(self) -> tuple[float, float]:
        """P(the move would have been smaller), and its Monte Carlo standard error."""
        return mean_with_error(self.together.smaller.reshape(self.shape))


def switched_off(run: Run, mechanisms: Iterable[str]) -> Switched:
    """Say what the run's move would have been without some mechanisms, all off at once.

    Everything from outside (shocks, residuals, random numbers) is held at what each draw infers
    from the day itself; every other mechanism answers the smaller or larger move anew.

    Parameters
    ----------
    run : one that holds coalitions of mechanisms, as a run of kind ``event`` does.
    mechanisms : names of its players.

    Raises
    ------
    DataError
        If the run holds no coalitions.
    SpecError
        If a mechanism is unknown or named twice, or none is named.
    """
    tree = run.tree
    if not has_coalitions(tree):
        raise DataError(
            f"run of '{tree.attrs['model']}': it holds no coalitions of mechanisms, so none can be"
            " switched off; give a run of kind 'event'"
        )
    game, off = game_of(tree), tuple(mechanisms)
    _known(off, game)
    together = without(game, off)
    sizes = tree["coalitions"].sizes
    return Switched(
        model=str(tree.attrs["model"]),
        outcome=str(tree.attrs["outcome"]),
        observed=game.observed,
        shape=(sizes["chain"], sizes["draw"]),
        drawn=_drawn(run),
        together=together,
        alone=tuple(without(game, [name]) for name in off) if len(off) > 1 else (),
        prior_driven=tuple(name for name in off if name in _prior_driven(run)),
    )


def _drawn(run: Run) -> int:
    sizes = run.tree["posterior"].sizes
    return int(sizes["chain"] * sizes["draw"])


def _prior_driven(run: Run) -> set[str]:
    """Players whose but-for effect the run's ledger calls prior-driven; none without a ledger."""
    found = study_tables(run.tree) if is_study(run.tree) else {}
    if LEDGER not in found or DRIVEN not in found[LEDGER]:
        return set()
    driven = found[LEDGER][DRIVEN]
    return {str(row).removeprefix(EFFECT) for row in driven.index[driven == "yes"]}


def _known(off: tuple[str, ...], game: Coalitions) -> None:
    """Refuse names in the words of the command line."""
    for name in off:
        if name not in game.players:
            raise SpecError(f"without: no mechanism '{name}'{nearest(name, game.players)}")
