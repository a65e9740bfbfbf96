"""What the existing clients send and read. Names and shapes are theirs."""

from __future__ import annotations

import marshmallow as ma
from flask_smorest.fields import Upload
from marshmallow import fields, validate

from prodapp.machines.overviews import STATUSES
from prodapp.rest.schemas import AnswerSchema, Instant, id_field

MAX_URL = 2000


class LooseSchema(ma.Schema):
    """Unknown keys are ignored: these clients may send more than we read."""

    class Meta:
        unknown = ma.EXCLUDE


class MachineNameInput(LooseSchema):
    """The dashboard's way to register."""

    machine_name = fields.String(required=True, metadata={"examples": ["Prensa 01"]})


class ModelNameQuery(LooseSchema):
    """The other backend's way to register: no body, only this."""

    model_name = fields.String(metadata={"examples": ["Prensa 01"]})


class TargetQuery(LooseSchema):
    """Which machine: the dashboard says ``machine_id``, another backend ``model_id``."""

    machine_id = id_field("As the dashboard's backend.")
    model_id = id_field("As the model service of another backend.")

    @ma.validates_schema
    def _one_is_there(self, data: dict[str, int], **_kwargs: object) -> None:
        if "machine_id" not in data and "model_id" not in data:
            raise ma.ValidationError({"machine_id": ["Missing data for required field."]})


class TrainQuery(TargetQuery):
    """What to train."""

    target_column = fields.String(
        required=True, validate=validate.Length(min=1), metadata={"examples": ["y"]}
    )
    url = fields.String(
        validate=validate.Length(max=MAX_URL),
        metadata={
            "description": "With `model_id`: where to POST model_id, status and metrics when the "
            "run has ended. Its host must be on the administrator's list.",
            "examples": ["http://backend/webhook/treinamento/"],
        },
    )


class TrainFile(LooseSchema):
    """A CSV file: `text/csv`, or what Windows calls it with a `.csv` name."""

    file = Upload(required=True)


class WebhookInput(LooseSchema):
    """What an external model service reports."""

    model_id = fields.Integer(required=True)
    status = fields.String(required=True, validate=validate.OneOf(("completed", "failed")))
    metrics = fields.Dict(required=True)


class MachineRowSchema(AnswerSchema):
    """A machine as the dashboard reads it."""

    id = fields.Integer(required=True)
    machine_name = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    model_id = fields.Integer(required=True)


class DeletedSchema(AnswerSchema):
    """Said after a removal."""

    status = fields.Constant("deleted", required=True)


class StartedSchema(AnswerSchema):
    """Said when a training run was accepted."""

    message = fields.String(required=True, metadata={"examples": ["Training started"]})
    run_id = fields.Integer(required=True)


class ReceivedSchema(AnswerSchema):
    """Said when a report was noted."""

    message = fields.String(required=True)


class MetricsRowSchema(AnswerSchema):
    """Figures on held-out samples."""

    r2 = fields.Float(required=True)
    mae = fields.Float(required=True)
    rmse = fields.Float(required=True)
    n_train = fields.Integer(required=True)
    n_test = fields.Integer(required=True)
    n_features = fields.Integer(required=True)
    date = Instant(required=True)


class ImportanceSchema(AnswerSchema):
    """One row of the ranking, the most important first."""

    feature = fields.String(required=True)
    importance_shap_mean_abs = fields.Float(required=True)
    importance_native = fields.Float(required=True)
    shap_norm = fields.Float(required=True)
    native_norm = fields.Float(required=True)
    score_final = fields.Float(required=True)
    direction = fields.String(
        required=True, metadata={"description": "A sentence; Portuguese unless asked otherwise."}
    )
    effect = fields.String(
        required=True, validate=validate.OneOf(("increases", "decreases", "nonmonotonic"))
    )


class DashboardAlarmSchema(AnswerSchema):
    """What to think of before acting on a result."""

    code = fields.String(required=True, metadata={"description": "Stable; more may follow."})
    severity = fields.String(
        required=True, validate=validate.OneOf(("info", "warning", "critical"))
    )
    features = fields.List(fields.String(), required=True)
    message = fields.String(required=True, metadata={"description": "For people."})


class DashboardRankingSchema(AnswerSchema):
    """What ``machine_id`` gets."""

    ranking = fields.List(fields.Nested(ImportanceSchema), required=True)
    metrics = fields.Nested(MetricsRowSchema, required=True)
    alarms = fields.List(fields.Nested(DashboardAlarmSchema), required=True)
    run_id = fields.Integer(required=True)
    model_version = fields.Integer(required=True)
