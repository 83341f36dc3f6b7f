"""Where the outcome should have been, had the event not come."""
