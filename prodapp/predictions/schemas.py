"""Predictions as the REST API takes and gives them."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask_smorest.fields import Upload
from marshmallow import fields, validate

from prodapp.datasets.schemas import OverridesForm
from prodapp.exceptions import N_
from prodapp.models import BatchState
from prodapp.pagination import MAX_PAGE_SIZE
from prodapp.predictions import batches, history, service
from prodapp.predictions.class_schemas import ClassShareSchema
from prodapp.rest.answers import failure
from prodapp.rest.schemas import (
    AnswerSchema,
    Instant,
    JsonNumber,
    ListQuery,
    RequestSchema,
    id_field,
    sort_field,
)

CHANNELS = ("api", "page", "cli")
SURPRISES = ("range", "category", "missing", "combination", "rows")
LEVEL = validate.Range(min=service.LOWEST_LEVEL, max=service.HIGHEST_LEVEL)
RESULT_FORMATS = ("csv", "xlsx", "parquet")


class PredictInput(RequestSchema):
    """One `record`, or many `records`: for each variable of the version a number, a text, or null
    where the value is not known."""

    record = fields.Dict(
        keys=fields.String(),
        metadata={"description": "One row.", "examples": [{"heat": 21.5, "shift": "day"}]},
    )
    records = fields.List(
        fields.Dict(keys=fields.String()),
        validate=validate.Length(min=1, max=service.MAX_RECORDS),
        metadata={"description": "Many rows, answered in their order."},
    )
    level = JsonNumber(
        load_default=service.LEVEL,
        validate=LEVEL,
        metadata={"description": "How often an interval shall hold the true value."},
    )

    @ma.validates_schema
    def _one_of_both(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if ("record" in data) == ("records" in data):
            raise ma.ValidationError(N_("Send either “record” or “records”."))


class PredictQuery(RequestSchema):
    """What else is wanted."""

    contributions = fields.Boolean(
        load_default=False,
        metadata={
            "description": "Whether to tell what each variable adds to the answer; takes some "
            "hundredths of a second for each row, of at most 100."
        },
    )


class PredictionIntervalSchema(AnswerSchema):
    """Where the true value lies, `level` of the time: from errors on held-out samples. Of a class,
    the share of it among held-out samples of like probability."""

    level = fields.Float(required=True)
    low = fields.Float(required=True)
    high = fields.Float(required=True)


class SurpriseSchema(AnswerSchema):
    """What the model has never seen."""

    kind = fields.String(required=True, validate=validate.OneOf(SURPRISES))
    variable = fields.String()
    value = fields.Raw()
    low = fields.Float(metadata={"description": "The least value learned from."})
    high = fields.Float(metadata={"description": "The greatest value learned from."})
    detail = fields.String(required=True)


class ContributionSchema(AnswerSchema):
    """What one variable adds."""

    variable = fields.String(required=True)
    value = fields.Raw(required=True, allow_none=True)
    contribution = fields.Float(required=True)


class ContributionsSchema(AnswerSchema):
    """`base` plus all contributions is the answer, on this scale (SHAP values)."""

    scale = fields.String(
        required=True, validate=validate.OneOf(("answer", "probability", "log_odds", "log_ratio"))
    )
    base = fields.Float(required=True)
    values = fields.List(fields.Nested(ContributionSchema), required=True)


class PredictionSchema(AnswerSchema):
    """One answer of a version."""

    id = fields.UUID(required=True)
    occurred_at = Instant(required=True)
    machine_id = fields.Integer(required=True)
    version_id = fields.Integer(required=True)
    version = fields.Integer(required=True, metadata={"description": "The version's number."})
    target = fields.String(required=True)
    target_class = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The class whose probability this is, null for numbers."},
    )
    inputs = fields.Dict(required=True)
    output = fields.Float(required=True)
    interval = fields.Nested(
        PredictionIntervalSchema,
        required=True,
        allow_none=True,
        metadata={"description": "null where too few samples were held out to tell."},
    )
    possible = fields.List(
        fields.Boolean(),
        required=True,
        allow_none=True,
        metadata={
            "description": "Of a class: whether it cannot be excluded at this level, and whether "
            "another cannot. null for numbers."
        },
    )
    classes = fields.List(
        fields.Nested(ClassShareSchema),
        required=True,
        allow_none=True,
        metadata={
            "description": "Every class, the likeliest first, where one model answers for all of "
            "them; else null."
        },
    )
    is_new = fields.Boolean(
        required=True,
        metadata={"description": "The model has seen no rows like this: `surprises` says why."},
    )
    surprises = fields.List(fields.Nested(SurpriseSchema), required=True)
    contributions = fields.Nested(
        ContributionsSchema, metadata={"description": "There where they were asked for."}
    )
    actual = fields.Float(required=True, allow_none=True)
    actual_at = Instant(required=True, allow_none=True)
    error = fields.Float(
        required=True, allow_none=True, metadata={"description": "`output` minus `actual`."}
    )
    channel = fields.String(required=True, validate=validate.OneOf(CHANNELS))
    actor = fields.String(required=True)
    request_id = fields.String(required=True, allow_none=True)
    duration_ms = fields.Float(required=True)


class PredictionsSchema(AnswerSchema):
    """Answers in the order of the records."""

    predictions = fields.List(fields.Nested(PredictionSchema), required=True)


class HistoryQuery(RequestSchema):
    """Which predictions."""

    machine_id = id_field("Only of this machine.")
    version_id = id_field("Only of this version.")
    actor = fields.String(
        load_default="",
        validate=validate.Length(max=200),
        metadata={"description": "Who asked, by name."},
    )
    request_id = fields.String(load_default="", validate=validate.Length(max=64))
    since = Instant(metadata={"description": "From then on."})
    until = Instant(metadata={"description": "Before then."})
    is_new = fields.Boolean(metadata={"description": "Only rows that were new to the model."})
    has_actual = fields.Boolean(metadata={"description": "Only those whose true value is known."})
    sort = fields.String(
        load_default="-occurred_at",
        validate=validate.OneOf([*history.SORTS, *(f"-{name}" for name in history.SORTS)]),
    )


class HistoryPageQuery(HistoryQuery):
    """Which predictions, and which page of them."""

    cursor = fields.String(
        validate=validate.Length(max=200),
        metadata={"description": "From the `Link` of the page before."},
    )
    page_size = fields.Integer(
        load_default=history.PAGE_SIZE, validate=validate.Range(min=1, max=MAX_PAGE_SIZE)
    )


class ActualInput(RequestSchema):
    """What really came out; null takes it back. Of a class 1 where it was the class, else 0."""

    value = JsonNumber(required=True, allow_none=True)


class ActualsForm(RequestSchema):
    """Nothing beside the file."""


class ActualsDocument(ActualsForm):
    """A table with the columns `prediction_id` and `actual`."""

    file = Upload(required=True, metadata={"description": "The CSV or XLSX file."})


class ActualsSchema(AnswerSchema):
    """How many predictions were told how they came true."""

    n_recorded = fields.Integer(required=True)
    n_unknown = fields.Integer(
        required=True, metadata={"description": "Lines whose prediction is not this machine's."}
    )


class UsageSchema(AnswerSchema):
    """How often a machine or version was asked."""

    n_predictions = fields.Integer(required=True)
    n_new = fields.Integer(required=True)
    n_actuals = fields.Integer(required=True)
    mean_abs_error = fields.Float(required=True, allow_none=True)
    mean_duration_ms = fields.Float(required=True, allow_none=True)
    last_at = Instant(required=True, allow_none=True)


class InputVariableSchema(AnswerSchema):
    """One variable that a version takes."""

    name = fields.String(required=True)
    kind = fields.String(required=True, metadata={"examples": ["number"]})
    unit = fields.String(required=True, allow_none=True)
    low = fields.Float(required=True, allow_none=True)
    middle = fields.Float(required=True, allow_none=True)
    high = fields.Float(required=True, allow_none=True)
    seen = fields.List(fields.String(), required=True)
    has_missing = fields.Boolean(required=True)


class InputsSchema(AnswerSchema):
    """What a version takes, with the values that it learned from."""

    version_id = fields.Integer(required=True)
    target = fields.String(required=True)
    variables = fields.List(fields.Nested(InputVariableSchema), required=True)
    reach = fields.Integer(
        required=True, metadata={"description": "How many rows before it a row wants."}
    )
    record = fields.Dict(required=True, metadata={"description": "A record to start from."})


class BatchForm(OverridesForm):
    """The fields beside the file."""

    level = fields.Float(load_default=service.LEVEL, validate=LEVEL)


class BatchDocument(BatchForm):
    """Rows to be answered in the background."""

    file = Upload(required=True, metadata={"description": "CSV, XLSX or Parquet."})


class BatchQuery(ListQuery):
    """Which batches."""

    machine_id = id_field("Only of this machine.")
    state = fields.String(
        validate=validate.OneOf(tuple(state.value for state in BatchState)),
        metadata={"description": "Only batches in this state."},
    )
    sort = sort_field(batches.SORTS, "-created_at")


class BatchSchema(AnswerSchema):
    """A file of rows that is answered in the background."""

    id = fields.Integer(required=True)
    machine_id = fields.Integer(required=True)
    version_id = fields.Integer(required=True)
    filename = fields.String(required=True)
    state = fields.String(
        required=True,
        validate=validate.OneOf(("queued", "running", "succeeded", "failed", "canceled")),
    )
    progress = fields.Float(required=True)
    level = fields.Float(required=True)
    n_rows = fields.Integer(required=True, allow_none=True)
    n_new = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Rows unlike those that the model learned from."},
    )
    error = fields.Function(
        failure,
        required=True,
        metadata={
            "oneOf": [{"$ref": "#/components/schemas/Failure"}, {"type": "null"}],
            "description": "Why it failed.",
        },
    )
    actor = fields.String(required=True)
    created_at = Instant(required=True)
    finished_at = Instant(required=True, allow_none=True)


class ResultQuery(RequestSchema):
    """In which form."""

    format = fields.String(load_default="csv", validate=validate.OneOf(RESULT_FORMATS))
