"""What-ifs as the REST API takes and gives them."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from prodapp.exceptions import N_
from prodapp.predictions import service
from prodapp.predictions.schemas import (
    LEVEL,
    ContributionsSchema,
    PredictionIntervalSchema,
    SurpriseSchema,
)
from prodapp.predictions.what_if import GIVEN, PREDICTION, TYPICAL
from prodapp.rest.schemas import AnswerSchema, JsonNumber, RequestSchema


class WhatIfInput(RequestSchema):
    """What is held and what is moved. Held is a `record`, the inputs of a prediction of the
    history (`prediction_id`), or else the most usual row that was really run."""

    record = fields.Dict(keys=fields.String(), metadata={"description": "The row to hold."})
    prediction_id = fields.UUID(metadata={"description": "Hold the inputs of this prediction."})
    changes = fields.Dict(
        keys=fields.String(),
        load_default=dict,
        metadata={
            "description": "The levers that are moved, each within the values really run.",
            "examples": [{"heat": 22.5}],
        },
    )
    level = JsonNumber(
        load_default=service.LEVEL,
        validate=LEVEL,
        metadata={"description": "How often an interval shall hold the true value."},
    )

    @ma.validates_schema
    def _at_most_one(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if "record" in data and "prediction_id" in data:
            raise ma.ValidationError(N_("Send “record” or “prediction_id”, not both."))


class WhatIfAnswerSchema(AnswerSchema):
    """What the version answers for one row."""

    output = fields.Float(required=True)
    interval = fields.Nested(
        PredictionIntervalSchema,
        required=True,
        allow_none=True,
        metadata={"description": "null where too few samples were held out to tell."},
    )
    is_new = fields.Boolean(
        required=True, metadata={"description": "The model has seen no rows like this."}
    )
    surprises = fields.List(fields.Nested(SurpriseSchema), required=True)


class WhatIfSchema(AnswerSchema):
    """Two answers of a version, neither kept in the history: association, not cause."""

    version_id = fields.Integer(required=True)
    version = fields.Integer(required=True, metadata={"description": "The version's number."})
    target = fields.String(required=True)
    target_class = fields.String(required=True, allow_none=True)
    source = fields.String(required=True, validate=validate.OneOf((TYPICAL, PREDICTION, GIVEN)))
    levers = fields.List(
        fields.String(), required=True, metadata={"description": "What can be moved."}
    )
    levers_are_declared = fields.Boolean(
        required=True,
        metadata={"description": "False where nobody said what operators can set."},
    )
    held = fields.Dict(required=True, metadata={"description": "The row before the changes."})
    record = fields.Dict(required=True, metadata={"description": "The row with the changes."})
    before = fields.Nested(WhatIfAnswerSchema, required=True)
    after = fields.Nested(WhatIfAnswerSchema, required=True)
    change = fields.Float(
        required=True,
        metadata={
            "description": "`after` minus `before`, of the model: the intervals say how far each "
            "is from what comes out."
        },
    )
    n_rows_alike = fields.Integer(
        required=True,
        metadata={
            "description": "So many rows like this one, one after the other, the answer supposes."
        },
    )
    contributions = fields.Nested(
        ContributionsSchema, required=True, metadata={"description": "To `after`."}
    )
