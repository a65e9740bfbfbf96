"""What can be asked of a training run, as the REST API lists it: algorithms and steps."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from marshmallow import fields, validate

from prodapp.formatting import sentence
from prodapp.i18n import gettext
from prodapp.ml.algorithms import ALGORITHMS, DEFAULT_ALGORITHM, Algorithm
from prodapp.ml.features.catalogue import STEPS, Step
from prodapp.rest.schemas import AnswerSchema
from prodapp.training.schemas import parameter_schema


class HyperparameterSchema(AnswerSchema):
    """What one hyperparameter means and may be."""

    name = fields.String(required=True)
    label = fields.String(required=True, metadata={"description": "For people."})
    meaning = fields.String(required=True, metadata={"description": "For people."})
    default = fields.Float(required=True, allow_none=True)
    minimum = fields.Float(required=True)
    maximum = fields.Float(required=True)
    is_integer = fields.Boolean(required=True)
    is_optional = fields.Boolean(
        required=True, metadata={"description": "Whether null, no limit, is allowed."}
    )
    search = fields.List(
        fields.Float(allow_none=True),
        required=True,
        metadata={"description": "The values that tuning tries; none where it leaves it alone."},
    )


class ParameterSchema(AnswerSchema):
    """What one parameter of a step means and may be."""

    name = fields.String(required=True)
    label = fields.String(required=True, metadata={"description": "For people."})
    meaning = fields.String(required=True, metadata={"description": "For people."})
    schema = fields.Dict(required=True, metadata={"description": "What it may be, JSON schema."})
    options = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={"description": "What may be chosen, with words for people."},
    )


class StepSchema(AnswerSchema):
    """One way to make features."""

    name = fields.String(required=True, validate=validate.OneOf(tuple(STEPS)))
    label = fields.String(required=True, metadata={"description": "For people."})
    hint = fields.String(required=True, metadata={"description": "For people: when to take it."})
    takes = fields.List(
        fields.String(), required=True, metadata={"description": "Kinds of columns."}
    )
    is_pair = fields.Boolean(
        required=True, metadata={"description": "Whether it takes exactly two columns."}
    )
    needs_order = fields.Boolean(
        required=True, metadata={"description": "Whether rows must follow each other in time."}
    )
    parameters = fields.List(fields.Nested(ParameterSchema), required=True)


def describe_step(name: str, step: Step) -> dict[str, Any]:
    """A step in the caller's language."""
    return {
        "name": name,
        "label": gettext(step.label),
        "hint": gettext(step.hint),
        "takes": list(step.takes),
        "is_pair": step.is_pair,
        "needs_order": step.needs_order,
        "parameters": [
            {
                "name": key,
                "label": gettext(parameter.label),
                "meaning": gettext(parameter.meaning),
                "schema": parameter_schema(parameter),
                "options": {value: gettext(word) for value, word in parameter.options.items()},
            }
            for key, parameter in step.parameters.items()
        ],
    }


class AlgorithmSchema(AnswerSchema):
    """One way to learn, and how it can be tuned."""

    name = fields.String(required=True, validate=validate.OneOf(tuple(ALGORITHMS)))
    label = fields.String(required=True, metadata={"description": "For people."})
    hint = fields.String(required=True, metadata={"description": "For people: when to take it."})
    is_default = fields.Boolean(required=True)
    obstacle = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "For people: why it cannot be taken here, null where it can."},
    )
    hyperparameters = fields.List(fields.Nested(HyperparameterSchema), required=True)


def describe_algorithm(name: str, algorithm: Algorithm) -> dict[str, Any]:
    """An algorithm in the caller's language."""
    obstacle = algorithm.obstacle
    return {
        "name": name,
        "label": gettext(algorithm.label),
        "hint": gettext(algorithm.hint),
        "is_default": name == DEFAULT_ALGORITHM,
        "obstacle": obstacle and sentence(obstacle.message, obstacle.params),
        "hyperparameters": [
            {
                **asdict(schema),
                "name": key,
                "label": gettext(schema.label),
                "meaning": gettext(schema.meaning),
            }
            for key, schema in algorithm.hyperparameters.items()
        ],
    }
