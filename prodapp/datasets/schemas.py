"""Data sets as the REST API takes and gives them."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask_smorest.fields import Upload
from marshmallow import fields, validate

from prodapp.datasets.change_schemas import ExclusionSchema, Overrides
from prodapp.datasets.drafts import expires_at
from prodapp.datasets.preview_schemas import PreviewSchema, described_preview
from prodapp.datasets.records import MAX_RECORDS
from prodapp.datasets.service import SORTS, waiting_for
from prodapp.ml.intake.choices import DATE_ORDERS, FILE_CHOICES
from prodapp.models import Dataset, DatasetState
from prodapp.rest.answers import failure
from prodapp.rest.arguments import Malformed, strict_json
from prodapp.rest.schemas import (
    AnswerSchema,
    Instant,
    ListQuery,
    RequestSchema,
    id_field,
    json_id_field,
    sort_field,
)
from prodapp.variables import SENSES

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


class DatasetsQuery(ListQuery):
    """Which data sets of a machine."""

    state = fields.String(
        validate=validate.OneOf(tuple(state.value for state in DatasetState)),
        metadata={"description": "Only data sets in this state."},
    )
    q = fields.String(
        load_default="",
        validate=validate.Length(max=255),
        metadata={"description": "Part of the file's name; case does not count."},
    )
    sort = sort_field(SORTS, "-created_at")


class DatasetQuery(DatasetsQuery):
    """Which data sets."""

    machine_id = id_field("Only data sets of this machine.")


class OverridesForm(RequestSchema):
    """What the sender knows about the file; by default it is found out, or remembered from the
    last file of the machine. ``prodapp.ml.intake.choices`` says what each means."""

    encoding = fields.String(
        validate=validate.Length(min=1, max=40), metadata={"examples": ["utf-8", "cp1252"]}
    )
    delimiter = fields.String(
        validate=validate.Regexp(r"(?:[^\r\n]|tab)\Z", error="Give one character, or “tab”."),
        metadata={"pattern": r"^([^\r\n]|tab)$", "examples": [";", "tab"]},
    )
    quote = fields.String(validate=validate.OneOf(('"', "'")))
    sheet = fields.String(
        validate=validate.Length(min=1, max=255),
        metadata={"description": "The sheet of a workbook."},
    )
    first_row = fields.Integer(
        validate=validate.Range(min=1),
        metadata={"description": "The row where the table begins, counted from 1."},
    )
    header = fields.String(
        validate=validate.Regexp(r"(?:yes|no|[1-9]\d?)\Z", error="Give yes, no or a number."),
        metadata={
            "pattern": r"^(yes|no|[1-9]\d?)$",
            "description": "Whether there are names of columns, or how many rows of them.",
        },
    )
    units_row = fields.String(
        validate=validate.OneOf(("yes", "no")),
        metadata={"description": "Whether a row of units stands below the names."},
    )
    decimal = fields.String(validate=validate.OneOf((".", ",")))
    dates = fields.String(validate=validate.OneOf(DATE_ORDERS))
    missing = fields.String(
        validate=validate.Length(max=1000),
        metadata={
            "description": "Codes for missing values, with | between; empty: there are none."
        },
    )
    overrides = fields.String(
        metadata={
            "description": "The same and those of single columns (`name:column`), as a JSON "
            "object of texts.",
            "examples": ['{"kind:batch": "category", "decimal:pH": ","}'],
        }
    )

    @ma.post_load
    def _parse_overrides(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        text = data.get("overrides")
        if text is not None:
            try:
                data["overrides"] = Overrides().deserialize(strict_json(text.encode()))
            except Malformed as error:
                raise ma.ValidationError({"overrides": [str(error)]}) from error
            except ma.ValidationError as error:
                raise ma.ValidationError({"overrides": error.messages}) from error
        return data


def overrides_in(form: dict[str, Any]) -> dict[str, str]:
    """Take the choices out of a loaded :class:`OverridesForm`."""
    chosen: dict[str, str] = dict(form.pop("overrides", {}))
    for name in FILE_CHOICES:
        if name in form:
            chosen.setdefault(name, str(form.pop(name)))
    return chosen


class FileInput(RequestSchema):
    """A CSV file."""

    file = Upload(required=True, metadata={"description": "The CSV file."})


class UploadForm(OverridesForm):
    """The fields beside the file."""

    confirm = fields.Boolean(
        load_default=True,
        metadata={
            "description": "`false`: a draft, to be looked at; nothing is imported before it is "
            "confirmed."
        },
    )


class UploadDocument(UploadForm):
    """A CSV file, and what the sender knows about it."""

    file = Upload(required=True, metadata={"description": "The CSV file."})


class DatasetForm(UploadForm):
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
        metadata={
            "description": "Only `ready` data can be trained on; others wait for it, and a "
            "`draft` waits to be confirmed."
        },
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
    expires_at = Instant(
        required=True,
        allow_none=True,
        metadata={"description": "When a draft that nobody confirms is deleted."},
    )

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        return (
            expires_at(obj) if attr == "expires_at" else super().get_attribute(obj, attr, default)
        )

    def _error(self, dataset: Dataset) -> Any:
        return failure(dataset)


class DatasetDetailSchema(DatasetSchema):
    """A data set with all that was found in it."""

    overrides = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={"description": "What was decided instead of finding it out."},
    )
    target = fields.String(
        required=True, allow_none=True, metadata={"description": "As it was confirmed."}
    )
    sense = fields.String(required=True, allow_none=True, validate=validate.OneOf(SENSES))
    goal = fields.Float(required=True, allow_none=True)
    exclusions = fields.List(
        fields.Nested(ExclusionSchema),
        required=True,
        metadata={"description": "Rows that runs leave out."},
    )
    preview = fields.Nested(PreviewSchema, required=True)

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        if attr == "preview":
            return described_preview(obj)
        if attr == "exclusions":
            return obj.exclusions or ()
        if attr in ("target", "sense", "goal"):
            return (obj.settings or {}).get(attr)
        return super().get_attribute(obj, attr, default)
