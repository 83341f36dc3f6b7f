r"""An identification table and the observed series in; which channels they can tell apart out.

Shocks are told apart by their variances if no two channels have proportional ones:

.. math:: \mathrm{sd}_t\big(\gamma_j x_{jt} - \gamma_k x_{kt}\big) > 0 \quad \text{for all } j < k

the spread over days of the log ratio of the two variances.  Whatever moves all variances of a day
alike cancels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from attribution.core.rotations import separation as cones
from attribution.errors import IdentificationError
from attribution.finding import SURE, Finding
from attribution.model.restriction import Cell, Identification


@dataclass(frozen=True)
class Pair:
    """Two channels, and what keeps them apart.

    Attributes
    ----------
    first, second : channel names.
    slack_core, slack_all : room in which both channels' cells hold at once, using the cells on
        the core series alone and on all series; zero means separated.
    touching : whether some column satisfies both, if only on the edge of a bound.
    cells : an irreducible set of cells that no single shock can satisfy; empty if inseparable.
    alone : series whose cells separate the pair by themselves.
    open : series on which at least one of the two channels has no cell.
    """

    first: str
    second: str
    slack_core: float
    slack_all: float
    touching: bool
    cells: tuple[Cell, ...]
    alone: tuple[str, ...]
    open: tuple[str, ...]

    @property
    def names(self) -> tuple[str, str]:
        """The two channels, in table order."""
        return (self.first, self.second)


@dataclass(frozen=True)
class Separation:
    """What an identification table separates, given the series a model observes.

    Attributes
    ----------
    table : name of the table.
    core : series of the system; cells on any other series count only in ``slack_all``.
    pairs : every two channels.
    masquerade : channel -> slack with which a sum of other channels' shocks passes for it.
    infeasible : channel -> irreducible cells that contradict each other; absent if none do.
    """

    table: str
    core: tuple[str, ...]
    pairs: tuple[Pair, ...]
    masquerade: dict[str, float]
    infeasible: dict[str, tuple[Cell, ...]]

    @property
    def inseparable(self) -> tuple[Pair, ...]:
        """Pairs that no observed series tells apart."""
        return tuple(pair for pair in self.pairs if pair.slack_all > cones.INTERIOR)

    @property
    def inseparable_by_core(self) -> tuple[Pair, ...]:
        """Pairs that the series of the system alone do not tell apart."""
        return tuple(pair for pair in self.pairs if pair.slack_core > cones.INTERIOR)


def separate(
    identification: Identification, *, core: Sequence[str], variables: Sequence[str]
) -> Separation:
    """Put a table through the linear programmes of separation and masquerade.

    Parameters
    ----------
    identification : the table; cells on series outside ``variables`` are not observed and do
        not count.
    core : series of the system, the outcome among them.
    variables : core and auxiliary series.

    References
    ----------
    wolf2020
    """
    everything = tuple(dict.fromkeys((*core, *variables)))
    wide = _Table(identification, everything, everything)
    narrow = _Table(identification, everything, tuple(core))
    rows = {name: wide.rows(name) for name in identification.names}
    return Separation(
        table=identification.name,
        core=tuple(core),
        pairs=tuple(_pair(wide, narrow, *two) for two in combinations(rows, 2)),
        masquerade={
            name: cones.masquerade(rows[name], [rows[k] for k in rows if k != name])
            for name in rows
        },
        infeasible={
            name: wide.behind(name, cones.conflict(rows[name])[0])
            for name in rows
            if not cones.feasible(rows[name])
        },
    )


def refuse_inseparable(separation: Separation) -> None:
    """Refuse a table that contradicts itself or leaves two channels exchangeable.

    Raises
    ------
    IdentificationError
        Naming the contradictory cells of the first infeasible channel, or else the first
        inseparable pair and the series on which a cell could separate it.
    """
    for channel, cells in separation.infeasible.items():
        raise IdentificationError(
            f"table '{separation.table}', channel '{channel}': no shock can satisfy"
            f" {_listed(cells)} together; widen or remove one of them"
        )
    for pair in separation.inseparable:
        where = (
            f"bound the response of {_names(pair.open)} for both"
            if pair.open
            else "make their bounds on one series disjoint"
        )
        raise IdentificationError(
            f"table '{separation.table}': one shock can satisfy every cell of '{pair.first}' and"
            f" of '{pair.second}', so the data cannot tell them apart; {where}, or merge the two"
        )


def describe(separation: Separation) -> tuple[tuple[str, str, str], ...]:
    """Rows (what, verdict, why) in plain words, pairs first, for the command line."""
    rows = [(f"{p.first} | {p.second}", _verdict(p), _why(p)) for p in separation.pairs]
    for channel, room in separation.masquerade.items():
        passes = room > cones.INTERIOR
        rows.append(
            (
                f"others as {channel}",
                "possible" if passes else "excluded",
                f"a sum of other shocks satisfies its cells with slack {room:.2f}"
                if passes
                else "",
            )
        )
    for channel, cells in separation.infeasible.items():
        rows.append((channel, "infeasible", _listed(cells)))
    return tuple(rows)


@dataclass(frozen=True)
class _Table:
    """Cells of a table on the ``used`` series, as rows over columns of the ``names``."""

    identification: Identification
    names: tuple[str, ...]
    used: tuple[str, ...]

    def cells(self, channel: str) -> tuple[Cell, ...]:
        cells = self.identification.cells_of(channel)
        return tuple(cell for cell in cells if cell.variable in self.used)

    def rows(self, channel: str) -> np.ndarray:
        return cones.cone_rows(
            [
                (self.names.index(cell.variable), cell.low, cell.high)
                for cell in self.cells(channel)
            ],
            variables=len(self.names),
            outcome=self.names.index(self.identification.outcome),
            direction=self.identification.direction,
        )

    def behind(self, channel: str, rows: tuple[int, ...]) -> tuple[Cell, ...]:
        """Cells that own the rows of an irreducible set; the normalisation owns none."""
        cells = self.cells(channel)
        owners = cones.row_cells([(0, cell.low, cell.high) for cell in cells])
        kept = {owners[row] for row in rows} - {cones.NORMALISATION}
        return tuple(cells[index] for index in sorted(kept))

    def common(self, first: str, second: str) -> tuple[str, ...]:
        """Series on which both channels have a cell."""
        both = {cell.variable for cell in self.cells(first)} & {
            cell.variable for cell in self.cells(second)
        }
        return tuple(name for name in self.names if name in both)

    def slack(self, first: str, second: str) -> float:
        return max(0.0, cones.slack(self.rows(first), self.rows(second)))


def _pair(wide: _Table, narrow: _Table, first: str, second: str) -> Pair:
    kept = cones.conflict(wide.rows(first), wide.rows(second))
    common = wide.common(first, second)
    outcome = wide.identification.outcome
    return Pair(
        first=first,
        second=second,
        slack_core=narrow.slack(first, second),
        slack_all=wide.slack(first, second),
        touching=cones.touching(wide.rows(first), wide.rows(second)),
        cells=wide.behind(first, kept[0]) + wide.behind(second, kept[1]),
        alone=tuple(
            name
            for name in common
            if replace(wide, used=(name,)).slack(first, second) <= cones.INTERIOR
        ),
        open=tuple(name for name in wide.names if name not in (outcome, *common)),
    )


def _verdict(pair: Pair) -> str:
    if pair.slack_all > cones.INTERIOR:
        return "not separated"
    return "separated" if pair.slack_core <= cones.INTERIOR else "by auxiliary series only"


def _why(pair: Pair) -> str:
    if pair.slack_all > cones.INTERIOR:
        free = f"; no common cell on {_names(pair.open)}" if pair.open else ""
        return f"one shock satisfies both{free}"
    edge = "; their bounds touch, so it hangs on the bound itself" if pair.touching else ""
    if pair.alone:
        return f"each alone: {', '.join(pair.alone)}{edge}"
    return f"together: {_listed(pair.cells)}{edge}"


def _listed(cells: Sequence[Cell]) -> str:
    return ", ".join(f"{cell.channel}.{cell.variable} {cell.claim}" for cell in cells)


def _names(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


DIFFERENT = 0.2
"""Spread of the log ratio of two variances from which their profiles differ: a fifth."""


@dataclass(frozen=True)
class Profiles:
    """Variance profiles of two channels.

    Attributes
    ----------
    names : of the two.
    spread : (draw,); standard deviation over days of the log ratio of their variances.
    exposed : how many of the two have an exposure that varies.
    """

    names: tuple[str, str]
    spread: np.ndarray
    exposed: int

    @property
    def chance(self) -> float:
        """Posterior probability that the profiles differ."""
        return float((self.spread > DIFFERENT).mean())


def profiles(names: Sequence[str], slope: np.ndarray, exposure: np.ndarray) -> tuple[Profiles, ...]:
    """Compare the variance profiles of every two channels.

    Parameters
    ----------
    slope : (draw, channel); of the log variance on the exposure; zero where there is none.
    exposure : (time, channel); estimation days.

    References
    ----------
    rigobon2003; sentana2001
    """
    spread = np.cov(exposure.T, bias=True).reshape(len(names), len(names))
    varies = (np.diag(spread) > 0) & (np.abs(slope).max(0) > 0)
    found = []
    for j, k in combinations(range(len(names)), 2):
        own = slope[:, j] ** 2 * spread[j, j] + slope[:, k] ** 2 * spread[k, k]
        variance = own - 2.0 * slope[:, j] * slope[:, k] * spread[j, k]
        found.append(
            Profiles(
                (names[j], names[k]),
                np.sqrt(np.maximum(variance, 0.0)),
                int(varies[j]) + int(varies[k]),
            )
        )
    return tuple(found)


def profiles_differ(names: Sequence[str], slope: np.ndarray, exposure: np.ndarray) -> Finding:
    """Ask whether the variances alone would tell every two channels apart.

    Parameters
    ----------
    slope, exposure : as ``profiles`` takes them.
    """
    pairs = profiles(names, slope, exposure)
    worst = min(pairs, key=lambda pair: pair.chance)
    alike = [pair for pair in pairs if pair.chance < SURE]
    said = "; ".join(
        f"{' and '.join(pair.names)} {pair.chance:.2f}"
        + (" (neither has an exposure that varies)" if pair.exposed == 0 else "")
        for pair in alike
    )
    apart = len(pairs) - len(alike)
    verdict = "fails" if worst.chance <= 1.0 - SURE else "undecided"
    return Finding(
        name="variance profiles",
        question="Do the exposures alone tell every two channels' variances apart?",
        evidence=(
            f"{apart} of {len(pairs)} pairs have a log variance ratio whose spread over days"
            f" exceeds {DIFFERENT} with probability {SURE:.1f}"
            + (f"; probability of the others: {said}; they rest on the table" if said else "")
        ),
        verdict=verdict if alike else "holds",
        probability=worst.chance,
    )
