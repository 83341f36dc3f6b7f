"""One package a question: what its file says, its rows, its fit, its answer and its pictures."""
