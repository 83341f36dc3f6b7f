"""Claims about an event in; evidence, probabilities, verdicts and their sensitivity out."""

from __future__ import annotations
