"""The classes of an answer as the REST API gives them."""

from __future__ import annotations

from marshmallow import fields

from prodapp.rest.schemas import AnswerSchema


class ClassShareSchema(AnswerSchema):
    """One class of several: its probability, and the share of it among held-out samples of like
    probability."""

    label = fields.String(required=True)
    probability = fields.Float(required=True)
    low = fields.Float(
        required=True,
        allow_none=True,
        metadata={"description": "null where too few samples were held out to tell."},
    )
    high = fields.Float(required=True, allow_none=True)
    is_possible = fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "Whether it cannot be excluded at this level."},
    )
