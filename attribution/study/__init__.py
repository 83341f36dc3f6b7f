"""Models that are no VAR: a specification and its evidence in, a study's answer out."""

from attribution.study.shape import ANSWERS, Effort, Study

__all__ = ["ANSWERS", "Effort", "Study"]
