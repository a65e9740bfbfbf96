"""The figures of held-out samples as the REST API gives them."""

from __future__ import annotations

from marshmallow import fields

from prodapp.formatting import sentence
from prodapp.rest.schemas import AnswerSchema


class IntervalSchema(AnswerSchema):
    """Where a figure lies with a confidence of ``level``."""

    low = fields.Float(required=True)
    high = fields.Float(required=True)
    level = fields.Float(required=True, metadata={"examples": [0.95]})


def _figure(description: str) -> fields.Float:
    """One that versions of earlier releases lack."""
    return fields.Float(
        required=True,
        allow_none=True,
        dump_default=None,
        metadata={"description": description},
    )


def _interval() -> fields.Nested:
    return fields.Nested(IntervalSchema, required=True, allow_none=True, dump_default=None)


class ClassMetricsSchema(AnswerSchema):
    """Figures of the probability of one class, at a threshold of one half."""

    target_class = fields.String(required=True)
    n_of_class = fields.Integer(
        required=True, metadata={"description": "Held-out samples of the class."}
    )
    accuracy = fields.Float(required=True)
    balanced_accuracy = fields.Float(required=True)
    roc_auc = fields.Float(
        required=True,
        allow_none=True,
        metadata={"description": "Null where the held-out samples are all of the class or none."},
    )
    log_loss = fields.Float(required=True)
    f1 = fields.Float(required=True, metadata={"description": "Of the class."})
    accuracy_interval = fields.Nested(IntervalSchema, required=True)
    balanced_accuracy_interval = fields.Nested(IntervalSchema, required=True)
    roc_auc_interval = fields.Nested(IntervalSchema, required=True, allow_none=True)
    log_loss_interval = fields.Nested(IntervalSchema, required=True)
    f1_interval = fields.Nested(IntervalSchema, required=True)
    baseline_accuracy = fields.Float(
        required=True, metadata={"description": "Of always answering with the majority."}
    )
    baseline_f1 = fields.Float(required=True)
    baseline_log_loss = fields.Float(
        required=True,
        metadata={"description": "Of always answering with the share of the class."},
    )


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
    skill = _figure("The share of the squared error of predicting the training mean, taken away.")
    skill_interval = _interval()
    mape = _figure("Mean |error| over |value|; null where `mape_reason` says why.")
    mape_interval = _interval()
    mape_reason = fields.Function(
        lambda metrics: sentence(reason) if (reason := metrics.get("mape_reason")) else None,
        required=True,
        metadata={"type": ["string", "null"], "description": "For people."},
    )
    last_value_r2 = _figure("Of answering with the value before; null where rows are in no order.")
    last_value_mae = _figure("Likewise.")
    last_value_rmse = _figure("Likewise.")
    classes = fields.Function(
        lambda metrics: (
            ClassMetricsSchema().dump(found) if (found := metrics.get("classes")) else None
        ),
        required=True,
        metadata={
            "description": "Where the target holds classes: then the other figures are of the "
            "probability of one of them (R² is its Brier skill score).",
            "oneOf": [{"$ref": "#/components/schemas/ClassMetrics"}, {"type": "null"}],
        },
    )
