"""A client's timeline: the whole ledger of one client, as people read it."""
