"""Priced exposures and their tables in; findings and one sentence out."""

from __future__ import annotations

import pandas as pd

from attribution.finding import Finding
from attribution.study.priced import Priced
from attribution.study.shape import ANSWERS

SIZE = 0.05


def slope_findings(priced: Priced, tables: dict[str, pd.DataFrame], unit: str) -> list[Finding]:
    """Say how unusual the events' slopes and misses are, and what a slope says of the next day."""
    out = []
    for label, row in tables.get("event_slopes", pd.DataFrame()).iterrows():
        span = f"{row.lowest_without_one:+.2f} to {row.highest_without_one:+.2f}"
        out.append(
            Finding(
                f"slope: {label}",
                "Was the day's price of this exposure beyond what other days show?",
                f"{row.slope:+.2f} {unit} per unit, percentile {row.percentile:.1f} of"
                f" {row.other_days:.0f} other days, p = {row.p:.3f}; from {row.assets:.0f} assets,"
                f" {span} when one of them is left out",
                "holds" if row.p <= SIZE else "undecided",
            )
        )
    answers = tables[ANSWERS]
    for label, missed in tables.get("misses", pd.DataFrame()).iterrows():
        row = answers.T[str(label)]
        out.append(
            Finding(
                f"expected: {label}",
                "Is the return within what the other assets' returns that day lead to expect?",
                f"expected {row['mean']:+.1f} {unit} ({row.q05:+.1f} to {row.q95:+.1f}), was"
                f" {missed.observed:+.1f}; p = {missed.p:.3f} of a miss as large",
                "fails" if missed.p <= SIZE else "undecided",
            )
        )
    return [*out, *_lead_findings(priced, tables, unit)]


def _lead_findings(priced: Priced, tables: dict[str, pd.DataFrame], unit: str) -> list[Finding]:
    out = []
    for label, row in tables.get("the_day_after", pd.DataFrame()).iterrows():
        factor = 1 + [f"{n} the day before" for n in priced.names].index(str(label).split(": ")[1])
        after = "; ".join(
            f"after {event} that is {row.coefficient * priced.slopes.slope[place, factor]:+.1f}"
            for event, place in priced.market.events.items()
        )
        out.append(
            Finding(
                f"lead: {label}",
                "Does a day's price of exposure foretell the asset's return of the next day?",
                f"{row.coefficient:+.2f} {unit} per unit of slope (90 % {row.q05:+.2f} to"
                f" {row.q95:+.2f}, {row.days:.0f} days, events left out, p = {row.p:.3f}"
                f" of {len(tables['the_day_after'])} asked); {after}",
                "holds" if row.p <= SIZE else "undecided",
            )
        )
    return out


def slope_headline(priced: Priced, tables: dict[str, pd.DataFrame], unit: str) -> str:
    """Say what the others lead to expect of assets set apart, or the first average slope."""
    answers = tables[ANSWERS]
    market = priced.market
    if market.events and market.apart:
        name = market.assets[market.apart[0]]
        said = []
        for event in market.events:
            row, seen = answers.loc[f"{name}, {event}"], tables["misses"]["observed"]
            said.append(
                f"{event} {row['mean']:+.1f} expected ({row.q05:+.1f} to {row.q95:+.1f}),"
                f" {seen[f'{name}, {event}']:+.1f} seen"
            )
        return f"{name} given the day's other returns, {unit}: {'; '.join(said)}."
    row = answers.iloc[0]
    return f"{answers.index[0]}: {row['mean']:+.3f} {unit} (90 % {row.q05:+.3f} to {row.q95:+.3f})."
