"""A saved run on paper: tables, figures and one self-contained page; no estimator is imported."""

from __future__ import annotations
