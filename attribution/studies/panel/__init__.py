"""Entities and events on one clock: panel regressions."""
