"""The organic part of net creations in; which days saw it come without a wider basis, out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from attribution.core.long_run import long_run
from attribution.estimate.flow_monitor import WINDOW, Organic
from attribution.finding import Finding

SURE, EVEN, READINGS = 0.9, 0.5, 3
"""Probability of an inflow and of a wider basis that set the flag; readings of the basis needed."""
LEVELS = {"q05": 0.05, "q25": 0.25, "q75": 0.75, "q95": 0.95}


def monitor_table(organic: Organic, returns: np.ndarray) -> pd.DataFrame:
    """One row a day.

    Returns
    -------
    published, organic, organic_q05 ...: net creation and its organic part, USD million; sum,
    sum_q05 ...: the organic part of five rows; inflow: probability that this sum is positive;
    basis, basis_q05 ...: true change of the basis over those rows' days less its usual change,
    basis points; wider: probability that it is positive; readings: changes of it observed;
    day_before: probability that the row stands for the day before; flag: whether an inflow came
    without a wider basis (missing where too little was observed); next_return: the fund's return
    over the five days after, log points.
    """
    found = {"published": organic.published}
    for name, draws in (
        ("organic", organic.daily),
        ("sum", organic.summed),
        ("basis", organic.basis),
    ):
        found[name] = draws.mean(axis=0)
        cuts = np.quantile(draws, list(LEVELS.values()), axis=0)
        found |= {f"{name}_{level}": cut for level, cut in zip(LEVELS, cuts, strict=True)}
    found["inflow"] = (organic.summed > 0.0).mean(axis=0)
    found["wider"] = (organic.basis > 0.0).mean(axis=0)
    found["readings"] = organic.readings.astype(float)
    found["day_before"] = organic.previous
    table = pd.DataFrame(found, index=organic.days)
    flag = (table["inflow"] > SURE) & (table["wider"] < EVEN)
    enough = organic.known & (organic.readings >= READINGS)
    table["flag"] = flag.astype("boolean").where(enough)
    table["next_return"] = _ahead(returns)
    return table.iloc[WINDOW - 1 :]


def _ahead(returns: np.ndarray) -> np.ndarray:
    """Sum of the returns of the days after (time,); missing at the end."""
    total = pd.Series(returns[::-1]).shift(1).rolling(WINDOW).sum().to_numpy()
    found: np.ndarray = total[::-1]
    return found


def monitor_findings(table: pd.DataFrame, after: pd.Timestamp) -> tuple[Finding, ...]:
    """Say where the flag stands, and whether prices rose after it."""
    return _now(table, after), _later(table)


def _now(table: pd.DataFrame, after: pd.Timestamp) -> Finding:
    last = table.iloc[-1]
    since = table.loc[table.index > after, "flag"].dropna().astype(bool)
    inflow, wider = float(last["inflow"]), float(last["wider"])
    unread = "" if last["readings"] >= READINGS else " The basis was read too seldom for a flag."
    verdict = "undecided"
    if not unread and inflow > SURE and wider < EVEN:
        verdict = "holds"
    elif inflow < 1.0 - SURE:
        verdict = "fails"
    return Finding(
        name="inflow without basis expansion",
        question="Do shares come in that neither returns nor a wider basis explain?",
        evidence=(
            f"On {table.index[-1]:%Y-%m-%d} the organic part of five rows was USD"
            f" {last['sum']:+.0f} million ({last['sum_q05']:+.0f} to {last['sum_q95']:+.0f} with"
            f" probability 0.9), an inflow with probability {inflow:.2f}; the basis was wider"
            f" with probability {wider:.2f}.{unread} Since {after:%Y-%m-%d} the flag was up on"
            f" {int(since.sum())} of {len(since)} days on which it could be read."
        ),
        verdict=verdict,
    )


def _later(table: pd.DataFrame) -> Finding:
    """Compare returns after flagged days with those after others, overlap and all."""
    both = table[["flag", "next_return"]].dropna()
    flag, later = both["flag"].astype(float).to_numpy(), both["next_return"].to_numpy()
    flagged = int(flag.sum())
    if flagged < WINDOW or flagged > len(flag) - WINDOW:
        return Finding(
            name="returns after the flag",
            question="Do prices rise after inflows without basis expansion?",
            evidence=f"The flag was up on {flagged} of {len(flag)} days: too few to compare.",
            verdict="undecided",
        )
    gap = float(later[flag == 1].mean() - later[flag == 0].mean())
    error = _error(flag, later)
    verdict = "holds" if gap > 2.0 * error else "fails" if gap < -2.0 * error else "undecided"
    return Finding(
        name="returns after the flag",
        question="Do prices rise after inflows without basis expansion?",
        evidence=(
            f"Over the {WINDOW} days after {flagged} flagged days the fund returned"
            f" {round(gap, 1) + 0.0:+.1f} log points more than after {len(flag) - flagged} others"
            f" (standard error {error:.1f}, days overlapping)."
        ),
        verdict=verdict,
    )


def _error(flag: np.ndarray, later: np.ndarray) -> float:
    """Newey-West standard error of the slope on the flag, with the overlap as its lags."""
    x = np.column_stack([np.ones(len(flag)), flag])
    bread = np.linalg.inv(x.T @ x)
    score = x * (later - x @ (bread @ (x.T @ later)))[:, None]
    return float(np.sqrt((bread @ long_run(score, WINDOW) @ bread)[1, 1]))
