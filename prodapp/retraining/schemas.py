"""Schedules and the files that they found, as the REST API gives them."""

from __future__ import annotations

from marshmallow import fields, validate

from prodapp.models import ScheduledFile
from prodapp.rest.answers import failure
from prodapp.rest.schemas import AnswerSchema, Instant, ListQuery, sort_field
from prodapp.retraining import service
from prodapp.retraining.outcome import outcome_of, problem_of
from prodapp.schedules.schemas import PlanSchema

OUTCOMES = ("waiting", "training", "trained", "failed", "set_aside")


class ScheduleSchema(PlanSchema):
    """Which folder is watched for a machine, when, and how the last look went."""

    machine_id = fields.Integer(required=True)
    next_look_at = Instant(required=True, allow_none=True, attribute="next_attempt_at")
    looked_at = Instant(required=True, allow_none=True)
    problem = fields.Function(
        problem_of,
        required=True,
        metadata={
            "anyOf": [{"$ref": "#/components/schemas/Failure"}, {"type": "null"}],
            "description": "Why the last look found nothing out.",
        },
    )
    created_at = Instant(required=True)


class FileQuery(ListQuery):
    """Which files."""

    state = fields.String(
        validate=validate.OneOf(service.STATES), metadata={"description": "Only these."}
    )
    sort = sort_field(service.SORTS, "-created_at")


class ScheduledFileSchema(AnswerSchema):
    """A file of a watched folder, and what became of it."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    size_bytes = fields.Integer(required=True)
    state = fields.String(required=True, validate=validate.OneOf(service.STATES))
    outcome = fields.Function(
        outcome_of,
        required=True,
        metadata={
            "enum": list(OUTCOMES),
            "description": "How far it has come, its import and its training taken in.",
        },
    )
    dataset_id = fields.Integer(required=True, allow_none=True)
    run_id = fields.Integer(required=True, allow_none=True)
    error = fields.Function(
        lambda file: _error(file),
        required=True,
        metadata={
            "anyOf": [{"$ref": "#/components/schemas/Failure"}, {"type": "null"}],
            "description": "Why it was set aside.",
        },
    )
    created_at = Instant(required=True)


def _error(file: ScheduledFile) -> object:
    return failure(file)
