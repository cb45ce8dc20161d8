"""Evidence bundles: what happened to a client, in a file that proves itself."""
