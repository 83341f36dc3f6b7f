"""The evidence: data files and their cards in, columns on one clock with their units out."""

from attribution.panel.card import Card, Column, Series
from attribution.panel.catalogue import DataSet, Described, data_sets, read_frame
from attribution.panel.evidence import Evidence, read_evidence
from attribution.panel.frame import panel_of
from attribution.panel.read import Panel, read_panel
from attribution.panel.spelling import read_card

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
