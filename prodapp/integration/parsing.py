"""Input of the existing clients: what is read is checked, what is not known is ignored."""

from __future__ import annotations

from typing import Any, cast

import marshmallow as ma
from flask import Request
from webargs import core

from prodapp.exceptions import DomainError
from prodapp.rest.arguments import StrictParser
from prodapp.rest.blueprint import ApiBlueprint


class BadRequest(DomainError):
    """400 on these routes, where ``/api/v1`` says 422."""

    code = "bad_request"


class LooseParser(StrictParser):
    """Ignores unknown fields, and bodies that are no JSON."""

    DEFAULT_UNKNOWN_BY_LOCATION = dict.fromkeys(("json", "query", "form", "files"), ma.EXCLUDE)

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        return super().load_json(req, schema) if req.is_json else core.missing


class IntegrationBlueprint(ApiBlueprint):
    """An :class:`ApiBlueprint` for clients that send what they have always sent."""

    ARGUMENTS_PARSER = LooseParser()


_parser = LooseParser()


def load(schema: type[ma.Schema], *, location: str = "json") -> dict[str, Any]:
    """One part of the request."""
    return cast("dict[str, Any]", _parser.parse(schema, location=location))
