"""One variable over sister machines as the REST API gives it."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from prodapp.ranking import fleet_words
from prodapp.ranking.fleet import Sister
from prodapp.ranking.row_schemas import EFFECTS
from prodapp.ranking.trust_schemas import TrustSchema
from prodapp.rest.schemas import AnswerSchema, RequestSchema


class FleetQuery(RequestSchema):
    """Which variable."""

    name = fields.String(
        required=True,
        validate=validate.Length(min=1, max=500),
        metadata={"description": "Of the variable, as in the files.", "examples": ["temperature"]},
    )


class KnownSchema(AnswerSchema):
    """A variable that versions in use have."""

    name = fields.String(required=True)
    n_machines = fields.Integer(required=True)


class SisterSchema(AnswerSchema):
    """What one machine's version in use says of the variable."""

    machine_id = fields.Integer(required=True, attribute="machine.id")
    machine_name = fields.String(required=True, attribute="machine.name")
    version_id = fields.Integer(required=True)
    version_number = fields.Integer(required=True)
    subject = fields.String(
        required=True, metadata={"description": "What the version explains, for people."}
    )
    explains = fields.Boolean(
        required=True,
        metadata={"description": "False: it is not better than the mean; do not use its order."},
    )
    rank = fields.Integer(required=True)
    n_variables = fields.Integer(required=True)
    share = fields.Float(
        required=True, metadata={"description": "Its share of the explained movement."}
    )
    direction = fields.String(required=True, validate=validate.OneOf(EFFECTS))
    strength = fields.Float(
        required=True,
        metadata={"description": "Rank correlation of value and SHAP value, −1 to 1."},
    )
    trust = fields.Nested(
        TrustSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Null where it was not judged."},
    )
    sentence = fields.String(required=True, metadata={"description": "For people."})


class FleetSchema(AnswerSchema):
    """One variable on all machines of the site whose version in use has it."""

    variable = fields.String(required=True)
    n_machines = fields.Integer(
        required=True, metadata={"description": "All of them; at most 200 are listed."}
    )
    summary = fields.Function(
        fleet_words.summary,
        required=True,
        metadata={"type": "array", "items": {"type": "string"}, "description": "For people."},
    )
    sisters = fields.Method(
        "_sisters",
        required=True,
        metadata={
            "type": "array",
            "items": {"$ref": "#/components/schemas/Sister"},
            "description": "The surest and strongest first.",
        },
    )

    def _sisters(self, fleet: Any) -> Any:
        return [self._sister(sister, fleet.variable) for sister in fleet.sisters]

    @staticmethod
    def _sister(sister: Sister, variable: str) -> Any:
        sentence = fleet_words.of_sister(sister, variable)
        return SisterSchema().dump({**vars(sister), "sentence": sentence})
