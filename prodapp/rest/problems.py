"""The errors of operations as the document tells them, each with an answer as it comes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

PROBLEMS: Final[Mapping[int, str]] = {
    400: "The request cannot be read.",
    401: "No valid token, key or session came with the request.",
    403: "The caller's role does not suffice.",
    404: "There is no such thing, or not for this caller.",
    409: "The present state of things forbids it; `code` says what.",
    412: "It has changed since the state that If-Match names.",
    413: "The body is larger than this installation accepts.",
    415: "The body is not of a kind that this operation takes.",
    422: "Fields are missing or wrong, or the data do not fit; the answer says which and where.",
    429: "Too many calls; Retry-After says when to come back.",
    503: "Something that prodapp needs is away; Retry-After says when to come back.",
    507: "There is no room left for what was sent.",
}
#: Those that say in ``Retry-After`` when to come back.
RETRY_LATER: Final = frozenset({429, 503, 507})
#: Of one answer of each kind: code, title and detail.
_EXAMPLES: Final[Mapping[int, tuple[str, str, str]]] = {
    400: ("malformed", "Not understood", "The body is not valid JSON: it is not UTF-8."),
    401: ("not_signed_in", "Not signed in", "Sign in first."),
    403: (
        "forbidden",
        "Not allowed",
        "This needs the role analyst; yours is viewer. Ask an administrator.",
    ),
    404: ("not_found", "Not found", "There is no machine 7."),
    409: ("conflict", "Not possible now", "This run has already ended."),
    412: (
        "stale",
        "Changed meanwhile",
        "This has changed since you read it. Read it again, then decide.",
    ),
    413: (
        "too_large",
        "Too large",
        "The file or form is larger than this installation accepts.",
    ),
    415: (
        "unsupported_media_type",
        "Unsupported Media Type",
        "This address does not take that kind of content.",
    ),
    422: ("invalid_input", "Please check your input", "Some fields are missing or wrong."),
    429: (
        "too_many_requests",
        "Too many tries",
        "Too many tries. Wait a minute and try again.",
    ),
    503: (
        "unavailable",
        "Not available at the moment",
        "The database does not answer at the moment.",
    ),
    507: ("disk_full", "No space left", "There is no room left on the disk."),
}


def example_of(status: int) -> dict[str, Any]:
    """An answer of that status, as it comes."""
    code, title, detail = _EXAMPLES[status]
    example = {
        "type": f"urn:prodapp:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": "/api/v1/machines/7",
        "code": code,
        "request_id": "0f8e9a44c1d24d3c8b5a7c0f2f9d6e11",
    }
    if status == 422:
        return example | {
            "errors": [{"pointer": "/name", "detail": "Missing data for required field."}]
        }
    return example
