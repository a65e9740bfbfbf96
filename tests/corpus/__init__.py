"""Awkward files as factories write them, each with the table or the refusal it must become."""
