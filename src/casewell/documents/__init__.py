"""The documents of a client: what came by mail, by the portal or from the desk, in one place."""
