"""Which numbers a reader sees, in which order: a summary table enters, cells of text leave."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from attribution.core.moves import simple_return
from attribution.errors import DataError, nearest
from attribution.report.numbers import (
    THIN,
    decimals_for,
    number,
    per_cent,
    probability,
    significant,
    span,
)

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

COLUMNS = (
    *("mean", "sd", "q05", "q25", "median", "q75", "q95", "coherent", "p_negative", "p_largest"),
    *("share", "percent", "mcse_mean", "mcse_median", "mcse_p_negative", "r_hat"),
    *("ess_bulk", "ess_tail"),
    *("grade", "robust_lower", "robust_upper", "identification_strength"),
)
WEAK = 0.5  # identification strength below which a contribution is only a compatible range
LOG_POINTS = "log points"
Row = Mapping[str, Any]


def decimals(table: pd.DataFrame) -> int:
    """Return how many decimals of a log point a table prints, one or two.

    Two if twice the largest Monte Carlo standard error of a mean is at most a hundredth.
    """
    errors = [float(e) for e in table["mcse_mean"] if isfinite(e) and e > 0]
    return 2 if errors and 2 * max(errors) <= 0.01 else 1


def checked(table: pd.DataFrame, window: str) -> pd.DataFrame:
    """Return the table if it has the columns and rows of a window table.

    Raises
    ------
    DataError
        If one is missing, or a column of numbers holds anything else.
    """
    for kind, wanted, known in (
        ("column", COLUMNS, [str(c) for c in table.columns]),
        ("row", ("unattributed", "baseline", "observed"), [str(r) for r in table.index]),
    ):
        for name in wanted:
            if name not in known:
                raise DataError(
                    f"table '{window}': {kind} '{name}' is missing{nearest(name, known)};"
                    " make it with summary.window_table"
                )
    for name in COLUMNS:
        if name != "grade" and table[name].dtype.kind not in "fiu":
            raise DataError(
                f"table '{window}': column '{name}' holds more than numbers;"
                " write NaN where there is none"
            )
    return table


@dataclass(frozen=True)
class Column:
    """One column on paper: its heading, what a row shows in it, given the decimals of the table."""

    heading: str
    text: Callable[[Row, int], str]
    title: str = ""


def _points(name: str) -> Callable[[Row, int], str]:
    return lambda row, places: number(row[name], places)


def _span(low: str, high: str) -> Callable[[Row, int], str]:
    return lambda row, places: span(row[low], row[high], places)


def _chance(name: str) -> Callable[[Row, int], str]:
    return lambda row, _: probability(row[name])


def _error(name: str) -> Callable[[Row, int], str]:
    return lambda row, _: significant(row[name], 2)


def _fixed(name: str, places: int) -> Callable[[Row, int], str]:
    return lambda row, _: number(row[name], places)


RESULT = (
    Column("mean", _points("mean"), "posterior mean; means add up"),
    Column(
        "per cent",
        lambda row, places: per_cent(row["percent"], places),
        "simple return, by the log-mean weight; adds up",
    ),
    Column("share", lambda row, _: per_cent(100 * row["share"], 0), "mean over the observed move"),
    Column(f"90{THIN}%", _span("q05", "q95"), "central interval"),
    Column("P(<0)", _chance("p_negative"), "probability that it lowered the outcome"),
    Column("P(largest)", _chance("p_largest"), "probability of being the largest channel"),
    Column(
        "grade",
        lambda row, _: row["grade"] if isinstance(row["grade"], str) else "",
        "how far the claim rests on the data",
    ),
)
PRECISION = (
    Column("sd", _points("sd"), "posterior standard deviation"),
    Column("median", _points("median"), "posterior median; medians do not add up"),
    Column("coherent", _points("coherent"), "the one draw nearest to all others; adds up"),
    Column(f"50{THIN}%", _span("q25", "q75"), "central interval"),
    Column("MCSE mean", _error("mcse_mean"), "Monte Carlo standard error"),
    Column("MCSE median", _error("mcse_median"), "Monte Carlo standard error"),
    Column("MCSE P(<0)", _error("mcse_p_negative"), "Monte Carlo standard error"),
    Column(
        "R\N{NON-BREAKING HYPHEN}hat",
        _fixed("r_hat", 3),
        "rank-normalised, split; 1 when chains agree",
    ),
    Column("ESS bulk", _fixed("ess_bulk", 0), "effective number of draws, for the mean"),
    Column("ESS tail", _fixed("ess_tail", 0), "effective number of draws, for the tails"),
)
ROBUST = (
    Column(
        f"90{THIN}%, Haar prior",
        lambda row, places: (
            span(row["q05"], row["q95"], places) if isfinite(row["robust_lower"]) else ""
        ),
        "under the uniform prior on rotations",
    ),
    Column("robust bounds", _span("robust_lower", "robust_upper"), "all priors"),
    Column("strength", _fixed("identification_strength", 2), "0: nothing excluded, 1: a point"),
    Column("reading", lambda row, _: reading(row), f"below {WEAK} a compatible range"),
)


def reading(row: Row) -> str:
    """Say what the bounds let one call the row."""
    strength = row["identification_strength"]
    if not isfinite(strength):
        return ""
    return "compatible range" if strength < WEAK else "contribution"


def has_bounds(table: pd.DataFrame) -> bool:
    """Say whether the table carries robust bounds."""
    return bool(table["robust_lower"].notna().any())


def rows(table: pd.DataFrame) -> dict[str, Row]:
    """Return the rows by name: baseline, channels, unattributed, observed.

    What follows for the observed move from its size alone, its simple return (of log points) and
    its share, is filled in.
    """
    by_name = _records(table)
    observed = by_name["observed"]
    logs = isfinite(by_name["baseline"]["percent"])
    simple = simple_return(observed["mean"]) if logs else float("nan")
    whole = {"percent": simple, "share": 1.0}
    by_name["observed"] = {**observed, **whole}
    last = ("unattributed", "observed")
    order = ["baseline", *(n for n in by_name if n not in ("baseline", *last)), *last]
    return {name: by_name[name] for name in order}


def cells(table: pd.DataFrame, columns: tuple[Column, ...]) -> list[tuple[str, list[str]]]:
    """Return every row as its name and its cells."""
    places = decimals(table)
    return [(n, [c.text(row, places) for c in columns]) for n, row in rows(table).items()]


def free_cells(table: pd.DataFrame) -> list[tuple[str, list[str]]]:
    """Return the rows of any other table: three significant digits, words as they are."""
    return [
        (name, [_free(value) for value in row.values()]) for name, row in _records(table).items()
    ]


def band_cells(table: pd.DataFrame) -> list[tuple[str, list[str]]]:
    """Return the rows of a table of channel and horizon, decimals alike; never-moving left out."""
    places = decimals_for(float(table[["q05", "q95"]].abs().to_numpy().max()))
    records = _records(table)
    moving = {channel_of(name) for name, row in records.items() if any(row.values())}
    return [
        (name, [number(value, places) for value in row.values()])
        for name, row in records.items()
        if channel_of(name) in moving
    ]


def channel_of(name: str) -> str:
    """Return the channel of a row that is named by channel and horizon."""
    return name.rpartition(", ")[0]


def _records(table: pd.DataFrame) -> dict[str, Row]:
    return {
        str(name): {str(key): value for key, value in row.items()}
        for name, row in zip(table.index, table.to_dict("records"), strict=True)
    }


def _free(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return number(value, 0)
    return significant(value, 3) if isinstance(value, float) else str(value)


def headed(table: Table, heading: str, caption: str = "") -> Any:
    """Set a heading and a caption about a table, as wide as the screen and not as the table."""
    from rich.console import Group
    from rich.text import Text

    above = [Text(heading, style="bold")] if heading else []
    below = [Text(f"{caption}\n", style="dim")] if caption else []
    return Group(*above, table, *below)


def terminal_table(table: pd.DataFrame, heading: str) -> Any:
    """Return one window for the terminal: mean, 5 %, 95 % and per cent of every row."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    places, said = decimals(table), rows(table)
    logs = isfinite(said["observed"]["percent"])
    shown = Table(box=box.SIMPLE_HEAD)
    shown.add_column("")
    for column in ("mean", f"5{THIN}%", f"95{THIN}%", *(["per cent"] if logs else [])):
        shown.add_column(column, justify="right", no_wrap=True)
    for name, row in said.items():
        numbers = [number(row[key], places) for key in ("mean", "q05", "q95")]
        shown.add_row(escape(name), *numbers, *([per_cent(row["percent"], places)] if logs else []))
    weight = "; per cent by the log-mean weight" if logs else ""
    return headed(shown, heading, f"observed is the sum of the means above{weight}")
