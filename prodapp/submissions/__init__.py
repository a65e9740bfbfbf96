"""Data and what to find out, handed in at once: a data set and a training run in one call."""
