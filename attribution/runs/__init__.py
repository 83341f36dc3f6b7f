"""Nouns in; the groups of a saved run, with coordinates and units, out."""

from __future__ import annotations

from attribution.core.moves import log_mean_weight
from attribution.core.weighted_draws import quantile
from attribution.runs.groups_event import (
    coherent,
    contributions,
    event_shocks,
    every_shock,
    every_way,
    point_contributions,
    prior_contributions,
)
from attribution.runs.groups_study import (
    ANSWER,
    ANSWERS,
    coalitions_group,
    game_of,
    has_coalitions,
    is_study,
    study_tables,
    study_tree,
)
from attribution.runs.groups_system import HORIZONS, mode, point, structural_of, structure
from attribution.runs.labels import ESTIMAND, observed, tree_of
from attribution.runs.moments import (
    QUANTILES,
    WEIGHTED,
    band,
    describe,
    originals,
    refuse_unequal,
    weighted,
)
from attribution.runs.table_window import (
    STEADY,
    TOGETHER,
    response_table,
    together,
    transitory,
    variance_table,
    window_table,
)

__all__ = [
    "ANSWER",
    "ANSWERS",
    "ESTIMAND",
    "HORIZONS",
    "QUANTILES",
    "STEADY",
    "TOGETHER",
    "WEIGHTED",
    "band",
    "coalitions_group",
    "coherent",
    "contributions",
    "describe",
    "event_shocks",
    "every_shock",
    "every_way",
    "game_of",
    "has_coalitions",
    "is_study",
    "log_mean_weight",
    "mode",
    "observed",
    "originals",
    "point",
    "point_contributions",
    "prior_contributions",
    "quantile",
    "refuse_unequal",
    "response_table",
    "structural_of",
    "structure",
    "study_tables",
    "study_tree",
    "together",
    "transitory",
    "tree_of",
    "variance_table",
    "weighted",
    "window_table",
]
