"""A data set's columns, as intake described them and the database keeps them."""

from __future__ import annotations

from prodapp.ml.intake import Column
from prodapp.models import Dataset


def columns_of(dataset: Dataset) -> list[Column]:
    """The columns of ``dataset`` in the file's order."""
    return [
        Column(**{**column, "examples": tuple(column["examples"])})
        for column in dataset.preview["columns"]
    ]
