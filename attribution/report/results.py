"""A run and its tables in; every number that documents quote out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from attribution import runs
from attribution.core.moves import NOBODY, likeliest, simple_return
from attribution.finding import SURE
from attribution.model.spec import UNATTRIBUTED
from attribution.report.draws import windows
from attribution.report.run_tables import RESPONSES, SUMS, TRANSITORY, VARIANCE
from attribution.runs import is_study
from attribution.runs.run import Run

if TYPE_CHECKING:
    import xarray as xr


# A table in; its rows as plain data, as JSON holds them, out.

Row = dict[str, Any]


def plain_rows(table: pd.DataFrame) -> list[Row]:
    """Return each row's texts, truths and finite numbers; a cell that is missing is left out."""
    return [
        {
            str(key): value if isinstance(value, str | bool) else float(value)
            for key, value in row.items()
            if not pd.isna(value) and (isinstance(value, str) or np.isfinite(value))
        }
        for row in table.to_dict("records")
    ]


def by_name(table: pd.DataFrame) -> dict[str, Row]:
    """Return the rows of a table under their names."""
    return dict(zip(map(str, table.index), plain_rows(table), strict=True))


# A run and its tables in; the sentence it opens with out.

BASELINE = "baseline"
LOG_POINTS = "log points"


def opening(run: Run, found: Mapping[str, pd.DataFrame]) -> str:
    """Say what moved the outcome over the first window, or on average where there is none.

    A study says what it was saved with.
    """
    if is_study(run.tree):
        return str(run.manifest["headline"])
    named = windows(run.tree)
    return headline(run, found[named[0]]) if named else on_average(run, found[VARIANCE])


TRIFLE = 0.05
"""Share of the move below which the largest part does next to nothing of it."""
SAID = 0.005
"""Share of variance that prints as more than nothing."""


def headline(run: Run, table: pd.DataFrame) -> str:
    """Say in two sentences what moved the outcome, how surely, and what is not known."""
    name = windows(run.tree)[0]
    move = number(table, "observed", "mean")
    channels = [row for row in table.index if row not in (UNATTRIBUTED, BASELINE, "observed")]
    unit = run.tree.attrs.get("outcome_unit", LOG_POINTS)
    cents = simple_return(move) if unit == LOG_POINTS else np.nan
    simple = f" ({cents:+.1f} %)" if np.isfinite(cents) else ""
    said = f"{run.tree.attrs['outcome']} moved {move:+.1f} {unit}{simple} in window '{name}'; "
    said += _largest(table, [*channels, UNATTRIBUTED], move, unit)
    surely = table["p_negative"].where(table["p_negative"] >= 0.5, 1 - table["p_negative"])
    driven = table["grade"] == "prior-driven"
    open_ = [_words(c) for c in channels if driven[c] and surely[c] < SURE]
    rests = [_words(c) for c in channels if driven[c] and surely[c] >= SURE]
    if open_:
        said += f" The data do not tell the sign of: {', '.join(open_)}."
    if rests:
        said += f" The sign rests on the priors for: {', '.join(rests)}."
    return said


def _largest(table: pd.DataFrame, parts: list[str], move: float, unit: str) -> str:
    """Name the largest part; the baseline where none moves so, or it does next to nothing."""

    def row(name: str) -> str:
        mean, low, high = (number(table, name, key) for key in ("mean", "q05", "q95"))
        return f"mean {mean:+.1f}, 90 % interval {low:+.1f} to {high:+.1f} {unit}"

    if move == 0.0:
        return "a move of nothing has no largest part."
    place, chance = likeliest(table.loc[parts, "p_largest"].to_numpy(float))
    top = "" if place == NOBODY else parts[place]
    did = number(table, top, "mean") / move if top else 0.0
    said = ""
    if did < TRIFLE < number(table, BASELINE, "mean") / move:
        said = f"what was expected before it began, the baseline, is {row(BASELINE)}; "
        said += "of the shocks, " if top else ""
    if not top:
        return f"{said}no shock moves with it with probability {chance:.2f}."
    said += f"{_words(top)} is the largest part with probability {chance:.2f}: {row(top)}."
    if chance < 0.5:
        said += " No single channel is more likely than not to be the largest."
    return said


def on_average(run: Run, shares: pd.DataFrame) -> str:
    """Say whose shocks account for most of the outcome's forecast error variance."""
    outcome = run.tree.attrs["outcome"]
    horizons = [str(name).rpartition(", ")[2] for name in shares.index]
    last = shares[[horizon == horizons[-1] for horizon in horizons]]
    last = last.set_axis([str(name).rpartition(", ")[0] for name in last.index])
    named = last.drop(index=UNATTRIBUTED, errors="ignore")
    top = str(named["mean"].idxmax())
    row = named.loc[top]
    said = (
        f"At horizon {horizons[-1]}, {_words(top)} accounts for {row['mean']:.2f} of the forecast"
        f" error variance of {outcome}, 90 % interval {row['q05']:.2f} to {row['q95']:.2f}"
    )
    said += ", the most of all channels" if len(named) > 1 and row["mean"] >= SAID else ""
    rest = number(last, UNATTRIBUTED, "mean") if UNATTRIBUTED in last.index else 0.0
    if rest >= SAID:
        said += f"; no channel names {rest:.2f} of it"
    return f"{said}."


def number(table: pd.DataFrame, row: str, column: str) -> float:
    """Return one cell as a number."""
    return float(table[column].to_numpy(float)[table.index.get_loc(row)])


def _words(name: str) -> str:
    return name.replace("_", " ")


KEPT = (
    "mean",
    "sd",
    "q05",
    "q25",
    "median",
    "q75",
    "q95",
    "coherent",
    "p_negative",
    "p_largest",
    "percent",
    "share",
    "mcse_mean",
    "r_hat",
    "ess_bulk",
    "ess_tail",
    "robust_lower",
    "robust_upper",
    "identification_strength",
)


def results(run: Run, found: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Every number that the report, the README and the paper quote."""
    if is_study(run.tree):
        return _study(run, found)
    named = windows(run.tree)
    manifest = run.manifest
    return {
        "model": run.tree.attrs["model"],
        "event": run.tree.attrs["event"],
        "estimand": run.tree.attrs["estimand"],
        "headline": opening(run, found),
        "windows": {name: _window(found[name]) for name in named},
        "sums": _rows(found[SUMS]) if SUMS in found else {},
        "transitory": by_name(found[TRANSITORY]) if TRANSITORY in found else {},
        **{
            name.replace(" ", "_"): by_name(found[name])
            for name in (RESPONSES, VARIANCE)
            if name in found
        },
        "findings": list(manifest["findings"]),
        "diagnostics": {
            **manifest["diagnostics"],
            "draws": int(run.tree["weights"].sizes["draw"]),
            "chains": int(run.tree["weights"].sizes["chain"]),
        },
        "manifest": _made(manifest),
        "event_in": _event_in(run.tree),
    }


def _study(run: Run, found: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Every number and word of a study's tables; a number that does not exist is left out."""
    manifest = run.manifest
    return {
        "model": run.tree.attrs["model"],
        "kind": run.tree.attrs["study"],
        "headline": opening(run, found),
        "tables": {name: by_name(table) for name, table in found.items()},
        "findings": list(manifest["findings"]),
        "diagnostics": dict(manifest["diagnostics"]),
        "manifest": _made(manifest),
    }


def _made(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "model_digest": manifest["digests"]["model"],
        "data_digest": manifest["digests"]["data"],
        "seed": manifest["seed"],
        "version": manifest["versions"]["attribution"],
    }


def _window(table: pd.DataFrame) -> dict[str, Any]:
    return {
        "observed": number(table, "observed", "mean"),
        "rows": _rows(table.drop(index="observed")),
    }


def _rows(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    kept = [column for column in KEPT if column in table]
    out = {}
    for name, row in table.iterrows():
        numbers = {column: float(row[column]) for column in kept if np.isfinite(row[column])}
        out[str(name)] = {**numbers, **({"grade": row["grade"]} if "grade" in row else {})}
    return out


def _event_in(tree: xr.DataTree) -> dict[str, Any]:
    if "event_in" not in tree:
        return {}
    data = tree["event_in"].to_dataset()
    base = tree["weights/weight"].to_numpy()
    out: dict[str, Any] = {}
    for way in data["event_in"].to_numpy():
        one = data.sel(event_in=way)
        source = one if "contribution" in one else tree["posterior"].to_dataset()
        parts = source["contribution"].transpose("chain", "draw", "window", "channel")
        weight = base * np.exp(one["log_weight"].to_numpy())
        out[str(way)] = {}
        for window in windows(tree):
            table = runs.band(parts.sel(window=window).to_numpy(), weight)
            table.index = pd.Index([str(c) for c in parts["channel"].to_numpy()])
            out[str(way)][window] = table.to_dict(orient="index")
    return out
