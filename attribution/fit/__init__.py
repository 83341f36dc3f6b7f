"""The one path: the name of a model in, a run out."""

from __future__ import annotations

from attribution.fit.path import fit, with_event
from attribution.fit.settings import ALL, SEED, Settings

__all__ = ["ALL", "SEED", "Settings", "fit", "with_event"]
