"""A model of any kind and its panel in; draws, checks and bounds in one shape out."""

from __future__ import annotations

from attribution.var.kinds.shape import REWEIGHTED, Estimate, Sampling, estimate

__all__ = ["REWEIGHTED", "Estimate", "Sampling", "estimate"]
