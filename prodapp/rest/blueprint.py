"""The blueprint of the REST API: flask-smorest's, with our parser, ETags and typed decorators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import marshmallow as ma
from flask import Response, request
from flask_smorest import Blueprint

from prodapp.rest.arguments import StrictParser
from prodapp.rest.kept import kept

View = TypeVar("View", bound=Callable[..., Any])
Decorator = Callable[[View], View]
SchemaClass = type[ma.Schema] | ma.Schema


class ApiBlueprint(Blueprint):  # type: ignore[misc]  # flask-smorest has no types
    """``title`` and ``description`` head the blueprint's operations in the document."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(
        self,
        name: str,
        import_name: str,
        *,
        title: str,
        description: str,
        url_prefix: str | None = "/api/v1",
    ) -> None:
        super().__init__(name, import_name, url_prefix=url_prefix, description=description)
        self.title = title
        if url_prefix is not None:
            self.after_request(_make_conditional)

    def get(self, rule: str, *, is_kept: bool = False, **options: Any) -> Callable[[View], View]:
        """``is_kept`` answers the same again for a moment (:mod:`prodapp.rest.kept`)."""
        if not is_kept:
            return self._on("GET", rule, options)
        register = self._on("GET", rule, options)
        return lambda view: register(kept(view))  # type: ignore[return-value]

    def post(self, rule: str, **options: Any) -> Callable[[View], View]:
        return self._on("POST", rule, options)

    def patch(self, rule: str, **options: Any) -> Callable[[View], View]:
        return self._on("PATCH", rule, options)

    def put(self, rule: str, **options: Any) -> Callable[[View], View]:
        return self._on("PUT", rule, options)

    def delete(self, rule: str, **options: Any) -> Callable[[View], View]:
        return self._on("DELETE", rule, options)

    def takes(
        self, schema: SchemaClass, *, location: str = "json", **options: Any
    ) -> Callable[[View], View]:
        """Parse this part of the request with ``schema`` and hand it to the view."""
        # Made once: making a schema takes longer than loading a small body by it.
        made = schema() if isinstance(schema, type) else schema
        decorate: Callable[[View], View] = self.arguments(made, location=location, **options)
        return decorate

    def answers(
        self, status: int, schema: SchemaClass | dict[str, Any] | None = None, **options: Any
    ) -> Callable[[View], View]:
        """Dump what the view returns with ``schema``, under ``status``."""
        decorate: Callable[[View], View] = self.response(status, schema, **options)
        return decorate

    def describes(self, **operation: Any) -> Callable[[View], View]:
        """Add to the operation in the document."""
        decorate: Callable[[View], View] = self.doc(**operation)
        return decorate

    def _on(self, method: str, rule: str, options: dict[str, Any]) -> Callable[[View], View]:
        decorate: Callable[[View], View] = self.route(
            rule, methods=[method], tags=[self.title], **options
        )
        return decorate


def _make_conditional(response: Response) -> Response:
    """Reads carry an ETag; a caller that has the same answer already gets 304."""
    is_read = request.method in ("GET", "HEAD") and response.status_code == 200
    if is_read and not response.direct_passthrough:
        response.headers.setdefault("Cache-Control", "private, no-cache")
        response.add_etag()
        response.make_conditional(request)
    return response
