"""Errors that nobody foresaw, sent to a Sentry (or what speaks its protocol) by ``SENTRY_DSN``.

What leaves the house is named here, field by field: the error's type, the places in the code, the
template of the log line, and the ids by which our own log is searched. Never the words of an
exception, values of variables, requests, addresses, people, or names of files and machines.

Sending happens where the error was logged, without a thread: worker processes fork.
"""

from __future__ import annotations

import io
import logging
import urllib.request
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import structlog

from prodapp.breaker import Breaker

if TYPE_CHECKING:
    from sentry_sdk import Client
    from sentry_sdk.envelope import Envelope

SEND_SECONDS = 2.0
TAGS = ("request_id", "trace_id", "run_id", "dataset_id")
EVENT_FIELDS = ("event_id", "timestamp", "level", "platform", "release", "environment")
FRAME_FIELDS = ("filename", "module", "function", "lineno", "in_app")


def handler(dsn: str | None, *, environment: str, release: str) -> logging.Handler | None:
    """What sends the log's errors to ``dsn``; ``None``, and nothing loaded, where there is none."""
    if dsn is None:
        return None
    return SentryHandler(_new_client(dsn, environment=environment, release=release))


class SentryHandler(logging.Handler):
    """Sends each record of an error as an event."""

    def __init__(self, client: Client) -> None:
        super().__init__(logging.ERROR)
        self._client = client

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith("sentry_sdk"):
            return
        from sentry_sdk.utils import event_from_exception

        event: Any = {}
        if record.exc_info and record.exc_info[0] is not None:
            event, _ = event_from_exception(record.exc_info, client_options=self._client.options)
        event["level"] = "fatal" if record.levelno >= logging.CRITICAL else "error"
        event["logger"] = record.name
        event["message"] = _template(record)
        known = structlog.contextvars.get_contextvars()
        event["tags"] = {name: str(known[name]) for name in TAGS if known.get(name) is not None}
        self._client.capture_event(event)


def _template(record: logging.LogRecord) -> str:
    """The line before its values were filled in."""
    words = record.msg.get("event") if isinstance(record.msg, dict) else record.msg
    return str(words)


def _new_client(dsn: str, *, environment: str, release: str) -> Client:
    from sentry_sdk import Client

    return Client(
        dsn,
        environment=environment,
        release=f"prodapp@{release}",
        transport=_new_transport(dsn),
        before_send=_only_what_may_leave,
        default_integrations=False,
        auto_enabling_integrations=False,
        auto_session_tracking=False,
        include_local_variables=False,
        include_source_context=False,
        max_breadcrumbs=0,
        server_name="",
    )


def _only_what_may_leave(event: Any, _hint: Any) -> Any:
    kept = {name: event[name] for name in EVENT_FIELDS if name in event}
    kept |= {name: event[name] for name in ("logger", "message", "tags") if name in event}
    errors = (event.get("exception") or {}).get("values") or []
    if errors:
        kept["exception"] = {"values": [_error(value) for value in errors]}
    return kept


def _error(value: Mapping[str, Any]) -> dict[str, Any]:
    frames = (value.get("stacktrace") or {}).get("frames") or []
    return {
        "type": value.get("type"),
        "module": value.get("module"),
        "stacktrace": {
            "frames": [
                {name: frame[name] for name in FRAME_FIELDS if name in frame} for frame in frames
            ]
        },
    }


def _new_transport(dsn: str) -> Any:
    from sentry_sdk.transport import Transport
    from sentry_sdk.utils import Dsn

    class PlainTransport(Transport):
        """Posts at once and waits no longer than a moment; a lost Sentry is asked rarely."""

        _auth = Dsn(dsn).to_auth("prodapp")
        _breaker = Breaker()

        def capture_envelope(self, envelope: Envelope) -> None:
            if not self._breaker.lets_through():
                return
            body = io.BytesIO()
            envelope.serialize_into(body)
            request = urllib.request.Request(  # noqa: S310 - the address is the administrator's
                self._auth.get_api_url(),
                data=body.getvalue(),
                headers={
                    "Content-Type": "application/x-sentry-envelope",
                    "X-Sentry-Auth": self._auth.to_header(),
                },
            )
            try:
                urllib.request.urlopen(request, timeout=SEND_SECONDS).close()  # noqa: S310
            except OSError:  # an error about errors would only repeat itself
                self._breaker.failed()
            else:
                self._breaker.succeeded()

    return PlainTransport()
