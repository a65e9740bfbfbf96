"""A data set's columns, as intake described them and people confirmed them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from prodapp.exceptions import N_
from prodapp.ml.table import Column
from prodapp.models import Dataset
from prodapp.variables import TableSettings

#: The roles of a person that keep a column out of the model, unless it is named as a feature.
_LEFT_OUT: Final = {
    "consequence": N_("It was said to be known only after the fact."),
    "identifier": N_("It was said to name rows."),
    "time": N_("It was said to tell the time."),
    "group": N_("It was said to name groups of rows."),
}
_FEATURE_KINDS: Final = ("number", "category", "boolean")


def columns_of(dataset: Dataset) -> list[Column]:
    """The columns of ``dataset`` in the file's order, with the roles that people gave them."""
    return with_roles(stored_columns(dataset), TableSettings.from_json(dataset.settings))


def stored_columns(dataset: Dataset) -> list[Column]:
    """The columns as intake described them; keys of a later release are passed over."""
    known = Column.__dataclass_fields__.keys()
    return [
        Column(
            **{key: column[key] for key in column.keys() & known}
            | {"examples": tuple(column["examples"])}
        )
        for column in dataset.preview["columns"]
    ]


def with_roles(columns: Sequence[Column], settings: TableSettings) -> list[Column]:
    """``columns`` with the roles of ``settings``; what has no values that vary keeps its own."""
    said = {column.name: column.role for column in settings.columns}
    return [_with_role(column, said.get(column.name)) for column in columns]


def _with_role(column: Column, role: str | None) -> Column:
    if role is None or column.role in ("constant", "empty"):
        return column
    if role in _LEFT_OUT:
        return replace(column, role=role, role_reason=_LEFT_OUT[role])
    if column.kind in _FEATURE_KINDS:
        return replace(column, role="feature", role_reason=None)
    return column
