"""One file a likelihood: data and a model in, draws of a structural posterior out."""
