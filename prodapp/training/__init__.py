"""Training runs: start, follow, cancel, and the work itself."""
