"""Data sets as the REST API takes and gives them."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask_smorest.fields import Upload
from marshmallow import fields, validate

from prodapp.datasets.records import MAX_RECORDS
from prodapp.datasets.service import waiting_for
from prodapp.formatting import sentence
from prodapp.models import Dataset, DatasetState
from prodapp.rest.answers import failure
from prodapp.rest.schemas import (
    AnswerSchema,
    Instant,
    PageQuery,
    RequestSchema,
    id_field,
    json_id_field,
)

CELL_TYPES = ["number", "string", "boolean", "null"]


class Record(fields.Field[dict[str, Any]]):
    """One row as a flat JSON object."""

    default_error_messages = {  # noqa: RUF012 - marshmallow's interface
        "invalid": "Give an object of column names and values.",
        "cell": "Give a number, a text, true, false or null.",
    }

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or not value:
            raise self.make_error("invalid")
        nested = {
            name: [self.error_messages["cell"]]
            for name, cell in value.items()
            if isinstance(cell, dict | list)
        }
        if nested:
            raise ma.ValidationError(nested)
        return value


def records_field() -> fields.List[dict[str, Any]]:
    """The rows of a table, one object each."""
    record = Record(
        metadata={
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"type": CELL_TYPES},
        }
    )
    return fields.List(
        record,
        required=True,
        validate=validate.Length(min=1, max=MAX_RECORDS),
        metadata={
            "description": "Rows; a key that a row lacks is a missing value.",
            "examples": [[{"temperature": 181.5, "speed": 12, "shift": "day", "yield": 94.1}]],
        },
    )


class DatasetQuery(PageQuery):
    """Which data sets."""

    machine_id = id_field("Only data sets of this machine.")


class OverridesForm(RequestSchema):
    """What the sender knows about the file; by default it is found out."""

    encoding = fields.String(
        validate=validate.Length(min=1, max=40), metadata={"examples": ["utf-8", "cp1252"]}
    )
    delimiter = fields.String(validate=validate.Length(equal=1), metadata={"examples": [";", "\t"]})
    decimal = fields.String(validate=validate.OneOf((".", ",")))
    header = fields.String(
        validate=validate.OneOf(("yes", "no")),
        metadata={"description": "Whether the first line holds the names."},
    )


class FileInput(RequestSchema):
    """A CSV file."""

    file = Upload(required=True, metadata={"description": "The CSV file."})


class UploadDocument(OverridesForm):
    """A CSV file, and what the sender knows about it."""

    file = Upload(required=True, metadata={"description": "The CSV file."})


class DatasetForm(OverridesForm):
    """The fields beside the file."""

    machine_id = id_field("The machine that the data come from.", required=True)


class DatasetUploadDocument(DatasetForm):
    """A CSV file of a machine."""

    file = Upload(required=True, metadata={"description": "The CSV file."})


class RecordsInput(RequestSchema):
    """Rows as JSON."""

    records = records_field()


class DatasetRecordsInput(RecordsInput):
    """Rows of a machine as JSON."""

    machine_id = json_id_field("The machine that the data come from.", required=True)


class DecisionSchema(AnswerSchema):
    """One thing that was decided about the file, and why."""

    name = fields.String(required=True, metadata={"examples": ["delimiter"]})
    value = fields.String(required=True, metadata={"examples": [";"]})
    reason = fields.Function(
        lambda decision: sentence(decision["reason"], decision["params"]),
        required=True,
        metadata={"type": "string", "description": "In the caller's language."},
    )


class RemarkSchema(AnswerSchema):
    """Something that a person should know about the data."""

    code = fields.String(required=True)
    severity = fields.String(required=True, validate=validate.OneOf(("info", "warning")))
    detail = fields.Function(
        lambda remark: sentence(remark["message"], remark["params"]),
        required=True,
        metadata={"type": "string", "description": "In the caller's language."},
    )
    row = fields.Integer(
        required=True, allow_none=True, metadata={"description": "The line, counted from 1."}
    )
    column = fields.String(required=True, allow_none=True)


class ColumnSchema(AnswerSchema):
    """What one column is. Figures of numbers only where the kind is ``number``."""

    name = fields.String(required=True)
    kind = fields.String(
        required=True,
        validate=validate.OneOf(("number", "category", "boolean", "date", "text", "empty")),
    )
    role = fields.String(
        required=True,
        validate=validate.OneOf(("feature", "identifier", "time", "constant", "empty")),
        metadata={"description": "A suggestion; only features enter a model by default."},
    )
    role_reason = fields.Function(
        lambda column: sentence(column["role_reason"]) if column["role_reason"] else None,
        required=True,
        metadata={"type": ["string", "null"], "description": "Why it is not a feature."},
    )
    n_missing = fields.Integer(required=True)
    n_distinct = fields.Integer(required=True)
    minimum = fields.Float(required=True, allow_none=True)
    maximum = fields.Float(required=True, allow_none=True)
    mean = fields.Float(required=True, allow_none=True)
    examples = fields.List(fields.String(), required=True)


class PreviewSchema(AnswerSchema):
    """How the file is read: of its first part while it waits for import, then of the whole."""

    decisions = fields.List(fields.Nested(DecisionSchema), required=True)
    remarks = fields.List(fields.Nested(RemarkSchema), required=True)
    columns = fields.List(fields.Nested(ColumnSchema), required=True)
    rows = fields.List(
        fields.List(fields.String()),
        required=True,
        metadata={"description": "The first rows as text; an empty text is a missing value."},
    )
    n_rows = fields.Integer(required=True)
    is_complete = fields.Boolean(required=True)


class DatasetSchema(AnswerSchema):
    """An uploaded file and where its import stands."""

    id = fields.Integer(required=True)
    machine_id = fields.Integer(required=True)
    filename = fields.String(required=True, metadata={"examples": ["production.csv"]})
    size_bytes = fields.Integer(required=True)
    sha256 = fields.String(required=True, attribute="source_key")
    state = fields.String(
        required=True,
        validate=validate.OneOf([state.value for state in DatasetState]),
        metadata={"description": "Only `ready` data can be trained on; others wait for it."},
    )
    progress = fields.Float(required=True, metadata={"description": "Of the import, 0 to 1."})
    waiting_for = fields.Function(
        waiting_for,
        required=True,
        metadata={
            "enum": ["queue", "worker", None],
            "description": "What the import waits for: the `queue` that hands out work and does "
            "not answer at the moment, or a free `worker`.",
        },
    )
    n_rows = fields.Integer(required=True, allow_none=True)
    n_columns = fields.Integer(required=True, allow_none=True)
    error = fields.Method(
        "_error",
        required=True,
        metadata={
            "description": "Why the file was refused.",
            "oneOf": [{"$ref": "#/components/schemas/Failure"}, {"type": "null"}],
        },
    )
    created_at = Instant(required=True)

    def _error(self, dataset: Dataset) -> Any:
        return failure(dataset)


class DatasetDetailSchema(DatasetSchema):
    """A data set with all that was found in it."""

    preview = fields.Nested(PreviewSchema, required=True)
