"""From a request through the queue to a worker: one request id, one trace, figures that add up.

Web, dispatcher and worker are real processes; a collector and a Sentry listen on this machine.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from prodapp.models import Dataset
from prodapp.models.training_run import TERMINAL
from prodapp.storage import storage
from tests.conftest import ROOT, SECRET
from tests.factories import make_csv
from tests.faults.client import Client
from tests.faults.conftest import MakeInstallation
from tests.faults.installation import Installation, free_port
from tests.faults.programs import wait_for
from tests.receivers import Receiver, receiving
from tests.unit.test_sentry import dsn, events
from tests.unit.test_tracing import spans

pytestmark = pytest.mark.queue
REQUEST_ID = "browser-4711-0001"


@pytest.fixture
def sentry() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def collector() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def figures(port: int) -> dict[str, float]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return {
        " ".join([sample.name, *filter(None, map(sample.labels.get, sorted(sample.labels)))]): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def ask_for_run(installation: Installation, client: Client, dataset_id: int) -> int:
    """Start a run as a browser that names its request."""
    connection = http.client.HTTPConnection("127.0.0.1", installation.port, timeout=30)
    body = {"dataset_id": dataset_id, "target": "yield", "hyperparameters": {"n_estimators": 10}}
    connection.request(
        "POST",
        "/api/v1/runs",
        body=json.dumps(body),
        headers={
            "Authorization": f"Bearer {client.key}",
            "Content-Type": "application/json",
            "X-Request-ID": REQUEST_ID,
        },
    )
    answer = connection.getresponse()
    document = json.loads(answer.read())
    connection.close()
    assert answer.status == 202, document
    assert answer.headers["X-Request-ID"] == REQUEST_ID
    return int(document["id"])


def log_lines(path: Path) -> list[dict[str, Any]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def test_a_request_is_followed_to_the_worker_and_counted_once(
    make_installation: MakeInstallation, sentry: Receiver, collector: Receiver
) -> None:
    metrics_port = free_port()
    installation = make_installation(
        SENTRY_DSN=dsn(sentry), OTEL_EXPORTER_OTLP_ENDPOINT=collector.url
    )
    installation.queue.start()
    worker = installation.add_worker(METRICS_PORT=str(metrics_port))
    for program in (installation.web, installation.dispatcher, worker):
        program.start()
    client = installation.client()
    machine_id = client.create_machine("Press 01")
    dataset_id = client.upload(machine_id, make_csv(n_rows=60))
    run_id = ask_for_run(installation, client, dataset_id)
    wait_for(lambda: client.run(run_id)["state"] in TERMINAL, what="the run's end")
    assert client.run(run_id)["state"] == "succeeded"

    # The log of each process is JSON, and the worker's lines carry the browser's id.
    asked = [line for line in log_lines(installation.web.log) if line["event"] == "request"]
    assert [line["route"] for line in asked if line["request_id"] == REQUEST_ID] == ["/api/v1/runs"]
    worked = [line for line in log_lines(worker.log) if line.get("run_id") == run_id]
    assert len(worked) > 1
    assert {line["request_id"] for line in worked} == {REQUEST_ID}

    # One trace: the request, below it the work, below that the stages.
    def spans_of_run() -> dict[str, Any]:
        return {span.name: span for span in spans(collector)}

    wait_for(lambda: {"POST /api/v1/runs", "run work"} <= set(spans_of_run()), what="the spans")
    found = spans_of_run()
    assert found["run work"].trace_id == found["POST /api/v1/runs"].trace_id
    assert found["run work"].parent_span_id == found["POST /api/v1/runs"].span_id
    assert found["run explaining"].parent_span_id == found["run work"].span_id
    assert {line["trace_id"] for line in worked} == {found["run work"].trace_id.hex()}

    # An error that nobody foresaw, in a forked horse, reaches the Sentry with the same id.
    with installation.context():
        from prodapp.extensions import db

        dataset = db.session.get_one(Dataset, dataset_id)
        with storage().local_path(dataset.table_key or "") as path:
            path.write_bytes(b"no parquet")
    broken_id = ask_for_run(installation, client, dataset_id)
    wait_for(lambda: events(sentry), what="a report")
    report = events(sentry)[0]
    assert report["tags"]["request_id"] == REQUEST_ID
    assert report["tags"]["run_id"] == str(broken_id)
    assert "Press" not in sentry.requests[0][2].decode()
    client.cancel(broken_id)
    wait_for(lambda: client.run(broken_id)["state"] in TERMINAL, what="the other run's end")

    # What web, worker and horses have counted is one figure, wherever it is asked for.
    succeeded = "prodapp_work_finished_total run succeeded"
    for port in (installation.port, metrics_port):
        told = figures(port)
        assert told[succeeded] == 1
        assert told["prodapp_work_finished_total import ready"] == 1
        assert told["prodapp_work_stage_duration_seconds_count run explaining"] == 1
        assert told["prodapp_http_requests_total POST /api/v1/runs 202 api"] == 2
        assert told["prodapp_log_records_total error"] >= 1
    assert figures(installation.port)["prodapp_processes worker"] == 1

    # Who is killed and comes back goes on counting where it was.
    worker.kill()
    installation.web.kill()
    installation.web.start()
    assert figures(installation.port)[succeeded] == 1
    assert figures(installation.port)["prodapp_http_requests_total POST /api/v1/runs 202 api"] == 2


@pytest.mark.parametrize(
    "program", [("-m", "prodapp.server"), ("-m", "flask", "--app", "wsgi", "worker")]
)
def test_every_program_refuses_to_start_unsafely_and_says_why(
    tmp_path: Path, program: tuple[str, ...]
) -> None:
    environ = {
        "PATH": "/usr/bin:/bin",
        "PRODAPP_PROFILE": "production",
        "PRODAPP_INSTANCE": str(tmp_path),
        "SECRET_KEY": SECRET,
        "CORS_ORIGINS": "*",
    }
    result = subprocess.run(
        (sys.executable, *program),
        env=environ,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 1
    assert "- CORS_ORIGINS=*: any web page could call" in result.stderr
    assert "Traceback" not in result.stderr
