"""Laws of errors in arrays: each a likelihood and its sampler."""
