"""Schemas that several resources share, and fields that are as strict as JSON is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from prodapp.pagination import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE

MAX_ID = 2**63 - 1  # ids are 64-bit on every database
MAX_PAGE = 1_000_000


class RequestSchema(ma.Schema):
    """What a caller sends; fields that the schema does not name are refused."""

    class Meta:
        unknown = ma.RAISE
        ordered = True


class AnswerSchema(ma.Schema):
    """What a caller gets; more fields may follow in later releases."""

    class Meta:
        unknown = ma.EXCLUDE
        ordered = True


class JsonNumber(fields.Float):
    """A finite JSON number; a text that looks like one is none."""

    def _validated(self, value: Any) -> Any:
        if isinstance(value, str):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class JsonInteger(fields.Integer):
    """A whole JSON number (``2.0`` is one, as JSON Schema has it); a text is none."""

    def _validated(self, value: Any) -> Any:
        if isinstance(value, str) or (isinstance(value, float) and not value.is_integer()):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class Instant(fields.AwareDateTime):
    """A point in time, ISO 8601 with its zone."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", **kwargs)


def id_field(description: str, **kwargs: Any) -> fields.Integer:
    """An id in a query or form, where everything is text."""
    return fields.Integer(
        validate=validate.Range(min=1, max=MAX_ID),
        metadata={"description": description, "examples": [1]},
        **kwargs,
    )


def json_id_field(description: str, **kwargs: Any) -> JsonInteger:
    """An id in a JSON body."""
    return JsonInteger(
        validate=validate.Range(min=1, max=MAX_ID),
        metadata={"description": description, "examples": [1]},
        **kwargs,
    )


class PageQuery(RequestSchema):
    """Which page of a list."""

    page = fields.Integer(
        load_default=1,
        validate=validate.Range(min=1, max=MAX_PAGE),
        metadata={"description": "The page, counted from 1."},
    )
    page_size = fields.Integer(
        load_default=DEFAULT_PAGE_SIZE,
        validate=validate.Range(min=1, max=MAX_PAGE_SIZE),
        metadata={"description": "Items on a page."},
    )


class ListQuery(PageQuery):
    """Which page, and of rows that were made when."""

    created_after = Instant(metadata={"description": "Made from then on."})
    created_before = Instant(metadata={"description": "Made before then."})


def sort_field(sorts: Iterable[str], default: str) -> fields.String:
    """The field to sort by: one of ``sorts``, with a minus from the end."""
    names = tuple(sorts)
    return fields.String(
        load_default=default,
        validate=validate.OneOf((*names, *(f"-{name}" for name in names))),
        metadata={"description": "The field to sort by; with a minus, from the end."},
    )


class FieldProblemSchema(AnswerSchema):
    """One bad field."""

    pointer = fields.String(
        required=True,
        metadata={"description": "Where, as a JSON pointer (RFC 6901).", "examples": ["/name"]},
    )
    detail = fields.String(required=True, metadata={"description": "What is wrong with it."})


class ProblemSchema(AnswerSchema):
    """What went wrong, after RFC 9457."""

    type = fields.String(
        required=True, metadata={"examples": ["urn:prodapp:problem:not_found"], "format": "uri"}
    )
    title = fields.String(required=True, metadata={"examples": ["Not found"]})
    status = fields.Integer(required=True, metadata={"examples": [404]})
    detail = fields.String(
        required=True,
        metadata={
            "description": "What went wrong and what to do, in the language of Accept-Language.",
            "examples": ["There is no machine 7."],
        },
    )
    instance = fields.String(required=True, metadata={"examples": ["/api/v1/machines/7"]})
    code = fields.String(
        required=True, metadata={"description": "Stable; for programs.", "examples": ["not_found"]}
    )
    request_id = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Under this id the log knows the request."},
    )
    row = fields.Integer(metadata={"description": "The line of the file, counted from 1."})
    column = fields.String(metadata={"description": "The column of the file."})
    errors = fields.List(
        fields.Nested(FieldProblemSchema), metadata={"description": "Each bad field."}
    )


class DetailSchema(AnswerSchema):
    """What went wrong, as the existing clients read it."""

    detail = fields.Raw(
        required=True,
        metadata={
            "oneOf": [
                {"type": "string"},
                {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["loc", "msg"],
                        "properties": {
                            "loc": {"type": "array", "items": {"type": "string"}},
                            "msg": {"type": "string"},
                        },
                    },
                },
            ],
            "description": "A text; for 422 the list of fields, where fields are wrong.",
        },
    )


class FailureSchema(AnswerSchema):
    """Why work on a resource ended without its result."""

    code = fields.String(
        required=True, metadata={"description": "Stable; for programs.", "examples": ["timeout"]}
    )
    detail = fields.String(
        required=True, metadata={"description": "What happened and what to do about it."}
    )
