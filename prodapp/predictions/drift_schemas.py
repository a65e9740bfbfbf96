"""What the REST API tells of drift, and of errors over time."""

from __future__ import annotations

from marshmallow import fields

from prodapp.rest.schemas import AnswerSchema, Instant


class VariableDriftSchema(AnswerSchema):
    """How far one variable has moved."""

    variable = fields.String(required=True)
    difference = fields.Float(
        required=True, metadata={"description": "Of the distributions, 0 (alike) to 1."}
    )
    p_value = fields.Float(
        required=True, metadata={"description": "Adjusted for all variables (Holm)."}
    )
    has_drifted = fields.Boolean(required=True)


class ErrorDriftSchema(AnswerSchema):
    """How often the truth lay outside its interval."""

    n = fields.Integer(required=True, metadata={"description": "Predictions with a true value."})
    n_outside = fields.Integer(required=True)
    expected_share = fields.Float(required=True)
    p_value = fields.Float(required=True)
    has_drifted = fields.Boolean(required=True)


class DriftSchema(AnswerSchema):
    """Whether what is asked is still what the version learned."""

    version_id = fields.Integer(required=True)
    n_rows = fields.Integer(required=True)
    rings = fields.Boolean(required=True, metadata={"description": "Time to train again."})
    variables = fields.List(
        fields.Nested(VariableDriftSchema),
        required=True,
        metadata={"description": "The most moved first; empty below 30 rows."},
    )
    errors = fields.Nested(
        ErrorDriftSchema,
        required=True,
        allow_none=True,
        metadata={"description": "null below 20 true values."},
    )


class ErrorStepSchema(AnswerSchema):
    """Predictions that follow each other in time, beside what came true."""

    first_at = Instant(required=True)
    last_at = Instant(required=True)
    n = fields.Integer(required=True)
    mean_abs_error = fields.Float(required=True)
    low = fields.Float(
        required=True, metadata={"description": "Of the 95 % interval of `mean_abs_error`."}
    )
    high = fields.Float(required=True)
    mean_error = fields.Float(required=True, metadata={"description": "Of predicted − true."})


class ErrorsSchema(AnswerSchema):
    """How well predictions came true, as time went on."""

    version_id = fields.Integer(required=True)
    n_actuals = fields.Integer(required=True)
    mean_abs_error = fields.Float(required=True, allow_none=True)
    expected_abs_error = fields.Float(
        required=True,
        allow_none=True,
        metadata={"description": "On the held-out samples of the version in use."},
    )
    change = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "`larger`, `smaller` or `none`: the newest errors against those before; "
            "null below 60 true values.",
            "examples": ["none"],
        },
    )
    steps = fields.List(fields.Nested(ErrorStepSchema), required=True)
