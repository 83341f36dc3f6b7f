"""The evidence: data files and their cards in, columns on one clock with their units out."""

from __future__ import annotations

from attribution.panel.card import Card, Column, Series, read_card
from attribution.panel.catalogue import DataSet, Described, data_sets, read_frame
from attribution.panel.evidence import Evidence, read_evidence
from attribution.panel.frame import panel_of
from attribution.panel.read import Panel, read_panel

__all__ = [
    "Card",
    "Column",
    "DataSet",
    "Described",
    "Evidence",
    "Panel",
    "Series",
    "data_sets",
    "panel_of",
    "read_card",
    "read_evidence",
    "read_frame",
    "read_panel",
]
