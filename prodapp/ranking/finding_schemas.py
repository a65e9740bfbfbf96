"""Effects and windows of operation as the REST API gives them."""

from __future__ import annotations

from marshmallow import fields, validate

from prodapp.rest.schemas import AnswerSchema


class PlaceSchema(AnswerSchema):
    """One place of a curve."""

    value = fields.Raw(
        required=True, metadata={"type": ["number", "string"], "description": "Or a category."}
    )
    effect = fields.Float(required=True)
    low = fields.Float(required=True, allow_none=True, metadata={"description": "95 %."})
    high = fields.Float(required=True, allow_none=True, metadata={"description": "95 %."})
    n = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Rows up to the next value, or of the category."},
    )


class EffectSchema(AnswerSchema):
    """What happens to the target over the values of one variable, the others as they were
    (accumulated local effects); in the target's unit, 0 being the mean of the rows."""

    variable = fields.String(required=True)
    is_number = fields.Boolean(required=True)
    places = fields.List(fields.Nested(PlaceSchema), required=True)
    difference = fields.Float(
        required=True, metadata={"description": "The highest place over the lowest."}
    )
    difference_low = fields.Float(required=True, allow_none=True)
    difference_high = fields.Float(required=True, allow_none=True)
    sentence = fields.String(required=True, metadata={"description": "For people."})


class WindowSchema(AnswerSchema):
    """Values of a lever that were really run."""

    low = fields.Float(required=True, allow_none=True, metadata={"description": "Included."})
    high = fields.Float(required=True, allow_none=True, metadata={"description": "Included."})
    level = fields.String(required=True, allow_none=True)
    n = fields.Integer(required=True, metadata={"description": "Rows that were run in it."})
    n_compared = fields.Integer(
        required=True,
        metadata={"description": "Rows whose like were run in it; the gain is of these."},
    )
    gain = fields.Float(
        required=True,
        metadata={
            "description": "Expected against the production as it was, in the target's unit: a "
            "rise, a fall, or how much nearer to the goal. Association, not cause."
        },
    )
    gain_low = fields.Float(
        required=True, metadata={"description": "95 %, for all windows of the lever at once."}
    )
    gain_high = fields.Float(required=True, metadata={"description": "Likewise."})


class LeverSchema(AnswerSchema):
    """Where to run a variable that operators can set."""

    variable = fields.String(required=True)
    sense = fields.String(required=True, validate=validate.OneOf(("raise", "lower", "hold")))
    goal = fields.Float(required=True, allow_none=True)
    windows = fields.List(fields.Nested(WindowSchema), required=True)
    best = fields.Nested(
        WindowSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Null where no window is surely better."},
    )
    sentence = fields.String(required=True, metadata={"description": "For people."})


class LagSchema(AnswerSchema):
    """How many rows later a variable goes along with the target."""

    variable = fields.String(required=True)
    lag = fields.Integer(required=True, metadata={"description": "In rows."})
    first = fields.Integer(required=True, metadata={"description": "The least that fits as well."})
    last = fields.Integer(required=True, metadata={"description": "The most that fits as well."})
    correlation = fields.Float(
        required=True,
        metadata={"description": "Of the two series without their own drift, −1 to 1."},
    )
    n = fields.Integer(required=True, metadata={"description": "Rows compared."})
    sentence = fields.String(required=True, metadata={"description": "For people."})
