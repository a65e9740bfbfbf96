"""Model versions and rankings as the REST API gives them."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from prodapp.models import ModelVersion
from prodapp.ranking import sentences
from prodapp.ranking.alarms import alarms
from prodapp.rest.schemas import AnswerSchema, Instant, PageQuery, id_field

EFFECTS = ("increases", "decreases", "nonmonotonic")
ALARM_CODES = ("explains_nothing", "too_few_samples")


class VersionQuery(PageQuery):
    """Which versions."""

    machine_id = id_field("Only versions of this machine.")


class IntervalSchema(AnswerSchema):
    """Where a figure lies with a confidence of ``level``."""

    low = fields.Float(required=True)
    high = fields.Float(required=True)
    level = fields.Float(required=True, metadata={"examples": [0.95]})


class MetricsSchema(AnswerSchema):
    """How good the model is on samples that it had not seen. Errors in the target's unit."""

    r2 = fields.Float(required=True)
    mae = fields.Float(required=True)
    rmse = fields.Float(required=True)
    r2_interval = fields.Nested(IntervalSchema, required=True)
    mae_interval = fields.Nested(IntervalSchema, required=True)
    rmse_interval = fields.Nested(IntervalSchema, required=True)
    baseline_mae = fields.Float(
        required=True, metadata={"description": "Of always predicting the mean."}
    )
    baseline_rmse = fields.Float(required=True)
    n_train = fields.Integer(required=True)
    n_test = fields.Integer(required=True)
    n_features = fields.Integer(required=True)
    explains = fields.Boolean(
        required=True,
        metadata={"description": "Whether it beats always predicting the mean, beyond the noise."},
    )


class ContenderSchema(AnswerSchema):
    """One row of a leaderboard. Errors in the target's unit."""

    algorithm = fields.String(
        required=True, metadata={"description": "`baseline` always answers the mean."}
    )
    r2 = fields.Float(required=True)
    r2_interval = fields.Nested(IntervalSchema, required=True)
    mae = fields.Float(required=True)
    rmse = fields.Float(required=True)
    seconds = fields.Float(required=True)


class ComparisonSchema(AnswerSchema):
    """Algorithms compared on the same folds of the training samples, best first."""

    leaderboard = fields.List(fields.Nested(ContenderSchema), required=True)
    n_folds = fields.Integer(required=True)
    n_samples = fields.Integer(required=True)


class VersionSchema(AnswerSchema):
    """What a run published. Immutable but for ``is_champion``."""

    id = fields.Integer(required=True)
    number = fields.Integer(
        required=True, metadata={"description": "Counts the versions of the machine."}
    )
    machine_id = fields.Integer(required=True)
    run_id = fields.Integer(required=True)
    dataset_id = fields.Integer(required=True)
    target = fields.String(required=True)
    is_champion = fields.Boolean(
        required=True, metadata={"description": "Whether it is the one in use."}
    )
    metrics = fields.Nested(MetricsSchema, required=True)
    specification = fields.Dict(required=True)
    algorithm = fields.Function(
        lambda version: version.evidence.get("algorithm", version.specification["algorithm"]),
        required=True,
        metadata={"type": "string", "description": "What was trained; of `auto`, the best."},
    )
    comparison = fields.Method(
        "_comparison",
        required=True,
        metadata={
            "description": "Where algorithms were compared (`auto`).",
            "oneOf": [{"$ref": "#/components/schemas/Comparison"}, {"type": "null"}],
        },
    )
    library_versions = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    created_at = Instant(required=True)

    def _comparison(self, version: ModelVersion) -> Any:
        found = version.evidence.get("comparison")
        return None if found is None else ComparisonSchema().dump(found)


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

    def _direction(self, item: Any) -> str:
        return sentences.direction(item, target=item.version.target)


class AlarmSchema(AnswerSchema):
    """What to think of before acting on a result."""

    code = fields.String(
        required=True,
        metadata={"description": "Stable; more may follow.", "examples": list(ALARM_CODES)},
    )
    severity = fields.String(
        required=True, validate=validate.OneOf(("info", "warning", "critical"))
    )
    features = fields.List(fields.String(), required=True)
    message = fields.String(required=True, metadata={"description": "For people."})


class RankingSchema(AnswerSchema):
    """Which variables drive the target, and how far to trust it."""

    machine_id = fields.Integer(required=True)
    version_id = fields.Integer(required=True, attribute="id")
    version_number = fields.Integer(required=True, attribute="number")
    run_id = fields.Integer(required=True)
    target = fields.String(required=True)
    verdict = fields.Function(
        sentences.verdict,
        required=True,
        metadata={"type": "string", "description": "The result in one sentence, for people."},
    )
    metrics = fields.Nested(MetricsSchema, required=True)
    alarms = fields.Method(
        "_alarms",
        required=True,
        metadata={"type": "array", "items": {"$ref": "#/components/schemas/Alarm"}},
    )
    ranking = fields.List(fields.Nested(RankingRowSchema), required=True)
    created_at = Instant(required=True)

    def _alarms(self, version: ModelVersion) -> Any:
        return AlarmSchema(many=True).dump(alarms(version))
