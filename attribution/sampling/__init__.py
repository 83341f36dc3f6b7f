"""Sampling: the engines, their warm-up, and the judge of whether draws can be trusted."""
