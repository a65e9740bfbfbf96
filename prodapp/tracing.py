"""Traces by OpenTelemetry, from a request through the queue to the worker. Off unless asked for.

Where traces go, and how many, is said with OpenTelemetry's own environment variables, which its
library reads. Without them nothing of it is loaded, and every function here returns at once.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

SERVICE = "prodapp"
FLUSH_MILLISECONDS = 3000


class _State:
    """Whether traces are kept, and by whom: each process sends its own."""

    is_on = False
    version = ""
    pid = 0
    provider: TracerProvider | None = None


def init(*, is_on: bool, version: str) -> None:
    """Keep traces from now on, or keep none. Nothing is loaded or started before the first span."""
    _State.is_on, _State.version = is_on, version
    _State.pid, _State.provider = 0, None


@contextmanager
def span(
    name: str, *, role: str = "internal", parent: str | None = None, **attributes: str | int
) -> Iterator[None]:
    """A span around the block: below ``parent`` (a ``traceparent``), else below the present one.

    ``role`` is ``server``, ``producer``, ``consumer`` or ``internal``. An exception that passes
    through marks the span with its type, never with its words.
    """
    if not _State.is_on:
        yield
        return
    from opentelemetry.trace import SpanKind, Status, StatusCode

    with _tracer().start_as_current_span(
        name,
        context=_context_of(parent),
        kind=SpanKind[role.upper()],
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as opened:
        try:
            yield
        except BaseException as error:
            opened.set_attribute("error.type", type(error).__name__)
            opened.set_status(Status(StatusCode.ERROR))
            raise


def describe(*, name: str | None = None, is_error: bool = False, **attributes: str | int) -> None:
    """Say more about the present span, now that more is known."""
    if not _State.is_on:
        return
    from opentelemetry.trace import Status, StatusCode

    present = _present()
    if name is not None:
        present.update_name(name)
    for key, value in attributes.items():
        present.set_attribute(key.replace("__", "."), value)
    if is_error:
        present.set_status(Status(StatusCode.ERROR))


def traceparent() -> str | None:
    """The present span in the words of W3C Trace Context; ``None`` outside of one."""
    if not _State.is_on:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent")


def trace_id() -> str | None:
    """The present trace's id in hex; ``None`` outside of one."""
    parent = traceparent()
    return None if parent is None else parent.split("-")[1]


def flush() -> None:
    """Send what waits to be sent: this process is about to end."""
    if _State.provider is not None and _State.pid == os.getpid():
        _State.provider.force_flush(FLUSH_MILLISECONDS)


def _present() -> Span:
    from opentelemetry.trace import get_current_span

    return get_current_span()


def _context_of(parent: str | None) -> Any:
    if parent is None:
        return None
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    # Below the one that was named, whatever else is open here.
    return TraceContextTextMapPropagator().extract({"traceparent": parent}, Context())


def _tracer() -> Tracer:
    """This process's tracer. A forked child makes its own: threads do not survive a fork."""
    if _State.provider is None or _State.pid != os.getpid():
        _State.provider, _State.pid = _new_provider(), os.getpid()
    return _State.provider.get_tracer(SERVICE, _State.version)


def _new_provider() -> TracerProvider:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({SERVICE_VERSION: _State.version})
    if str(resource.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: SERVICE}))
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
