"""What changes a data set, as the REST API takes it, and the rows left out as it gives them."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from prodapp.datasets.assembly import APPEND, JOIN, Assembly
from prodapp.datasets.exclusions import MAX_EXCLUSIONS
from prodapp.exceptions import FieldError, InvalidInput, N_
from prodapp.ml.assembly import DIRECTIONS, OPERATORS
from prodapp.rest.schemas import (
    AnswerSchema,
    JsonInteger,
    JsonNumber,
    RequestSchema,
    json_id_field,
)
from prodapp.variables.schemas import TableSettingsInput

MAX_MINUTES = 525_600
_CELL = {"oneOf": [{"type": "number"}, {"type": "string"}]}


class Overrides(fields.Dict):
    """Choices by ``name`` or ``name:column``; intake knows which there are."""

    def __init__(self, **more: Any) -> None:
        super().__init__(
            keys=fields.String(validate=validate.Length(min=1)),
            values=fields.String(validate=validate.Length(max=1000)),
            metadata={
                "description": "What was decided instead of finding it out, by `name` or "
                "`name:column`.",
                "examples": [{"decimal": ",", "kind:batch": "category"}],
            },
            **more,
        )


class OverridesInput(RequestSchema):
    """How to read a draft anew."""

    overrides = Overrides(required=True)


class AppendInput(RequestSchema):
    """The rows of the file go below those of another data set."""

    dataset_id = json_id_field("A data set of the same machine that is ready.", required=True)
    time = fields.String(
        allow_none=True,
        metadata={"description": "The column of times; by default the one that orders the rows."},
    )


class JoinInput(AppendInput):
    """The file holds laboratory results of the machine; one row each remains."""

    laboratory_time = fields.String(
        allow_none=True, metadata={"description": "The file's own column of times."}
    )
    tolerance_minutes = JsonNumber(
        required=True,
        validate=validate.Range(min=0, max=MAX_MINUTES, min_inclusive=False),
        metadata={"description": "How far apart in time the two may be."},
    )
    direction = fields.String(validate=validate.OneOf(DIRECTIONS))
    delay_minutes = JsonNumber(
        validate=validate.Range(min=0, max=MAX_MINUTES),
        metadata={"description": "How long the material takes from the machine to the sample."},
    )


class ConfirmInput(TableSettingsInput):
    """What people say of the columns, and what the file belongs to."""

    append_to = fields.Nested(AppendInput, allow_none=True)
    join_to = fields.Nested(JoinInput, allow_none=True)


def assembly_in(body: dict[str, Any]) -> Assembly | None:
    """Take the assembly out of a loaded :class:`ConfirmInput`. Raises ``InvalidInput`` for two."""
    append, join = body.pop("append_to", None), body.pop("join_to", None)
    if append and join:
        message = N_("Append the file to another data set or join it to one, not both.")
        raise InvalidInput(message, fields=(FieldError("/join_to", message),))
    if append:
        return Assembly(APPEND, **append)
    return Assembly(JOIN, **join) if join else None


class ConditionInput(RequestSchema):
    """One comparison; a missing value fulfils none but `missing`."""

    column = fields.String(required=True, validate=validate.Length(min=1))
    operator = fields.String(required=True, validate=validate.OneOf(OPERATORS))
    value = fields.Raw(
        allow_none=True,
        metadata={
            "oneOf": [*_CELL["oneOf"], {"type": "array", "items": _CELL}, {"type": "null"}],
            "description": "A list for `in`, nothing for `missing` and `present`.",
        },
    )


class ExclusionInput(RequestSchema):
    """Rows for which everything given here holds."""

    label = fields.String(
        validate=validate.Length(max=200), metadata={"examples": ["start-up after the weekend"]}
    )
    conditions = fields.List(fields.Nested(ConditionInput), validate=validate.Length(max=20))
    time = fields.String(
        allow_none=True, metadata={"description": "The column that the period is of."}
    )
    start = fields.String(allow_none=True, metadata={"examples": ["2026-03-01T06:00"]})
    end = fields.String(allow_none=True)
    first_row = JsonInteger(allow_none=True, validate=validate.Range(min=1))
    last_row = JsonInteger(allow_none=True, validate=validate.Range(min=1))


class ExclusionsInput(RequestSchema):
    """All rows to leave out; an empty list leaves none out."""

    exclusions = fields.List(
        fields.Nested(ExclusionInput), required=True, validate=validate.Length(max=MAX_EXCLUSIONS)
    )


class ConditionSchema(AnswerSchema):
    """One comparison."""

    column = fields.String(required=True)
    operator = fields.String(required=True)
    value = fields.Raw(required=True, allow_none=True)


class ExclusionSchema(AnswerSchema):
    """Rows that runs leave out."""

    label = fields.String(required=True)
    conditions = fields.List(fields.Nested(ConditionSchema), required=True)
    time = fields.String(required=True, allow_none=True)
    start = fields.String(required=True, allow_none=True)
    end = fields.String(required=True, allow_none=True)
    first_row = fields.Integer(required=True, allow_none=True)
    last_row = fields.Integer(required=True, allow_none=True)
    n_rows = fields.Integer(
        required=True,
        metadata={"description": "Rows that it takes; a row counts for the first that takes it."},
    )
