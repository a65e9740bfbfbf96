"""All classes of a target together, as the REST API gives them."""

from __future__ import annotations

from marshmallow import fields

from prodapp.ranking.metric_schemas import IntervalSchema
from prodapp.ranking.row_schemas import EFFECTS
from prodapp.rest.schemas import AnswerSchema


def _figure(description: str) -> fields.Float:
    return fields.Float(required=True, allow_none=True, metadata={"description": description})


def _interval() -> fields.Nested:
    return fields.Nested(IntervalSchema, required=True, allow_none=True)


class ClassEffectSchema(AnswerSchema):
    """A variable in one class."""

    feature = fields.String(required=True)
    importance = fields.Float(
        required=True, metadata={"description": "Mean of |SHAP|, on the scale of the version."}
    )
    share = fields.Float(
        required=True, metadata={"description": "Of all that moves this class; all sum to 1."}
    )
    effect = fields.String(
        required=True,
        metadata={"enum": list(EFFECTS), "description": "On the probability of this class."},
    )
    strength = fields.Float(
        required=True, metadata={"description": "Rank correlation of value and SHAP value."}
    )


class ClassFiguresSchema(AnswerSchema):
    """One class among all, on held-out samples; null where they do not allow a figure."""

    label = fields.String(required=True)
    n_learned = fields.Integer(required=True)
    n_held_out = fields.Integer(required=True)
    recall = _figure("The share of its samples that are answered with it.")
    recall_interval = _interval()
    precision = _figure("The share of its samples among those answered with it.")
    precision_interval = _interval()
    roc_auc = _figure("How often a sample of it has its higher probability than another.")
    roc_auc_interval = _interval()
    variables = fields.List(
        fields.Nested(ClassEffectSchema),
        required=True,
        metadata={
            "description": "In the order of `overall`. What the model does, without verdicts: each "
            "class would take tests of its own. A run with another `target_class` has them."
        },
    )


class OverallSchema(AnswerSchema):
    """A variable in all classes together."""

    feature = fields.String(required=True)
    share = fields.Float(
        required=True,
        metadata={"description": "Of all that is moved between classes; all sum to 1."},
    )


class AllClassesSchema(AnswerSchema):
    """What one model of all classes says of each. The answer is the likeliest class."""

    accuracy = fields.Float(required=True)
    accuracy_interval = _interval()
    balanced_accuracy = fields.Float(
        required=True, metadata={"description": "The mean of the classes' recalls."}
    )
    balanced_accuracy_interval = _interval()
    log_loss = fields.Float(
        required=True, metadata={"description": "Of samples whose class was learned."}
    )
    log_loss_interval = _interval()
    macro_auc = _figure("The mean of the classes' AUC, each against the rest.")
    macro_auc_interval = _interval()
    baseline_accuracy = fields.Float(
        required=True, metadata={"description": "Of always answering with the commonest class."}
    )
    baseline_log_loss = fields.Float(
        required=True,
        metadata={"description": "Of always answering with the shares of the classes."},
    )
    classes = fields.List(fields.Nested(ClassFiguresSchema), required=True)
    confusion = fields.List(
        fields.List(fields.Integer()),
        required=True,
        metadata={"description": "Held-out samples by actual and answered class."},
    )
    n_not_learned = fields.Integer(
        required=True,
        metadata={"description": "Held-out samples of classes too rare to learn: all errors."},
    )
    overall = fields.List(fields.Nested(OverallSchema), required=True)
    n_explained = fields.Integer(required=True)
