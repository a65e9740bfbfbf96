"""A variable's place in a ranking as the REST API gives it."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from prodapp.ranking import sentences
from prodapp.ranking.trust import trust
from prodapp.ranking.trust_schemas import TrustSchema
from prodapp.rest.schemas import AnswerSchema

EFFECTS = ("increases", "decreases", "nonmonotonic")


class RankingRowSchema(AnswerSchema):
    """One variable's place."""

    rank = fields.Integer(required=True, metadata={"description": "1 matters most."})
    feature = fields.String(required=True)
    score_final = fields.Float(
        required=True,
        metadata={"description": "Its share of the explained movement; all sum to 1."},
    )
    importance_shap_mean_abs = fields.Float(
        required=True,
        metadata={"description": "Mean of |SHAP| on held-out samples, in the target's unit."},
    )
    importance_native = fields.Float(
        required=True, metadata={"description": "Share of impurity decrease; all sum to 1."}
    )
    shap_norm = fields.Float(
        required=True, metadata={"description": "importance_shap_mean_abs over the largest."}
    )
    native_norm = fields.Float(
        required=True, metadata={"description": "importance_native over the largest."}
    )
    effect = fields.String(required=True, validate=validate.OneOf(EFFECTS))
    direction = fields.Method(
        "_direction",
        required=True,
        metadata={"type": "string", "description": "The effect as a sentence, for people."},
    )
    direction_strength = fields.Float(
        required=True,
        metadata={"description": "Rank correlation of value and SHAP value, −1 to 1."},
    )
    dependence = fields.List(
        fields.List(fields.Float()),
        required=True,
        metadata={"description": "Points (value, mean SHAP value); none for categories."},
    )

    trust = fields.Method(
        "_trust",
        required=True,
        metadata={
            "description": "Null where it was not judged: dates, versions of earlier releases, "
            "runs whose time was over.",
            "oneOf": [{"$ref": "#/components/schemas/Trust"}, {"type": "null"}],
        },
    )
    evidence = fields.Function(
        sentences.evidence,
        required=True,
        metadata={"type": ["string", "null"], "description": "The verdict, for people."},
    )

    def _direction(self, item: Any) -> str:
        return sentences.direction(item, target=sentences.subject(item.version))

    def _trust(self, item: Any) -> Any:
        found = trust(item)
        return None if found is None else TrustSchema().dump(found)
