"""Traces as a collector gets them. Processes of the whole way: tests/functional."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from prodapp import tracing
from prodapp.caller import Caller
from prodapp.config import load_settings
from prodapp.models import Dataset
from prodapp.stages import enter_stage, under_way
from tests.factories import make_dataset
from tests.receivers import Receiver, receiving

UPSTREAM = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def spans(receiver: Receiver) -> list[Any]:
    """All spans that a collector has got."""
    found = []
    for path, _, body in receiver.requests:
        assert path == "/v1/traces"
        request = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            names = {item.key: item.value.string_value for item in resource.resource.attributes}
            assert names["service.name"] == "prodapp"
            found += [span for scope in resource.scope_spans for span in scope.spans]
    return found


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        yield receiver
        if tracing._State.provider is not None:
            tracing._State.provider.shutdown()
        tracing.init(is_on=False, version="0")


@pytest.fixture
def traced_app(make_app: Callable[..., Flask], collector: Receiver) -> Flask:
    return make_app(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)


def test_a_request_is_a_span_named_by_its_route(traced_app: Flask, collector: Receiver) -> None:
    answer = traced_app.test_client().get(
        "/app/sign-in/secret-words", headers={"traceparent": UPSTREAM}
    )
    traced_app.test_client().get("/healthz")
    tracing.flush()
    (span,) = spans(collector)
    assert span.name == "GET /app/sign-in/<token>"
    assert span.kind == span.SPAN_KIND_SERVER
    assert span.trace_id.hex() == UPSTREAM.split("-")[1]
    assert span.parent_span_id.hex() == UPSTREAM.split("-")[2]
    told = {item.key: item.value for item in span.attributes}
    assert told["http.response.status_code"].int_value == 401
    assert told["prodapp.request_id"].string_value == answer.headers["X-Request-ID"]
    assert b"secret-words" not in b"".join(body for _, _, body in collector.requests)


def test_rows_remember_the_span_that_asked_for_their_work(
    traced_app: Flask, collector: Receiver
) -> None:
    with traced_app.app_context():
        from prodapp.auth import service as auth

        with tracing.span("asking"):
            trace = tracing.trace_id()
            dataset: Dataset = make_dataset(auth.system_caller(name="tester"))
        assert trace is not None
        assert dataset.trace_parent is not None
        assert dataset.trace_parent.split("-")[1] == trace


def test_work_and_its_stages_are_spans_below_the_one_that_asked(
    traced_app: Flask, collector: Receiver
) -> None:
    class Spoiled(Exception):
        pass

    def work() -> None:
        with under_way("run", trace_parent=UPSTREAM, request_id="r-12345678", row_id=7):
            enter_stage("reading")
            enter_stage("reading")
            enter_stage("fitting")
            raise Spoiled("in these words")

    with pytest.raises(Spoiled):
        work()
    tracing.flush()
    found = {span.name: span for span in spans(collector)}
    assert set(found) == {"run work", "run reading", "run fitting"}
    work = found["run work"]
    assert work.trace_id.hex() == UPSTREAM.split("-")[1]
    assert work.parent_span_id.hex() == UPSTREAM.split("-")[2]
    assert found["run reading"].parent_span_id == work.span_id
    assert found["run reading"].end_time_unix_nano <= found["run fitting"].start_time_unix_nano
    assert work.status.code == work.status.STATUS_CODE_ERROR
    assert {item.key: item.value.string_value for item in work.attributes}["error.type"] == (
        "Spoiled"
    )
    assert b"in these words" not in collector.requests[0][2]


def test_off_there_is_no_span_and_no_parent(app: Flask, caller: Caller) -> None:
    with tracing.span("anything", role="server", parent=UPSTREAM):
        assert tracing.traceparent() is None
    assert make_dataset(caller).trace_parent is None


@pytest.mark.parametrize(
    ("environ", "is_on"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "TRUE"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_the_standard_variables_turn_traces_on(
    tmp_path: Path, environ: dict[str, str], is_on: bool
) -> None:
    settings = load_settings({"PRODAPP_INSTANCE": str(tmp_path), **environ})
    assert settings.is_tracing is is_on
