"""Words of the OpenAPI document that many operations use, and the Api that collects them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, cast

from flask import Flask
from flask_smorest import Api

from prodapp.rest.schemas import ProblemSchema

EXTENSION = "prodapp.api"

HEADERS: Mapping[str, tuple[str, str]] = {
    "Location": ("Where the resource is.", "string"),
    "Retry-After": ("Ask again after so many seconds.", "integer"),
    "Link": ("The first, previous, next and last page (RFC 8288).", "string"),
    "X-Pagination": ("JSON with page, page_size, total and total_pages.", "string"),
    "ETag": ("Names this state; send it back in If-None-Match, or in If-Match.", "string"),
    "Content-Disposition": ("The name of the file.", "string"),
}


class RestApi(Api):  # type: ignore[misc]  # flask-smorest has no types
    """flask-smorest's Api without its error handlers, which would turn pages into JSON too."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = None

    def __init__(
        self,
        *,
        before: Callable[[RestApi], None],
        after: Callable[[RestApi], None],
        **options: Any,
    ) -> None:
        """``before`` and ``after`` add to the document what no blueprint tells."""
        self._undescribed: list[tuple[Any, bool]] = []
        self._before, self._after = before, after
        self._writing = threading.RLock()
        self._is_written = False
        super().__init__(**options)

    @property
    def spec(self) -> Any:
        """The document, written when it is first asked for: that takes longer than all routes."""
        with self._writing:
            if self._undescribed and not self._is_written:
                self._is_written = True
                self._before(self)
                self._describe()
                self._after(self)
        return self._spec

    @spec.setter
    def spec(self, spec: Any) -> None:
        self._spec = spec

    def _register_error_handlers(self) -> None:
        """``error_handlers`` maps every exception already."""

    def _register_responses(self) -> None:
        """Ours are named ``Problem404``: HTTPStatus has other names in each Python."""

    def _register_etag_headers(self) -> None:
        """Ours are in :data:`HEADERS`."""

    def _register_pagination_header(self) -> None:
        """Ours is in :data:`HEADERS`."""

    def add(self, blueprint: Any) -> None:
        """Serve ``blueprint``; its operations stand under its title in the document."""
        self._serve(blueprint, is_titled=True)

    def add_more(self, blueprint: Any) -> None:
        """Serve a blueprint whose operations stand under another one's title."""
        self._serve(blueprint, is_titled=False)

    def _serve(self, blueprint: Any, *, is_titled: bool) -> None:
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blueprint.name] = self
        self._app.register_blueprint(blueprint)
        self._undescribed.append((blueprint, is_titled))

    def _describe(self) -> None:
        for blueprint, is_titled in self._undescribed:
            blueprint.register_views_in_doc(
                self, self._app, self.spec, name=blueprint.name, parameters=None
            )
            if is_titled:
                self.spec.tag({"name": blueprint.title, "description": blueprint.description})


def api_of(app: Flask) -> RestApi:
    """The Api of ``app``."""
    return cast(RestApi, app.extensions[EXTENSION])


def headers(*names: str) -> dict[str, Any]:
    """Response headers by name."""
    return {
        name: {"description": HEADERS[name][0], "schema": {"type": HEADERS[name][1]}}
        for name in names
    }


#: The request header of every operation that changes something.
IF_MATCH: Mapping[str, Any] = {
    "in": "header",
    "name": "If-Match",
    "schema": {"type": "string"},
    "description": "The ETag of what was read, at this address or the nearest above it that can be "
    "read: 412 where it has changed since. Without it the change is made in any case.",
}


def problems(*statuses: int) -> dict[str, str]:
    """References to the errors of an operation beyond those that its shape implies."""
    return {str(status): f"Problem{status}" for status in statuses}
