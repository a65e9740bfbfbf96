"""Goals as the REST API takes and gives them."""

from __future__ import annotations

from marshmallow import fields, validate

from prodapp.ranking.goals import CODES
from prodapp.rest.schemas import AnswerSchema, RequestSchema

SENSES = ("raise", "lower", "hold")
LARGEST = 1e30


class GoalQuery(RequestSchema):
    """What is wanted."""

    target = fields.Float(
        allow_nan=False,
        validate=validate.Range(min=-LARGEST, max=LARGEST),
        metadata={"description": "The value to reach; without it, as good as possible."},
    )
    sense = fields.String(
        validate=validate.OneOf(SENSES),
        metadata={"description": "What is better; without it, what people said of the target."},
    )


class RegionBoundSchema(AnswerSchema):
    """Values of one lever."""

    variable = fields.String(required=True)
    low = fields.Float(required=True, allow_none=True, metadata={"description": "Included."})
    high = fields.Float(required=True, allow_none=True, metadata={"description": "Included."})
    level = fields.String(required=True, allow_none=True)


class ProposalSchema(AnswerSchema):
    """Settings that were really run together. Intervals hold with 95 %, for all settings that were
    compared at once. Association, not cause."""

    bounds = fields.List(fields.Nested(RegionBoundSchema), required=True)
    at = fields.Dict(
        required=True, metadata={"description": "Settings of a row really run, in their middle."}
    )
    n = fields.Integer(required=True, metadata={"description": "Rows that were run so."})
    n_compared = fields.Integer(
        required=True, metadata={"description": "Rows whose like were run so; it is of these."}
    )
    before = fields.Float(required=True, metadata={"description": "The target's mean as it was."})
    expected = fields.Float(required=True, metadata={"description": "The mean with the settings."})
    expected_low = fields.Float(required=True)
    expected_high = fields.Float(required=True)
    gain = fields.Float(
        required=True,
        metadata={"description": "A rise, a fall, or how much nearer to the value to hold."},
    )
    gain_low = fields.Float(required=True)
    gain_high = fields.Float(required=True)


class GoalSchema(AnswerSchema):
    """How far the data go: `sure` and `expected` reach the value, `better` is a sure gain that
    does not (or no value was asked for); every other code says why there is no proposal."""

    code = fields.String(required=True, validate=validate.OneOf(CODES))
    sense = fields.String(required=True, allow_none=True)
    target = fields.Float(required=True, allow_none=True)
    n_regions = fields.Integer(
        required=True, metadata={"description": "Combinations of settings that were compared."}
    )
    best = fields.Nested(ProposalSchema, required=True, allow_none=True)
    others = fields.List(fields.Nested(ProposalSchema), required=True)
    sentence = fields.String(required=True, metadata={"description": "For people."})
