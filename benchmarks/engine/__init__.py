"""The engine against the plain way, side by side: ``make bench``."""
