"""Vector autoregressions: kinds, identification, estimation, checks."""
