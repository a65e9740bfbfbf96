"""Bytes → table: the one way in for data, with every decision open to be seen and changed."""

from prodapp.ml.intake.reading import (
    PREVIEW_BYTES,
    first_rows,
    preview_and_head,
    preview_file,
    preview_table,
    read_table,
)
from prodapp.ml.table import Column, Decision, Dialect, Limits, Preview, Remark, Table

__all__ = [
    "PREVIEW_BYTES",
    "Column",
    "Decision",
    "Dialect",
    "Limits",
    "Preview",
    "Remark",
    "Table",
    "first_rows",
    "preview_and_head",
    "preview_file",
    "preview_table",
    "read_table",
]
