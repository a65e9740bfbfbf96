"""The document of a machine's setup, as it is exported and taken back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from marshmallow import fields, validate

from prodapp.config import PROMOTIONS
from prodapp.exceptions import InvalidInput
from prodapp.machines.schemas import MachineInput
from prodapp.machines.setups import Setup
from prodapp.rest.schemas import AnswerSchema, JsonInteger, RequestSchema
from prodapp.schedules.schemas import PlanInput, PlanSchema, plan_in
from prodapp.variables import ROLES, SENSES
from prodapp.variables.schemas import TableSettingsInput, settings_of

FORMAT: Final = "prodapp.machine"
VERSION: Final = 1
#: A page reads so much of a file, far more than any setup has.
MAX_DOCUMENT: Final = 4 * 1024**2
MAX_CHOICES: Final = 5_000
MAX_CHOICE: Final = 1_000


def _format() -> fields.String:
    return fields.String(
        required=True,
        validate=validate.Equal(FORMAT),
        metadata={"description": "What the document is.", "enum": [FORMAT]},
    )


def _version() -> JsonInteger:
    return JsonInteger(
        required=True,
        validate=validate.Equal(VERSION),
        metadata={"description": "How it is written.", "enum": [VERSION]},
    )


def _reading(**options: Any) -> fields.Dict:
    return fields.Dict(
        keys=fields.String(),
        values=fields.String(validate=validate.Length(max=MAX_CHOICE)),
        validate=validate.Length(max=MAX_CHOICES),
        metadata={
            "description": "Choices by which its files are read.",
            "examples": [{"decimal": ","}],
        },
        **options,
    )


def _promotion(**options: Any) -> fields.String:
    return fields.String(
        allow_none=True,
        validate=validate.OneOf(PROMOTIONS),
        metadata={"description": "When new versions come into use; `null`: as set for all."},
        **options,
    )


class SetupInput(RequestSchema):
    """An exported setup. What is left out is not set."""

    format = _format()
    format_version = _version()
    name = MachineInput().fields["name"]
    reading = _reading()
    promotion = _promotion()
    variables = fields.Nested(TableSettingsInput)
    schedule = fields.Nested(PlanInput, allow_none=True)


class SetupColumnSchema(AnswerSchema):
    """What people said of one column."""

    name = fields.String(required=True)
    label = fields.String(required=True, allow_none=True)
    unit = fields.String(required=True, allow_none=True)
    role = fields.String(required=True, allow_none=True, validate=validate.OneOf(ROLES))


class SetupVariablesSchema(AnswerSchema):
    """What the columns are, and what is wanted of the target."""

    columns = fields.List(fields.Nested(SetupColumnSchema), required=True)
    target = fields.String(required=True, allow_none=True)
    sense = fields.String(required=True, allow_none=True, validate=validate.OneOf(SENSES))
    goal = fields.Float(required=True, allow_none=True)


class SetupSchema(AnswerSchema):
    """How a machine is set up."""

    format = _format()
    format_version = _version()
    name = fields.String(required=True)
    reading = _reading(required=True)
    promotion = _promotion(required=True)
    variables = fields.Nested(SetupVariablesSchema, required=True)
    schedule = fields.Nested(PlanSchema, required=True, allow_none=True)


def setup_document(setup: Setup) -> dict[str, Any]:
    """What :class:`SetupInput` takes back."""
    return {
        "format": FORMAT,
        "format_version": VERSION,
        "name": setup.name,
        "reading": dict(setup.reading),
        "promotion": setup.promotion,
        "variables": setup.variables.to_json(),
        "schedule": None if setup.schedule is None else setup.schedule.to_json(),
    }


def setup_of(body: dict[str, Any]) -> Setup:
    """The setup of a loaded :class:`SetupInput`. Raises ``InvalidInput``."""
    try:
        variables = settings_of(body.get("variables", {}))
    except InvalidInput as error:
        fields_ = (replace(item, pointer=f"/variables{item.pointer}") for item in error.fields)
        raise InvalidInput(error.message, fields=tuple(fields_), **error.params) from error
    return Setup(
        name=body["name"],
        variables=variables,
        reading=body.get("reading", {}),
        promotion=body.get("promotion"),
        schedule=None if body.get("schedule") is None else plan_in(body["schedule"]),
    )
