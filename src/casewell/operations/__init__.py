"""Running an installation: serving, working, keeping and restoring its data."""
