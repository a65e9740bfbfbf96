"""The errors of the domain: what went wrong, where, and what to do about it.

A service raises one of these; ``error_handlers`` maps it once to a problem+json document, a page
or a fragment, and the CLI prints it. Messages are English templates that double as translation
keys, so that the same error reads in the language of whoever caused it.

Only the standard library is imported here: every other module may import this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar


def N_(message: str) -> str:
    """Mark ``message`` for translation without translating it yet."""
    return message


ROW = N_("Row %(row)s: ")
ROW_AND_COLUMN = N_("Row %(row)s, column “%(column)s”: ")


def place(message: str, params: Mapping[str, Any]) -> str:
    """The template of the place that ``params`` know and ``message`` does not tell, or nothing.

    Goes before the message wherever one is shown, so that no refusal keeps its row to itself.
    """
    if "row" not in params or "%(row)" in message:
        return ""
    return ROW_AND_COLUMN if "column" in params and "%(column)" not in message else ROW


def in_english(message: str, params: Mapping[str, Any]) -> str:
    """A message as the command line shows it."""
    template = place(message, params) + message
    return template % params if params else template


@dataclass(frozen=True)
class FieldError:
    """One bad field of an input.

    ``pointer`` is an RFC 6901 JSON pointer into the input (``/machine_name``); ``message`` is a
    template filled from ``params``, as in :class:`DomainError`.
    """

    pointer: str
    message: str
    params: Mapping[str, Any] = field(default_factory=dict)


class DomainError(Exception):
    """An error that a person caused or can mend.

    ``code`` is stable and meant for programs. ``message`` is an English template with
    ``%(name)s`` places, filled from ``params`` after translation. ``row`` (1-based, as a
    spreadsheet counts lines of the file) and ``column`` say where, when the error has a place.
    """

    code: ClassVar[str] = "error"

    def __init__(
        self,
        message: str,
        /,
        *,
        code: str | None = None,
        row: int | None = None,
        column: str | None = None,
        fields: tuple[FieldError, ...] = (),
        **params: Any,
    ) -> None:
        super().__init__(message)
        self.message = message
        place = {"row": row, "column": column}
        self.params: dict[str, Any] = {k: v for k, v in place.items() if v is not None} | params
        self.error_code = code or self.code
        self.row = row
        self.column = column
        self.fields = fields

    def __str__(self) -> str:
        return in_english(self.message, self.params)


class NotFound(DomainError):
    """Nothing of that name, or nothing that the caller may see."""

    code = "not_found"


class Conflict(DomainError):
    """The request is sound, but the present state of things forbids it."""

    code = "conflict"


class Stale(DomainError):
    """What the caller means to change is no longer what it has read."""

    code = "stale"


class InvalidInput(DomainError):
    """A field of the request is missing or wrong."""

    code = "invalid_input"


class NotSignedIn(DomainError):
    """The route needs a known caller."""

    code = "not_signed_in"


class Forbidden(DomainError):
    """The caller is known and may not do this."""

    code = "forbidden"


class TooLarge(DomainError):
    """The upload is over the configured limit."""

    code = "too_large"


class DataRefused(DomainError):
    """A file cannot become a table, or a table cannot be trained on. Says where and what to do."""

    code = "data_refused"


class RunFailed(DomainError):
    """A training run cannot go on, and trying again would not help."""

    code = "run_failed"


class LeaseLost(Exception):
    """Another process owns this work now, or nobody wants it any more: stop, publish nothing."""


class Unavailable(DomainError):
    """A service that prodapp needs does not answer at the moment; trying again later may help."""

    code = "unavailable"


class StorageFull(DomainError):
    """There is no room left on the disk or in the database."""

    code = "disk_full"


class ConfigurationError(Exception):
    """The environment holds a value that prodapp cannot or must not start with."""
