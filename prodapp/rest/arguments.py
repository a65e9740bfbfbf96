"""Input of the REST API: strict JSON, nothing unknown, nothing that a database cannot keep."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import marshmallow as ma
from flask import Request
from webargs import core
from webargs.flaskparser import FlaskParser
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import UnsupportedMediaType

from prodapp.exceptions import DomainError, FieldError, InvalidInput, N_
from prodapp.rest.messages import field_error

# JSON is parsed whole in the web process, so it is held shorter than a file, which is streamed.
MAX_JSON_BYTES = 32 * 1024**2
PARSED = "prodapp.parsed_json"

# NUL is refused by PostgreSQL, lone surrogates by every encoder.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

WRONG = N_("Some fields are missing or wrong.")
UNSTORABLE = N_("This text holds a character that cannot be stored.")


class Malformed(DomainError):
    """The body cannot be read at all."""

    code = "malformed"


class StrictParser(FlaskParser):
    """Refuses unknown fields everywhere, and bodies that are not what their type says."""

    DEFAULT_UNKNOWN_BY_LOCATION = dict.fromkeys(("json", "query", "form", "files"))

    def load_json(self, req: Request, schema: ma.Schema) -> Any:  # noqa: ARG002 - the interface
        """The parsed body, ``missing`` where there is none."""
        if not req.is_json:
            if req.content_length or "Transfer-Encoding" in req.headers:
                raise UnsupportedMediaType
            return core.missing
        # Kept with the request: a view may look at the body before it chooses a schema.
        if PARSED not in req.environ:
            req.max_content_length = min(req.max_content_length or MAX_JSON_BYTES, MAX_JSON_BYTES)
            data = req.get_data(cache=False)
            req.environ[PARSED] = strict_json(data) if data else core.missing
        return req.environ[PARSED]

    def pre_load(
        self,
        location_data: Any,
        *,
        schema: ma.Schema,  # noqa: ARG002
        req: Request,  # noqa: ARG002
        location: str,  # noqa: ARG002
    ) -> Any:
        """Refuse text that no database keeps, before any schema sees it."""
        bad = [FieldError(pointer, UNSTORABLE) for pointer in _unstorable_texts(location_data)]
        if bad:
            raise InvalidInput(WRONG, fields=tuple(bad))
        return location_data

    def handle_error(
        self,
        error: ma.ValidationError,
        req: Request,  # noqa: ARG002
        schema: ma.Schema,  # noqa: ARG002
        *,
        error_status_code: int | None,  # noqa: ARG002
        error_headers: Mapping[str, str] | None,  # noqa: ARG002
    ) -> NoReturn:
        """Say which fields are wrong as our own error, which every surface knows how to show."""
        messages = error.messages
        parts = messages.values() if isinstance(messages, Mapping) else [messages]
        fields = tuple(field for part in parts for field in _fields(part))
        raise InvalidInput(WRONG, fields=fields) from error


def loaded(schema: ma.Schema, data: bytes) -> Any:
    """The document of a file, as strictly as the body of a request.

    Raises :class:`Malformed` and :class:`InvalidInput`.
    """
    document = strict_json(data)
    bad = tuple(FieldError(pointer, UNSTORABLE) for pointer in _unstorable_texts(document))
    if bad:
        raise InvalidInput(WRONG, fields=bad)
    try:
        return schema.load(document)
    except ma.ValidationError as error:
        raise InvalidInput(WRONG, fields=tuple(_fields(error.messages))) from error


def strict_json(data: bytes) -> Any:
    """The document in ``data``: UTF-8, finite numbers. Raises :class:`Malformed`."""
    try:
        return json.loads(
            data.decode("utf-8"), parse_constant=_refuse_constant, parse_float=_finite_float
        )
    except RecursionError as error:
        raise Malformed(N_("The body is nested too deeply.")) from error
    except ValueError as error:
        raise Malformed(
            N_("The body is not valid JSON: %(reason)s."), reason=_reason(error)
        ) from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _finite_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


def _reason(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} (line {error.lineno}, column {error.colno})"
    return "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)[:100]


def _fields(messages: Any, pointer: str = "") -> Iterator[FieldError]:
    """marshmallow's nested messages as flat JSON pointers; ``_schema`` means the whole."""
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _fields(inner, pointer if key == "_schema" else f"{pointer}/{_token(key)}")
    elif isinstance(messages, list | tuple):
        for message in messages:
            yield field_error(pointer, str(message))


def _token(key: object) -> str:
    """A key as a part of a JSON pointer (RFC 6901)."""
    return str(key).replace("~", "~0").replace("/", "~1")


def _unstorable_texts(data: Any) -> Iterator[str]:
    """Pointers to bad texts and names. Without recursion: the depth is the sender's choice."""
    waiting: list[tuple[str, Any]] = [("", data)]
    while waiting:
        pointer, value = waiting.pop()
        if isinstance(value, str):
            if _UNSTORABLE.search(value):
                yield pointer
        elif isinstance(value, MultiDict) or hasattr(value, "getlist"):
            for key in value:
                waiting += [(f"/{_safe(key)}", item) for item in (key, *value.getlist(key))]
        elif isinstance(value, Mapping):
            for key, item in value.items():
                inner = f"{pointer}/{_safe(key)}"
                waiting += [(inner, key), (inner, item)]
        elif isinstance(value, list):
            waiting += [(f"{pointer}/{index}", item) for index, item in enumerate(value)]


def _safe(key: object) -> str:
    return _UNSTORABLE.sub("\ufffd", _token(key))
