"""Designs with a known truth in; whether computations and intervals can be believed, out."""

from __future__ import annotations
