"""Data sets: upload, preview, import."""
