"""Simulated crashes with a known truth: whether a shipped model's intervals hold it."""
