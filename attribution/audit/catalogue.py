"""The name of a test in; the class of its parameters and the function that runs it out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attribution.audit import (
    arithmetic,
    basis,
    contributions,
    correlation,
    follow,
    growth,
    hedges,
    notes,
    options,
    predicted,
    published,
    records,
    rows,
    saved,
)
from attribution.audit.sources import Sources
from attribution.audit.tested import Tested

Test = Callable[[Any, Sources], Tested]

TESTS: dict[str, tuple[type, Test]] = {
    "basis_jump": (basis.BasisJump, basis.basis_jump),
    "basis_move": (basis.BasisMove, basis.basis_move),
    "compare": (contributions.Compare, contributions.compare),
    "correlation": (correlation.Correlation, correlation.correlation),
    "correlation_compare": (correlation.CorrelationCompare, correlation.correlation_compare),
    "dated_row": (rows.DatedRow, rows.dated_row),
    "delta_above": (hedges.DeltaAbove, hedges.delta_above),
    "figure_at_least": (published.FigureAtLeast, published.figure_at_least),
    "figures_agree": (published.FiguresAgree, published.figures_agree),
    "finding_of": (saved.FindingOf, saved.finding_of),
    "first_below": (notes.FirstBelow, notes.first_below),
    "flow_share": (rows.FlowShare, rows.flow_share),
    "follow_through": (follow.FollowThrough, follow.follow_through),
    "forecast": (contributions.Forecast, contributions.forecast),
    "growth_compare": (growth.GrowthCompare, growth.growth_compare),
    "joint": (contributions.Joint, contributions.joint),
    "largest": (contributions.Largest, contributions.largest),
    "lead": (contributions.Lead, contributions.lead),
    "long_option_hedge": (options.LongOptionHedge, options.long_option_hedge),
    "near_zero": (rows.NearZero, rows.near_zero),
    "note_hedge": (hedges.NoteHedge, hedges.note_hedge),
    "note_size": (notes.NoteSize, notes.note_size),
    "on_day": (records.OnDay, records.on_day),
    "predicted_flow": (predicted.PredictedFlow, predicted.predicted_flow),
    "published_only": (published.PublishedOnly, published.published_only),
    "rank_of_day": (records.RankOfDay, records.rank_of_day),
    "record_of": (records.RecordOf, records.record_of),
    "rival": (saved.Rival, saved.rival),
    "share_of_move": (contributions.ShareOfMove, contributions.share_of_move),
    "shorting_creates": (arithmetic.ShortingCreates, arithmetic.shorting_creates),
    "tail_probability": (arithmetic.TailProbability, arithmetic.tail_probability),
    "tail_ratio": (arithmetic.TailRatio, arithmetic.tail_ratio),
}
"""Every test; each is a pure function of its parameters and the sources."""
