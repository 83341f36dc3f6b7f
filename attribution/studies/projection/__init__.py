"""Local projections: what follows an impulse, horizon by horizon."""
