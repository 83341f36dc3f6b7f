"""Arrays in, arrays out: the numerical ground floor (numpy, scipy and numba, nothing else)."""

from __future__ import annotations
