"""Records of notes and the days of a structural model in; the surface of their hedge flows out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from attribution.errors import DataError
from attribution.estimate.event_notes import ListedPuts, note_surface
from attribution.estimate.event_rows import EventRows
from attribution.estimate.event_surface import NoteSurface
from attribution.mechanics.note_draws import Doubts
from attribution.model.event_study import EventQuestion
from attribution.panel import Evidence
from attribution.panel.note_terms import note_terms

SCENARIOS = 32
"""Draws of the terms: their mean enters the likelihood, each of them the simulation."""


def surface_of(
    question: EventQuestion,
    evidence: Evidence,
    rows: EventRows,
    rng: np.random.Generator,
    *,
    scenarios: int = SCENARIOS,
) -> NoteSurface:
    """Price the notes on every day of the model.

    Raises
    ------
    DataError
        If the evidence brings no records of notes, or no rule reads them.
    """
    prior = question.notes
    if prior.records not in evidence.tables:
        raise DataError(
            f"[notes] records = '{prior.records}' is not among the data; hand over a folder that"
            " has it"
        )
    closes = evidence.rows[prior.closes].dropna()
    terms = note_terms(evidence.tables[prior.records], closes, question.day)
    doubts = Doubts(watched=prior.watched, total=prior.face.median, spread=prior.face.sd)
    puts = ListedPuts(prior.puts.strike, prior.puts.tenor, prior.puts.root_time)
    listed = rows.sigma * np.sqrt(365.0)
    return note_surface(
        terms,
        doubts,
        puts,
        closes,
        pd.DatetimeIndex(rows.days),
        vols=np.full(len(listed), prior.long_vol / 100.0),
        listed_vols=listed,
        reference=question.day,
        scenarios=scenarios,
        rng=rng,
    )
