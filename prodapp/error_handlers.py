"""One mapping from exceptions to what callers read: problem+json, ``{"detail"}``, a page."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

from flask import Flask, Response, g, jsonify, make_response, redirect, render_template, request
from flask import url_for as flask_url_for
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from prodapp import exceptions as errors
from prodapp import metrics
from prodapp.auth.guard import Surface, surface_of
from prodapp.exceptions import DomainError, FieldError, N_, place
from prodapp.extensions import abandon
from prodapp.i18n import gettext
from prodapp.outages import DATABASE_AWAY, outage_of

log = logging.getLogger(__name__)

STATUS: Mapping[type[DomainError], int] = {
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Stale: 412,
    errors.InvalidInput: 422,
    errors.NotSignedIn: 401,
    errors.Forbidden: 403,
    errors.TooLarge: 413,
    errors.DataRefused: 422,
    errors.RunFailed: 422,
    errors.Unavailable: 503,
    errors.StorageFull: 507,
}
# The existing dashboard reads 400 where a file or a column is wrong (api.md §2).
INTEGRATION_STATUS: Mapping[type[DomainError], int] = {**STATUS, errors.DataRefused: 400}
RETRY_AFTER_SECONDS = {503: 5, 507: 60}

TITLES: Mapping[int, str] = {
    400: N_("Not understood"),
    401: N_("Not signed in"),
    403: N_("Not allowed"),
    404: N_("Not found"),
    405: N_("Not possible here"),
    408: N_("Too slow"),
    409: N_("Not possible now"),
    412: N_("Changed meanwhile"),
    413: N_("Too large"),
    422: N_("Please check your input"),
    429: N_("Too many tries"),
    500: N_("Something went wrong"),
    503: N_("Not available at the moment"),
    507: N_("No space left"),
}
HTTP_MESSAGES: Mapping[int, str] = {
    400: N_("The request could not be understood."),
    404: N_("There is nothing at this address."),
    405: N_("This address does not take that method."),
    408: N_("It came in too slowly. Try again over a better connection."),
    413: N_("The file or form is larger than this installation accepts."),
    415: N_("This address does not take that kind of content."),
    422: N_("Some fields are missing or wrong."),
    429: N_("Too many tries. Wait a minute and try again."),
    500: N_("Something went wrong on our side. It has been logged; nothing you stored is lost."),
    503: DATABASE_AWAY,
}
# The same codes as our own errors have; the names of statuses differ between Pythons.
HTTP_CODES: Mapping[int, str] = {
    400: "malformed",
    404: errors.NotFound.code,
    413: errors.TooLarge.code,
    422: errors.InvalidInput.code,
}


@dataclass(frozen=True)
class Problem:
    """What went wrong, ready to be shown in the caller's language."""

    status: int
    code: str
    detail: str
    fields: tuple[FieldError, ...] = ()
    row: int | None = None
    column: str | None = None

    @property
    def title(self) -> str:
        return gettext(TITLES.get(self.status, HTTPStatus(self.status).phrase))

    @property
    def errors(self) -> list[dict[str, str]]:
        """Each bad field: where it is, and what is wrong with it."""
        return [
            {"pointer": field.pointer, "detail": say(field.message, field.params)}
            for field in self.fields
        ]

    @property
    def request_id(self) -> str | None:
        """The number that the log knows this request by."""
        return cast(str | None, g.get("request_id"))


def init_app(app: Flask) -> None:
    """Register the mapping for the whole application."""
    app.register_error_handler(DomainError, _on_domain_error)
    app.register_error_handler(HTTPException, _on_http_error)
    app.register_error_handler(CSRFError, _on_csrf_error)
    app.register_error_handler(SQLAlchemyError, _on_outage)
    app.register_error_handler(OSError, _on_outage)
    app.register_error_handler(Exception, _on_surprise)


def say(message: str, params: Mapping[str, Any]) -> str:
    """``message`` in the caller's language, its places filled."""
    where = place(message, params)
    told = gettext(where, **params) if where else ""
    return told + (gettext(message, **params) if params else gettext(message))


def _on_domain_error(error: DomainError) -> BaseResponse:
    surface = surface_of(request.path)
    if surface is Surface.PAGE and isinstance(error, errors.NotSignedIn):
        return _lead_to_sign_in(error)
    if surface is Surface.PAGE and error.error_code == "second_factor_needed":
        return _lead_to(flask_url_for("account.second_factor"))
    table = INTEGRATION_STATUS if surface is Surface.INTEGRATION else STATUS
    status = next((table[kind] for kind in type(error).__mro__ if kind in table), 400)
    return _respond(
        Problem(
            status,
            error.error_code,
            say(error.message, error.params),
            error.fields,
            error.row,
            error.column,
        )
    )


def _lead_to_sign_in(error: DomainError) -> BaseResponse:
    if error.error_code == "link_expired":
        page = render_template("auth/link_expired.html", detail=say(error.message, error.params))
        return make_response(page, 401)
    next_path = request.full_path.rstrip("?") if request.method == "GET" else ""
    return _lead_to(flask_url_for("auth.sign_in_page", next=next_path or None))


def _lead_to(address: str) -> BaseResponse:
    if request.headers.get("HX-Request"):  # a fragment cannot show another page: leave
        return Response(status=401, headers={"HX-Redirect": address})
    return redirect(address)


def _on_http_error(error: HTTPException) -> BaseResponse:
    if error.response is not None and (error.code or 500) < 400:
        return error.get_response()
    status = error.code or 500
    code = HTTP_CODES.get(status) or error.name.lower().replace(" ", "_")
    detail = gettext(HTTP_MESSAGES.get(status, error.description or ""))
    response = _respond(Problem(status, code, detail))
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After", "WWW-Authenticate"):
            response.headers[name] = value
    return response


def _on_csrf_error(_error: CSRFError) -> BaseResponse:
    message = N_("This page was open for too long. Load it again and repeat what you did.")
    return _respond(Problem(400, "csrf", gettext(message)))


def _on_outage(error: Exception) -> BaseResponse:
    outage = outage_of(error)
    if outage is None:
        return _on_surprise(error)
    log.error("%s: %s", outage.error_code, getattr(error, "orig", error))
    abandon()
    return _on_domain_error(outage)


def _on_surprise(error: Exception) -> BaseResponse:
    log.exception("unexpected error", exc_info=error)
    abandon()
    return _respond(Problem(500, "internal_error", gettext(HTTP_MESSAGES[500])))


def _respond(problem: Problem) -> BaseResponse:
    metrics.HTTP_PROBLEMS.labels(problem.code).inc()
    response = _shown(problem)
    if problem.status in RETRY_AFTER_SECONDS:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS[problem.status])
    return response


def _shown(problem: Problem) -> BaseResponse:
    surface = surface_of(request.path)
    if surface is Surface.API:
        return _problem_json(problem)
    if surface is Surface.INTEGRATION:
        return _detail_json(problem)
    if request.headers.get("HX-Request"):
        return _problem_fragment(problem)
    return make_response(render_template("errors/error.html", problem=problem), problem.status)


def _problem_fragment(problem: Problem) -> BaseResponse:
    """A notice for the page's message region, whatever the request meant to swap."""
    response = make_response(render_template("errors/_problem.html", problem=problem))
    response.status_code = problem.status
    response.headers["HX-Retarget"] = "#messages"
    response.headers["HX-Reswap"] = "innerHTML show:window:top"
    return response


def _problem_json(problem: Problem) -> BaseResponse:
    """RFC 9457, with a stable code, the request's id, and a pointer for each bad field."""
    body: dict[str, Any] = {
        "type": f"urn:prodapp:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": request.path,
        "code": problem.code,
        "request_id": problem.request_id,
    }
    for name in ("row", "column"):
        if getattr(problem, name) is not None:
            body[name] = getattr(problem, name)
    if problem.fields:
        body["errors"] = problem.errors
    response = jsonify(body)
    response.status_code = problem.status
    response.content_type = "application/problem+json"
    if problem.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="prodapp"'
    return response


def _detail_json(problem: Problem) -> BaseResponse:
    """What the existing clients read: a text, or the list of bad fields for 422."""
    detail: Any = problem.detail
    if problem.status == HTTPStatus.UNPROCESSABLE_ENTITY and problem.fields:
        detail = [
            {"loc": error["pointer"].strip("/").split("/"), "msg": error["detail"]}
            for error in problem.errors
        ]
    response = jsonify({"detail": detail})
    response.status_code = problem.status
    return response
