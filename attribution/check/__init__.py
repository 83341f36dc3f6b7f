"""One file a question: a table, a model or a posterior in, findings out."""
