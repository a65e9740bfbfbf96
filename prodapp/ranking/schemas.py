"""Model versions and rankings as the REST API gives them."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from prodapp.formatting import sentence
from prodapp.models import ModelVersion
from prodapp.ranking import sentences, service
from prodapp.ranking.alarm_schemas import AlarmSchema
from prodapp.ranking.alarms import alarms
from prodapp.ranking.class_schemas import AllClassesSchema
from prodapp.ranking.method_schemas import (
    ComparisonSchema,
    GapSchema,
    TuningSchema,
    ValidationSchema,
)
from prodapp.ranking.metric_schemas import MetricsSchema
from prodapp.ranking.promotion_schemas import PromotionSchema
from prodapp.ranking.promotions import promotion_words
from prodapp.ranking.row_schemas import RankingRowSchema
from prodapp.ranking.segments import segments
from prodapp.ranking.trust import groups
from prodapp.ranking.trust_schemas import CompanionsSchema, SegmentationSchema
from prodapp.rest.schemas import AnswerSchema, Instant, ListQuery, id_field, sort_field

ARCHIVED = {"no": False, "only": True, "all": None}


class VersionQuery(ListQuery):
    """Which versions."""

    machine_id = id_field("Only versions of this machine.")
    archived = fields.String(
        load_default="no",
        validate=validate.OneOf(tuple(ARCHIVED)),
        metadata={"description": "Whether archived versions are listed: not, alone, too."},
    )
    sort = sort_field(service.SORTS, "-created_at")


def _shap_scale() -> fields.Field[Any]:
    return fields.Function(
        lambda version: version.evidence.get("scale", "answer"),
        required=True,
        metadata={
            "enum": ["answer", "probability", "log_odds", "log_ratio"],
            "description": "What SHAP values add up to: the answer in the target's unit, or of "
            "a class its probability, the log-odds of it, or the logarithm of its ratio to the "
            "geometric mean of all classes'.",
        },
    )


def _target_class() -> fields.Field[Any]:
    return fields.Function(
        lambda version: version.evidence.get("target_class"),
        required=True,
        metadata={
            "type": ["string", "null"],
            "description": "The class whose probability is explained, null for numbers.",
        },
    )


class VersionSchema(AnswerSchema):
    """What a run published. Immutable but for which is in use, what is archived, and notes."""

    id = fields.Integer(required=True)
    number = fields.Integer(
        required=True, metadata={"description": "Counts the versions of the machine."}
    )
    machine_id = fields.Integer(required=True)
    run_id = fields.Integer(required=True)
    dataset_id = fields.Integer(required=True)
    target = fields.String(required=True)
    target_class = _target_class()
    shap_scale = _shap_scale()
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
    validation = fields.Method(
        "_validation",
        required=True,
        metadata={
            "description": "Null for versions of earlier releases.",
            "oneOf": [{"$ref": "#/components/schemas/Validation"}, {"type": "null"}],
        },
    )
    gap = fields.Method(
        "_gap",
        required=True,
        metadata={
            "description": "Null for versions of earlier releases.",
            "oneOf": [{"$ref": "#/components/schemas/Gap"}, {"type": "null"}],
        },
    )
    remarks = fields.Method(
        "_remarks",
        required=True,
        metadata={
            "type": "array",
            "items": {"type": "string"},
            "description": "For people: what gave way to a budget, which rows were left out.",
        },
    )
    hyperparameters = fields.Function(
        lambda version: version.evidence.get("hyperparameters"),
        required=True,
        metadata={
            "type": ["object", "null"],
            "description": "Those of the algorithm, all of them; null for versions made before "
            "they were kept.",
        },
    )
    tuning = fields.Method(
        "_tuning",
        required=True,
        metadata={
            "description": "Where hyperparameters were searched.",
            "oneOf": [{"$ref": "#/components/schemas/Tuning"}, {"type": "null"}],
        },
    )
    library_versions = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    promotion = fields.Method(
        "_promotion",
        required=True,
        metadata={
            "description": "Null for versions of earlier releases.",
            "oneOf": [{"$ref": "#/components/schemas/Promotion"}, {"type": "null"}],
        },
    )
    notes = fields.String(
        required=True, allow_none=True, metadata={"description": "What people say of it."}
    )
    archived_at = Instant(
        required=True,
        allow_none=True,
        metadata={"description": "Since when it is out of sight; null while it is not."},
    )
    created_at = Instant(required=True)

    def _promotion(self, version: ModelVersion) -> Any:
        if version.promotion is None:
            return None
        told = {**version.promotion, "message": " ".join(promotion_words(version))}
        return PromotionSchema().dump(told)

    def _validation(self, version: ModelVersion) -> Any:
        found = version.evidence.get("validation")
        return None if found is None else ValidationSchema().dump(found)

    def _gap(self, version: ModelVersion) -> Any:
        found = version.evidence.get("gap")
        return None if found is None else GapSchema().dump(found)

    def _remarks(self, version: ModelVersion) -> list[str]:
        remarks = version.evidence.get("remarks", [])
        return [sentence(remark["message"], remark["params"]) for remark in remarks]

    def _comparison(self, version: ModelVersion) -> Any:
        found = version.evidence.get("comparison")
        return None if found is None else ComparisonSchema().dump(found)

    def _tuning(self, version: ModelVersion) -> Any:
        found = version.evidence.get("tuning")
        return None if found is None else TuningSchema().dump(found)


class RankingSchema(AnswerSchema):
    """Which variables drive the target, and how far to trust it."""

    machine_id = fields.Integer(required=True)
    version_id = fields.Integer(required=True, attribute="id")
    version_number = fields.Integer(required=True, attribute="number")
    run_id = fields.Integer(required=True)
    target = fields.String(required=True)
    target_class = _target_class()
    shap_scale = _shap_scale()
    verdict = fields.Function(
        sentences.verdict,
        required=True,
        metadata={"type": "string", "description": "The result in one sentence, for people."},
    )
    metrics = fields.Nested(MetricsSchema, required=True)
    is_withheld = fields.Function(
        lambda version: not version.metrics["explains"],
        required=True,
        metadata={
            "type": "boolean",
            "description": "Whether pages withhold the order, since it would rank noise. Do not "
            "show `ranking` then unless a person asks for it.",
        },
    )
    alarms = fields.Method(
        "_alarms",
        required=True,
        metadata={"type": "array", "items": {"$ref": "#/components/schemas/Alarm"}},
    )
    ranking = fields.List(fields.Nested(RankingRowSchema), required=True)
    all_classes = fields.Method(
        "_all_classes",
        required=True,
        metadata={
            "description": "Of a target of several classes that one model answers together.",
            "oneOf": [{"$ref": "#/components/schemas/AllClasses"}, {"type": "null"}],
        },
    )
    groups = fields.Method(
        "_groups",
        required=True,
        metadata={"type": "array", "items": {"$ref": "#/components/schemas/Companions"}},
    )
    segments = fields.Method(
        "_segments",
        required=True,
        metadata={
            "type": "array",
            "items": {"$ref": "#/components/schemas/Segmentation"},
            "description": "The ranking in parts of the data: shifts, products, groups.",
        },
    )
    created_at = Instant(required=True)

    def _all_classes(self, version: ModelVersion) -> Any:
        found = version.evidence.get("all_classes")
        return None if found is None else AllClassesSchema().dump(found)

    def _segments(self, version: ModelVersion) -> Any:
        return SegmentationSchema(many=True).dump(segments(version))

    def _alarms(self, version: ModelVersion) -> Any:
        return AlarmSchema(many=True).dump(alarms(version))

    def _groups(self, version: ModelVersion) -> Any:
        return CompanionsSchema(many=True).dump(groups(version))
