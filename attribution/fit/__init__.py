"""The one path: the name of a model in, a run out."""

from attribution.fit.path import fit, with_event
from attribution.fit.settings import ALL, DRAWS, SEED, Settings

__all__ = ["ALL", "DRAWS", "SEED", "Settings", "fit", "with_event"]
