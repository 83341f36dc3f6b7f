"""Arrays in, arrays out: the numerical ground floor (numpy, scipy and numba, nothing else)."""
