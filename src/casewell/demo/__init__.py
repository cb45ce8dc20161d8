"""A firm that exists nowhere: for a first look, for screenshots, for tests of the whole."""
