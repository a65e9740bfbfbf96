"""Versions of a machine's model: which is in use, since when, and what people say of them."""
