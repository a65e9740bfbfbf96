"""How far places can be trusted, as the REST API gives it."""

from __future__ import annotations

from marshmallow import fields, validate

from prodapp.ranking.trust import VERDICTS
from prodapp.rest.schemas import AnswerSchema


class TrustSchema(AnswerSchema):
    """How far a variable's place can be trusted, by tests on samples that no model had seen."""

    verdict = fields.String(
        required=True,
        validate=validate.OneOf(VERDICTS),
        metadata={
            "description": "`real`: it adds something to all others (of 40 tables without any "
            "such variable, at most one has a variable called so). `noise`: it surely adds less "
            "than 1 % of the variation. `uncertain`: the data do not tell."
        },
    )
    rank_low = fields.Integer(required=True, metadata={"description": "The first rank possible."})
    rank_high = fields.Integer(required=True, metadata={"description": "The last rank possible."})
    gain = fields.Float(
        required=True,
        metadata={
            "description": "The share of the target's variance that it alone explains, given "
            "all others."
        },
    )
    low = fields.Float(
        required=True, allow_none=True, metadata={"description": "At least (97.5 %, one-sided)."}
    )
    high = fields.Float(
        required=True, allow_none=True, metadata={"description": "At most (95 %, one-sided)."}
    )
    p_value = fields.Float(
        required=True, metadata={"description": "One-sided, not adjusted for their number."}
    )
    n_effective = fields.Integer(
        required=True, metadata={"description": "Samples, or blocks of neighbours, tested on."}
    )


class SegmentVariableSchema(AnswerSchema):
    """One of the strongest variables of a part."""

    feature = fields.String(required=True)
    share = fields.Float(
        required=True,
        metadata={"description": "Its share of the explained movement in this part."},
    )
    low = fields.Float(required=True, metadata={"description": "95 %, over samples of the part."})
    high = fields.Float(required=True, metadata={"description": "Likewise."})


class SegmentSchema(AnswerSchema):
    """One part of the data."""

    name = fields.String(required=True)
    n_rows = fields.Integer(required=True)
    n_explained = fields.Integer(required=True)
    variables = fields.List(
        fields.Nested(SegmentVariableSchema),
        required=True,
        metadata={"description": "The strongest first; none where too few samples were explained."},
    )


class SegmentationSchema(AnswerSchema):
    """The ranking in each part of the data, as one column parts them."""

    column = fields.String(
        required=True, metadata={"description": "Empty: by none, where `is_regime`."}
    )
    is_regime = fields.Boolean(
        required=True,
        metadata={
            "description": "Whether parts are stretches of time in which the variables lay on "
            "other levels."
        },
    )
    is_shift = fields.Boolean(
        required=True,
        metadata={"description": "Whether the column tells the time, and parts are hours of it."},
    )
    sentence = fields.String(required=True, metadata={"description": "For people."})
    parts = fields.List(fields.Nested(SegmentSchema), required=True)


class CompanionsSchema(AnswerSchema):
    """Variables that go along with each other, judged as one."""

    members = fields.List(fields.String(), required=True)
    verdict = fields.String(required=True, validate=validate.OneOf(VERDICTS))
    is_parted = fields.Boolean(
        required=True,
        metadata={"description": "Whether a member is real beside the others."},
    )
