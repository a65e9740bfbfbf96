"""Training runs as the REST API takes and gives them."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from prodapp.ml.algorithms import ALGORITHMS, DEFAULT_ALGORITHM
from prodapp.ml.features.catalogue import STEPS, Parameter, Step
from prodapp.ml.features.plan import MAX_LISTED, MAX_STEPS
from prodapp.ml.hyperparameters import Hyperparameter
from prodapp.models import RunState, TrainingRun
from prodapp.rest.answers import failure
from prodapp.rest.schemas import (
    AnswerSchema,
    Instant,
    JsonInteger,
    JsonNumber,
    ListQuery,
    RequestSchema,
    id_field,
    sort_field,
)
from prodapp.training import service
from prodapp.training.option_schemas import MAX_COLUMN_NAME, option_fields

MAX_COLUMNS = 2000
STATES = tuple(state.value for state in RunState)


class RunQuery(ListQuery):
    """Which runs."""

    machine_id = id_field("Only runs of this machine.")
    state = fields.String(
        validate=validate.OneOf(STATES),
        metadata={"description": "Only runs in this state."},
    )
    sort = sort_field(service.SORTS, "-created_at")


def hyperparameter_schema(schema: Hyperparameter) -> dict[str, Any]:
    """One hyperparameter as JSON schema."""
    kind = "integer" if schema.is_integer else "number"
    return {
        "type": [kind, "null"] if schema.is_optional else kind,
        "minimum": schema.minimum,
        "maximum": schema.maximum,
        "default": schema.default,
    }


#: Every name that some algorithm has. Types, bounds and defaults differ between algorithms: the
#: document ties them to each (``openapi``), and ``GET /algorithms`` tells them.
HYPERPARAMETERS = {
    name: {"description": schema.meaning}
    for algorithm in ALGORITHMS.values()
    for name, schema in algorithm.hyperparameters.items()
}


class Hyperparameters(fields.Field[dict[str, Any]]):
    """Values by name; the specification knows which an algorithm has and what they may be."""

    default_error_messages = {"invalid": "Give an object of names and values."}  # noqa: RUF012

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.make_error("invalid")
        # JSON knows one kind of number: 100.0 is the whole number 100.
        return {
            name: int(item) if isinstance(item, float) and item.is_integer() else item
            for name, item in value.items()
        }


def step_schema(name: str, step: Step) -> dict[str, Any]:
    """One step of feature engineering as JSON schema."""
    columns: dict[str, Any] = {"type": "array", "items": {"type": "string"}, "minItems": 1}
    if step.is_pair:
        columns |= {"minItems": 2, "maxItems": 2}
    return {
        "type": "object",
        "description": step.hint,
        "required": ["step", "columns"] if step.is_pair else ["step"],
        "properties": {
            "step": {"const": name},
            "columns": columns,
            **{key: parameter_schema(item) for key, item in step.parameters.items()},
        },
        "additionalProperties": False,
    }


def parameter_schema(parameter: Parameter) -> dict[str, Any]:
    bounds = {"minimum": parameter.minimum, "maximum": parameter.maximum}
    listed = {"type": "array", "minItems": 1}
    kinds: dict[str, dict[str, Any]] = {
        "integers": {**listed, "maxItems": MAX_LISTED, "items": {"type": "integer", **bounds}},
        "integer": {"type": "integer", **bounds},
        "number": {"type": "number", **bounds},
        "choice": {"enum": list(parameter.options)},
        "choices": {**listed, "items": {"enum": list(parameter.options)}},
        "flag": {"type": "boolean"},
    }
    return {
        **kinds[parameter.kind],
        "default": parameter.default,
        "description": parameter.meaning,
    }


class Engineering(fields.Field[list[Any]]):
    """Steps of feature engineering; the specification knows what each may say."""

    default_error_messages = {"invalid": "Give a list of steps."}  # noqa: RUF012

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        found: list[Any] = _whole(value)
        return found


def _whole(value: Any) -> Any:
    """JSON knows one kind of number: 2.0 is the whole number 2."""
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


class SpecificationInput(RequestSchema):
    """What to find out, and how. Everything but the target has a default."""

    target = fields.String(
        required=True,
        validate=validate.Length(min=1, max=MAX_COLUMN_NAME),
        metadata={"description": "The column to explain.", "examples": ["yield"]},
    )
    features = fields.List(
        fields.String(validate=validate.Length(min=1, max=MAX_COLUMN_NAME)),
        allow_none=True,
        validate=validate.Length(min=1, max=MAX_COLUMNS),
        metadata={"description": "The columns that may explain it; by default all that can."},
    )
    algorithm = fields.String(
        validate=validate.OneOf(tuple(ALGORITHMS)), metadata={"default": DEFAULT_ALGORITHM}
    )
    hyperparameters = Hyperparameters(
        metadata={
            "type": "object",
            "description": "Those of the algorithm; `GET /algorithms` tells them.",
            "properties": HYPERPARAMETERS,
            "additionalProperties": False,
        },
    )
    engineering = Engineering(
        metadata={
            "type": "array",
            "maxItems": MAX_STEPS,
            "description": "Features made of the variables; `GET /engineering-steps` tells the "
            "steps. Their importance counts for the variables that they are made of.",
            "items": {"oneOf": [step_schema(name, step) for name, step in STEPS.items()]},
            "default": [],
        },
    )

    class Meta(RequestSchema.Meta):
        include = option_fields(JsonInteger, JsonNumber)


class RunSchema(AnswerSchema):
    """A request to train, from acceptance to its end."""

    id = fields.Integer(required=True)
    machine_id = fields.Integer(required=True)
    dataset_id = fields.Integer(required=True)
    target = fields.String(required=True)
    specification = fields.Dict(
        required=True, metadata={"description": "All that was asked for, defaults filled in."}
    )
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    stage = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "What is done at the moment.", "examples": ["fitting"]},
    )
    progress = fields.Float(
        required=True, metadata={"description": "Of the stage, 0 to 1.", "examples": [0.4]}
    )
    exclusions = fields.List(
        fields.Dict(),
        required=True,
        metadata={"description": "Rows left out, as the data set's `exclusions` have them."},
    )
    attempt = fields.Integer(required=True, metadata={"description": "How often it was begun."})
    queue_position = fields.Function(
        service.queue_position,
        required=True,
        metadata={"type": ["integer", "null"], "description": "Runs ahead of it, while it waits."},
    )
    waiting_for = fields.Function(
        service.waiting_for,
        required=True,
        metadata={
            "enum": ["data", "queue", "worker", None],
            "description": "What it waits for: the import of its `data`, the `queue` that hands "
            "out work and does not answer at the moment, or a free `worker`.",
        },
    )
    elapsed_seconds = fields.Function(
        service.elapsed_seconds,
        required=True,
        metadata={
            "type": ["number", "null"],
            "description": "Since the present attempt began, or how long it took.",
        },
    )
    error = fields.Method(
        "_error",
        required=True,
        metadata={
            "description": "Why it failed, or why the last attempt did.",
            "oneOf": [{"$ref": "#/components/schemas/Failure"}, {"type": "null"}],
        },
    )
    version_id = fields.Function(
        service.published_version_id,
        required=True,
        metadata={"type": ["integer", "null"], "description": "The model version it published."},
    )
    cancel_requested_at = Instant(required=True, allow_none=True)
    created_at = Instant(required=True)
    started_at = Instant(required=True, allow_none=True)
    finished_at = Instant(required=True, allow_none=True)

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        found = super().get_attribute(obj, attr, default)
        return found or [] if attr == "exclusions" else found

    def _error(self, run: TrainingRun) -> Any:
        return failure(run)
