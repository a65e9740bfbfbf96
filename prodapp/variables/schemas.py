"""What people say of a machine's columns, as two resources of the REST API take it."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from prodapp.rest.schemas import JsonNumber, RequestSchema
from prodapp.variables import (
    MAX_COLUMNS,
    MAX_LABEL,
    MAX_UNIT,
    ROLES,
    SENSES,
    ColumnSettings,
    TableSettings,
)


class ColumnSettingsInput(RequestSchema):
    """One column. What is left out stays as the file has it, and as suggested."""

    name = fields.String(
        required=True,
        validate=validate.Length(min=1),
        metadata={"description": "As the file has it.", "examples": ["T_ZONE3"]},
    )
    label = fields.String(
        allow_none=True,
        validate=validate.Length(max=MAX_LABEL),
        metadata={"description": "What people call it.", "examples": ["Heat of zone 3"]},
    )
    unit = fields.String(
        allow_none=True, validate=validate.Length(max=MAX_UNIT), metadata={"examples": ["°C"]}
    )
    role = fields.String(
        allow_none=True,
        validate=validate.OneOf(ROLES),
        metadata={
            "description": "Levers can be set by operators, contexts are observed, consequences "
            "are known only afterwards."
        },
    )


class TableSettingsInput(RequestSchema):
    """What people say of the columns, and what is wanted of the target."""

    columns = fields.List(
        fields.Nested(ColumnSettingsInput), validate=validate.Length(max=MAX_COLUMNS)
    )
    target = fields.String(allow_none=True, validate=validate.Length(min=1))
    sense = fields.String(
        allow_none=True,
        validate=validate.OneOf(SENSES),
        metadata={"description": "What is wanted of the target; `hold` at the value `goal`."},
    )
    goal = JsonNumber(allow_none=True)


def settings_of(body: dict[str, Any]) -> TableSettings:
    """The settings of a loaded :class:`TableSettingsInput`. Raises ``InvalidInput``."""
    columns = tuple(ColumnSettings(**column) for column in body.pop("columns", ()))
    return TableSettings(columns=columns, **body)
