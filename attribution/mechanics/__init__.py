"""Closed-form market mechanics: prices, Greeks and hedge flows; arrays in, arrays out."""

from __future__ import annotations
