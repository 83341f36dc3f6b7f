"""Attribute a market event: which mechanism moved the price, by how much, and how surely."""

__version__ = "0.1.0"
