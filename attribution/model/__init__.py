"""The question: model files read, typed, and refused or accepted."""

from attribution.model.read import model_names, read_model

__all__ = ["model_names", "read_model"]
