"""Designs of simulation-based calibration, one file a part of the program that is calibrated."""

from __future__ import annotations
