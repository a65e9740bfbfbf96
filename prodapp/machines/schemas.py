"""Machines as the REST API takes and gives them."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from prodapp.machines.overviews import SORTS, STATUSES
from prodapp.models import Machine, MachineVariable
from prodapp.names import MAX_NAME
from prodapp.rest.schemas import (
    AnswerSchema,
    Instant,
    ListQuery,
    RequestSchema,
    sort_field,
)
from prodapp.variables import ROLES, SENSES, settings_from

_CONTROL = r"\u0000-\u001f\u007f-\u009f"
#: No control characters, and something to see.
NAME_PATTERN = rf"^[^{_CONTROL}]*[^\s{_CONTROL}][^{_CONTROL}]*$"


class MachineQuery(ListQuery):
    """Which machines, in which order."""

    q = fields.String(
        load_default="",
        validate=validate.Length(max=MAX_NAME),
        metadata={"description": "Part of the name; case does not count."},
    )
    status = fields.String(
        validate=validate.OneOf(STATUSES),
        metadata={"description": "Only machines of this status."},
    )
    sort = sort_field(SORTS, "name")


class MachineInput(RequestSchema):
    """What a machine is called."""

    name = fields.String(
        required=True,
        validate=[
            validate.Length(min=1, max=MAX_NAME),
            validate.Regexp(NAME_PATTERN[:-1] + r"\Z", error="Give the machine a name."),
        ],
        metadata={
            "description": "Unique in the site; case does not count.",
            "examples": ["Prensa 01"],
            "pattern": NAME_PATTERN,
        },
    )


class MachineSchema(AnswerSchema):
    """A machine and what its model in use found."""

    id = fields.Integer(required=True, metadata={"examples": [1]})
    name = fields.String(required=True, metadata={"examples": ["Prensa 01"]})
    status = fields.String(
        required=True,
        validate=validate.OneOf(STATUSES),
        metadata={"description": "Follows from the latest run and the version in use."},
    )
    created_at = Instant(required=True)
    latest_run_id = fields.Integer(required=True, allow_none=True)
    champion_version_id = fields.Integer(
        required=True,
        allow_none=True,
        attribute="champion_id",
        metadata={"description": "The model version in use."},
    )
    target = fields.String(
        required=True, allow_none=True, metadata={"description": "What that version explains."}
    )
    r2 = fields.Float(
        required=True, allow_none=True, metadata={"description": "Its R² on held-out samples."}
    )
    explains = fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "Whether it beats always predicting the mean, beyond the noise."},
    )
    top_variable = fields.String(
        required=True, allow_none=True, metadata={"description": "The first of its ranking."}
    )
    trained_at = Instant(required=True, allow_none=True)


class VariableSchema(AnswerSchema):
    """What is remembered of one column."""

    name = fields.String(required=True)
    label = fields.String(required=True, allow_none=True)
    unit = fields.String(required=True, allow_none=True)
    role = fields.String(required=True, allow_none=True, validate=validate.OneOf(ROLES))
    kind = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "In the last confirmed file, as are the figures."},
    )
    low = fields.Float(
        required=True, allow_none=True, metadata={"description": "1 % of its values are lower."}
    )
    middle = fields.Float(required=True, allow_none=True, metadata={"description": "The median."})
    high = fields.Float(
        required=True, allow_none=True, metadata={"description": "1 % of its values are higher."}
    )


class VariablesSchema(AnswerSchema):
    """What is remembered for a machine's next file."""

    target = fields.String(required=True, allow_none=True)
    sense = fields.String(
        required=True,
        allow_none=True,
        validate=validate.OneOf(SENSES),
        metadata={"description": "What is wanted of the target; `hold` at the value `goal`."},
    )
    goal = fields.Float(required=True, allow_none=True)
    overrides = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={"description": "How the last confirmed file was read."},
    )
    columns = fields.List(fields.Nested(VariableSchema), required=True)


def variables_document(machine: Machine, variables: list[MachineVariable]) -> dict[str, Any]:
    """What :class:`VariablesSchema` dumps."""
    settings = settings_from(variables)
    return {
        "target": settings.target,
        "sense": settings.sense,
        "goal": settings.goal,
        "overrides": machine.overrides or {},
        "columns": variables,
    }
