"""A model of any kind and its panel in; draws, checks and bounds in one shape out."""

from attribution.estimation.dispatch import estimate
from attribution.estimation.headline import REWEIGHTED
from attribution.estimation.shape import Estimate, Sampling

__all__ = ["REWEIGHTED", "Estimate", "Sampling", "estimate"]
