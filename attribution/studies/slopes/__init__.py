"""Prices of exposures, day by day (Fama-MacBeth)."""
