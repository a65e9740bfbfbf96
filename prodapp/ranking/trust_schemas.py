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


class CompanionsSchema(AnswerSchema):
    """Variables that go along with each other, judged as one."""

    members = fields.List(fields.String(), required=True)
    verdict = fields.String(required=True, validate=validate.OneOf(VERDICTS))
    is_parted = fields.Boolean(
        required=True,
        metadata={"description": "Whether a member is real beside the others."},
    )
