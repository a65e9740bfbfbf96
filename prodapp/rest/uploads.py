"""Operations that take either JSON or a file in a multipart body."""

from __future__ import annotations

from typing import Any, cast

import marshmallow as ma
from flask import Request, request
from werkzeug.datastructures import FileStorage

from prodapp.exceptions import FieldError, InvalidInput, N_
from prodapp.rest.arguments import StrictParser

_parser = StrictParser()


def is_multipart(req: Request) -> bool:
    """Whether the body comes in parts, as files do."""
    return req.mimetype == "multipart/form-data"


def load(schema: type[ma.Schema], *, location: str = "json") -> dict[str, Any]:
    """One part of the request, parsed strictly."""
    return cast("dict[str, Any]", _parser.parse(schema, location=location))


def has_field(name: str) -> bool:
    """Whether the JSON body is an object with that field, to choose its schema by."""
    body = _parser.load_json(request, ma.Schema())
    return isinstance(body, dict) and name in body


def uploaded_file(name: str = "file") -> FileStorage:
    """The uploaded file. Raises :class:`InvalidInput` where it is missing, or not alone."""
    unknown = sorted(key for key in request.files if key != name)
    if unknown:
        message = N_("Some fields are missing or wrong.")
        fields = tuple(FieldError(f"/{key}", N_("Unknown field.")) for key in unknown)
        raise InvalidInput(message, fields=fields)
    file = request.files.get(name)
    if file is None or not file.filename:
        message = N_("Send the file in the field “%(name)s” of a multipart form.")
        field = FieldError(f"/{name}", message, {"name": name})
        raise InvalidInput(message, fields=(field,), name=name)
    return file


def json_or_multipart(
    json_schema: type[ma.Schema] | dict[str, Any], multipart_schema: type[ma.Schema]
) -> dict[str, Any]:
    """The request body of such an operation in the document."""
    return {
        "required": True,
        "content": {
            "application/json": {"schema": json_schema},
            "multipart/form-data": {"schema": multipart_schema},
        },
    }
