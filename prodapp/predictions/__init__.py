"""Versions at work: predictions, their history, and how far they came true."""
