"""Net creations of funds: which day a row stands for, and what moved them."""
