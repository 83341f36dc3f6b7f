"""What turns reduced forms and unlabelled draws into structural shocks with names."""
