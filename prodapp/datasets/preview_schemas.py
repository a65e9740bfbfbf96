"""The document of a data set's preview as the REST API gives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, validate

from prodapp.formatting import sentence
from prodapp.models import Dataset
from prodapp.rest.schemas import AnswerSchema
from prodapp.variables import ROLES, TARGET, TableSettings

SUGGESTED_ROLES = (*ROLES, "constant", "empty")
_OWN_LANGUAGE = {"type": "string", "description": "In the caller's language."}


def remedy_field() -> fields.Dict:
    """Overrides that read the file otherwise."""
    return fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        dump_default=dict,
        metadata={
            "description": "Choices to add to the overrides, where they would mend it.",
            "examples": [{"repair:pH": "1000"}],
        },
    )


def column_field() -> fields.String:
    """What is said of one column, not of the whole file."""
    return fields.String(
        required=True,
        allow_none=True,
        dump_default=None,
        metadata={"description": "`null`: the whole file."},
    )


class DecisionSchema(AnswerSchema):
    """One thing that was decided about the file, and why."""

    name = fields.String(required=True, metadata={"examples": ["delimiter"]})
    value = fields.String(required=True, metadata={"examples": [";"]})
    reason = fields.Function(
        lambda decision: sentence(decision["reason"], decision["params"]),
        required=True,
        metadata=_OWN_LANGUAGE,
    )
    column = column_field()


class RemarkSchema(AnswerSchema):
    """Something that a person should know about the data."""

    code = fields.String(required=True)
    severity = fields.String(required=True, validate=validate.OneOf(("info", "warning")))
    detail = fields.Function(
        lambda remark: sentence(remark["message"], remark["params"]),
        required=True,
        metadata=_OWN_LANGUAGE,
    )
    row = fields.Integer(
        required=True, allow_none=True, metadata={"description": "The line, counted from 1."}
    )
    column = column_field()
    remedy = remedy_field()


class DifferenceSchema(AnswerSchema):
    """One way in which the file differs from the last confirmed one of its machine."""

    code = fields.String(
        required=True,
        validate=validate.OneOf(("missing", "new", "renamed", "retyped", "scaled", "shifted")),
    )
    severity = fields.String(required=True, validate=validate.OneOf(("info", "warning")))
    detail = fields.Function(
        lambda difference: sentence(difference["message"], difference["params"]),
        required=True,
        metadata=_OWN_LANGUAGE,
    )
    column = fields.String(required=True)
    other = fields.String(
        required=True, allow_none=True, metadata={"description": "Its name before, where renamed."}
    )
    remedy = remedy_field()


class GroupSchema(AnswerSchema):
    """Columns that can hardly be told apart."""

    names = fields.List(fields.String(), required=True)
    weakest = fields.Float(
        required=True, metadata={"description": "The least association within, 0 to 1."}
    )


class SuspectSchema(AnswerSchema):
    """A column that may state the target rather than explain it."""

    name = fields.String(required=True)
    code = fields.String(
        required=True,
        validate=validate.OneOf(
            ("single_variable", "threshold", "flag_of_target", "part_of_target")
        ),
    )
    reason = fields.Function(
        lambda suspect: sentence(suspect["reason"], suspect["params"]),
        required=True,
        metadata=_OWN_LANGUAGE,
    )


class OrderSchema(AnswerSchema):
    """Whether the rows follow each other in time."""

    is_ordered = fields.Boolean(required=True)
    reason = fields.Function(
        lambda order: sentence(order["reason"], order["params"]),
        required=True,
        metadata=_OWN_LANGUAGE,
    )
    by = fields.String(
        required=True, allow_none=True, metadata={"description": "The column of times."}
    )
    interval_seconds = fields.Float(required=True, allow_none=True)
    n_gaps = fields.Integer(required=True)
    n_repeated = fields.Integer(
        required=True, metadata={"description": "Times that stand more than once."}
    )
    sorted_by = fields.List(
        fields.String(), required=True, metadata={"description": "Columns the rows were sorted by."}
    )


class ColumnSchema(AnswerSchema):
    """What one column is. Figures of numbers only where the kind is ``number``."""

    name = fields.String(required=True)
    label = fields.String(
        required=True, allow_none=True, metadata={"description": "What people call it."}
    )
    unit = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "As people said, or else as the file says.", "examples": ["°C"]},
    )
    kind = fields.String(
        required=True,
        validate=validate.OneOf(("number", "category", "boolean", "date", "text", "empty")),
    )
    role = fields.String(
        required=True,
        validate=validate.OneOf(("feature", "identifier", "time", "constant", "empty")),
        metadata={"description": "By its values alone: what could enter a model is a feature."},
    )
    role_reason = fields.Function(
        lambda column: sentence(column["role_reason"]) if column["role_reason"] else None,
        required=True,
        metadata={"type": ["string", "null"], "description": "Why it is not a feature."},
    )
    suggested_role = fields.String(
        required=True, allow_none=True, validate=validate.OneOf(SUGGESTED_ROLES)
    )
    suggestion_reason = fields.Function(
        lambda column: sentence(*column["suggestion"]) if column["suggestion"] else None,
        required=True,
        metadata={"type": ["string", "null"], "description": "Why this role is suggested."},
    )
    chosen_role = fields.String(
        required=True,
        allow_none=True,
        validate=validate.OneOf(ROLES),
        metadata={
            "description": "What a person made of it. Consequences, identifiers, times and groups "
            "enter a model only when they are named as its features."
        },
    )
    n_missing = fields.Integer(required=True)
    n_distinct = fields.Integer(required=True)
    minimum = fields.Float(required=True, allow_none=True)
    maximum = fields.Float(required=True, allow_none=True)
    mean = fields.Float(required=True, allow_none=True)
    examples = fields.List(fields.String(), required=True)
    barely_moved = fields.Boolean(
        required=True, metadata={"description": "It hardly varied, so no effect can be told."}
    )
    duplicate_of = fields.String(
        required=True, allow_none=True, metadata={"description": "An earlier column, the same."}
    )
    copy_of = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "An earlier column of which it is a straight line."},
    )
    group = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Position in `groups`, from 0."}
    )
    sketch = fields.List(
        fields.Integer(),
        required=True,
        metadata={
            "description": "Counts of rows: over 20 equal steps from minimum to maximum, or of "
            "the most frequent classes."
        },
    )
    sparkline = fields.List(
        fields.Float(allow_none=True),
        required=True,
        metadata={"description": "Its course over the rows: means of up to 40 equal blocks."},
    )


class PreviewSchema(AnswerSchema):
    """How the file is read: of its first part while it waits for import, then of the whole."""

    decisions = fields.List(fields.Nested(DecisionSchema), required=True)
    remarks = fields.List(fields.Nested(RemarkSchema), required=True)
    differences = fields.List(fields.Nested(DifferenceSchema), required=True)
    columns = fields.List(fields.Nested(ColumnSchema), required=True)
    groups = fields.List(fields.Nested(GroupSchema), required=True)
    order = fields.Nested(
        OrderSchema, required=True, allow_none=True, metadata={"description": "Of the rows."}
    )
    leak_suspects = fields.List(
        fields.Nested(SuspectSchema),
        required=True,
        metadata={"description": "Given the target that was chosen, or the machine's last one."},
    )
    rows = fields.List(
        fields.List(fields.String()),
        required=True,
        metadata={"description": "The first rows as text; an empty text is a missing value."},
    )
    n_rows = fields.Integer(required=True)
    is_complete = fields.Boolean(required=True)


def described_preview(dataset: Dataset) -> dict[str, Any]:
    """The stored preview, each column with its profile and with what people said of it."""
    preview = dataset.preview
    profile = preview.get("profile") or {}
    settings = TableSettings.from_json(dataset.settings)
    profiles = {column["name"]: column for column in profile.get("columns", ())}
    said = {column.name: column for column in settings.columns}
    columns = []
    for column in preview["columns"]:
        own, found = said.get(column["name"]), profiles.get(column["name"], {})
        is_target = column["name"] == settings.target
        columns.append(
            {
                **_NOT_PROFILED,
                **column,
                **{key: found[key] for key in found.keys() & _NOT_PROFILED.keys()},
                "label": own.label if own else None,
                "unit": (own.unit if own else None) or column.get("unit"),
                "chosen_role": TARGET if is_target else own.role if own else None,
                "suggested_role": found.get("role"),
                "suggestion": (found["reason"], found["params"]) if found.get("reason") else None,
            }
        )
    return {
        **preview,
        "columns": columns,
        "differences": preview.get("differences", ()),
        "groups": profile.get("groups", ()),
        "order": profile.get("order"),
        "leak_suspects": profile.get("suspects", ()),
    }


#: Of data sets that were imported before there were profiles.
_NOT_PROFILED: Mapping[str, Any] = {
    "barely_moved": False,
    "duplicate_of": None,
    "copy_of": None,
    "group": None,
    "sketch": (),
    "sparkline": (),
}
