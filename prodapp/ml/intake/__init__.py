"""Bytes → table: the one way in for data, with every decision open to be seen and changed."""

from typing import TYPE_CHECKING

from prodapp.lazily import attributes_of
from prodapp.ml.table import Column, Decision, Dialect, Limits, Preview, Remark, Table

if TYPE_CHECKING:
    from prodapp.ml.intake.reading import (
        PREVIEW_BYTES,
        first_rows,
        preview_and_head,
        preview_file,
        preview_table,
        read_table,
    )
else:
    __getattr__ = attributes_of("prodapp.ml.intake.reading")

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
