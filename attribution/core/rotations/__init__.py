"""Rotations in arrays: draws, restrictions, naming, and bounds over all that are admissible."""
