"""The question: model files read, typed, and refused or accepted."""
