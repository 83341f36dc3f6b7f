"""Nouns in; the groups of a saved run, with coordinates and units, out."""

from attribution.record.coalitions import coalitions_group, game_of, has_coalitions
from attribution.record.event import (
    coherent,
    contributions,
    event_shocks,
    every_shock,
    every_way,
    point_contributions,
    prior_contributions,
)
from attribution.record.labels import ESTIMAND, observed, tree_of
from attribution.record.study import ANSWER, ANSWERS, is_study, study_tables, study_tree
from attribution.record.system import HORIZONS, mode, point, structural_of, structure
from attribution.record.weighted import WEIGHTED, originals, refuse_unequal, weighted

__all__ = [
    "ANSWER",
    "ANSWERS",
    "ESTIMAND",
    "HORIZONS",
    "WEIGHTED",
    "coalitions_group",
    "coherent",
    "contributions",
    "event_shocks",
    "every_shock",
    "every_way",
    "game_of",
    "has_coalitions",
    "is_study",
    "mode",
    "observed",
    "originals",
    "point",
    "point_contributions",
    "prior_contributions",
    "refuse_unequal",
    "structural_of",
    "structure",
    "study_tables",
    "study_tree",
    "tree_of",
    "weighted",
]
