"""Tags: how a practice groups its clients."""
