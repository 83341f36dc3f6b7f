"""What hedges of structured notes traded."""
