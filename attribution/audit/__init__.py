"""Claims about an event in; evidence, probabilities, verdicts and their sensitivity out."""
