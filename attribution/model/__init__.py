"""The question: model files read, typed, and refused or accepted."""

from __future__ import annotations

from attribution.model.read import model_from, model_names, read_model, read_var

__all__ = ["model_from", "model_names", "read_model", "read_var"]
