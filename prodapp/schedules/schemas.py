"""A machine's schedule as the REST API takes it."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from prodapp.rest.schemas import AnswerSchema, RequestSchema
from prodapp.schedules.plan import (
    DEFAULT_PATTERN,
    DEFAULT_TIMEZONE,
    MAX_CRON,
    MAX_FOLDER,
    MAX_PATTERN,
    Plan,
)


class PlanInput(RequestSchema):
    """Which folder, which files, how often."""

    folder = fields.String(
        required=True,
        validate=validate.Length(min=1, max=MAX_FOLDER),
        metadata={
            "description": "The folder as the dispatcher sees it, below one that an administrator "
            "listed in SCHEDULE_ROOTS.",
            "examples": ["/srv/plant/press-01"],
        },
    )
    cron = fields.String(
        required=True,
        validate=validate.Length(min=1, max=MAX_CRON),
        metadata={
            "description": "Minute, hour, day, month, day of the week.",
            "examples": ["0 6 * * 1-5"],
        },
    )
    pattern = fields.String(
        load_default=DEFAULT_PATTERN,
        validate=validate.Length(min=1, max=MAX_PATTERN),
        metadata={"description": "What names of files fit.", "examples": ["*.csv"]},
    )
    timezone = fields.String(
        load_default=DEFAULT_TIMEZONE,
        validate=validate.Length(min=1, max=64),
        metadata={
            "description": "In which the expression is read.",
            "examples": ["America/Sao_Paulo"],
        },
    )
    is_active = fields.Boolean(
        load_default=True, metadata={"description": "Whether anybody looks."}
    )


class PlanSchema(AnswerSchema):
    """The plan of a machine's schedule."""

    folder = fields.String(required=True)
    cron = fields.String(required=True)
    pattern = fields.String(required=True)
    timezone = fields.String(required=True)
    is_active = fields.Boolean(required=True)


def plan_in(body: dict[str, Any]) -> Plan:
    """The plan of a loaded :class:`PlanInput`."""
    return Plan(**body)
