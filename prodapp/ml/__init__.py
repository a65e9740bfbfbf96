"""The pure core: bytes and DataFrames in, frozen dataclasses out, progress by a callback."""
