"""Measured comparisons: Casewell beside hand-written SQL, on the same data, in one run."""
