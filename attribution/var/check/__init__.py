"""Questions put to a fitted VAR: findings out."""
