"""Proxy VARs in arrays: an external instrument, its strength, its sampler."""
