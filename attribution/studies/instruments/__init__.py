"""Regressions with instruments."""
