"""Alarms and what people say of them, as the REST API takes and gives it."""

from __future__ import annotations

from marshmallow import fields, validate

from prodapp.ranking.acceptances import MAX_REASON
from prodapp.ranking.alarms import CODES
from prodapp.rest.schemas import AnswerSchema, Instant, RequestSchema


class AcceptanceInput(RequestSchema):
    """Why an alarm may stand."""

    reason = fields.String(
        required=True,
        validate=validate.Length(min=1, max=MAX_REASON),
        metadata={"examples": ["The laboratory measures it before the target is known."]},
    )


class AcceptanceSchema(AnswerSchema):
    """That a person knows an alarm, and why it may stand."""

    reason = fields.String(required=True)
    accepted_by = fields.String(required=True)
    accepted_at = Instant(required=True)


class AlarmSchema(AnswerSchema):
    """What to think of before acting on a result."""

    key = fields.String(
        required=True,
        metadata={"description": "The same for the same alarm in every version of a machine."},
    )
    code = fields.String(
        required=True,
        metadata={"description": "Stable; more may follow.", "examples": list(CODES)},
    )
    severity = fields.String(
        required=True, validate=validate.OneOf(("info", "warning", "critical"))
    )
    features = fields.List(fields.String(), required=True)
    message = fields.String(required=True, metadata={"description": "For people."})
    evidence = fields.String(
        required=True, metadata={"description": "What it rests on, for people."}
    )
    acceptance = fields.Nested(
        AcceptanceSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Null unless a person accepted it."},
    )
