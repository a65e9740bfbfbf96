"""Why a version came into use by itself, or did not, as the REST API gives it."""

from __future__ import annotations

from marshmallow import fields, validate

from prodapp.config import PROMOTIONS
from prodapp.rest.schemas import AnswerSchema


class DuelSchema(AnswerSchema):
    """A paired test on held-out samples that neither version has learned from."""

    n = fields.Integer(required=True)
    n_blocks = fields.Integer(
        required=True, metadata={"description": "Sets of samples that stand or fall together."}
    )
    n_tries = fields.Integer(
        required=True,
        metadata={"description": "Versions tried on these data, which the level makes up for."},
    )
    level = fields.Float(required=True, metadata={"description": "Confidence of the interval."})
    gain = fields.Float(
        required=True, metadata={"description": "By how much the new version's R² is higher."}
    )
    low = fields.Float(required=True)
    high = fields.Float(required=True)
    is_better = fields.Boolean(required=True, metadata={"description": "`low` is above zero."})
    is_worse = fields.Boolean(required=True, metadata={"description": "`high` is below zero."})
    champion_rmse = fields.Float(required=True)
    challenger_rmse = fields.Float(required=True)
    champion_mae = fields.Float(required=True)
    challenger_mae = fields.Float(required=True)


class AgainstChampionSchema(AnswerSchema):
    """The new version against the one that was in use."""

    champion_id = fields.Integer(required=True)
    champion_number = fields.Integer(required=True)
    n_learned = fields.Integer(
        required=True,
        metadata={
            "description": "Held-out samples left out, since the version in use has learned them."
        },
    )
    duel = fields.Nested(
        DuelSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Null where the two cannot be compared; `message` says why."},
    )


class PromotionSchema(AnswerSchema):
    """Whether a version came into use when it was made, and what that rests on."""

    rule = fields.String(required=True, validate=validate.OneOf(PROMOTIONS))
    is_promoted = fields.Boolean(required=True)
    trial = fields.Nested(
        AgainstChampionSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Null for a machine's first version."},
    )
    message = fields.String(required=True, metadata={"description": "For people."})
