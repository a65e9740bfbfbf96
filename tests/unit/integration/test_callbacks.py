"""Telling another backend that its run has ended."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from prodapp import dispatching
from prodapp.auth.service import system_caller
from prodapp.datasets.jobs import import_dataset
from prodapp.extensions import db, settings_of
from prodapp.integration import callbacks
from prodapp.models import CallbackDelivery, Dataset, RunState, TrainingRun
from prodapp.models.types import db_now
from prodapp.training import service as training
from prodapp.training.jobs import run_training
from prodapp.training.workflow import RUNS
from tests.factories import make_dataset

pytestmark = pytest.mark.usefixtures("app")


@dataclass
class Backend:
    """A real server that notes what it is sent and answers ``status``."""

    port: int
    status: int = 200
    got: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/webhook/treinamento/"


@pytest.fixture
def backend() -> Iterator[Backend]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            noted.hosts.append(self.headers["Host"])
            noted.got.append((self.path, json.loads(body)))
            self.send_response(noted.status)
            self.send_header("Location", noted.url)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    noted = Backend(server.server_port)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield noted
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def app(any_app: Flask, backend: Backend) -> Flask:
    """An application, over either database, whose administrator has listed the backend."""
    allow(any_app, f"127.0.0.1:{backend.port}")
    return any_app


def allow(app: Flask, *hosts: str) -> None:
    settings = settings_of(app)
    app.extensions["prodapp.settings"] = replace(settings, callback_allowed_hosts=hosts)


def start(url: str) -> TrainingRun:
    caller = system_caller()
    dataset: Dataset = make_dataset(caller)
    return training.start_run(
        caller,
        dataset_id=dataset.id,
        specification={"target": "yield", "hyperparameters": {"n_estimators": 5}},
        callback_url=url,
    )


def end(run: TrainingRun, state: str = RunState.FAILED) -> None:
    db.session.execute(update(TrainingRun).where(TrainingRun.id == run.id).values(state=state))
    db.session.commit()


def the_delivery() -> CallbackDelivery:
    db.session.rollback()
    delivery = db.session.query(CallbackDelivery).one()
    db.session.refresh(delivery)
    return delivery


def make_due() -> None:
    db.session.execute(update(CallbackDelivery).values(next_attempt_at=db_now(-1)))
    db.session.commit()


def test_success_is_told_with_its_metrics(backend: Backend) -> None:
    run = start(backend.url)
    assert callbacks.collect() == 0  # it has not ended
    import_dataset(run.dataset_id)
    dispatching.dispatch(RUNS)
    run_training(run.id)
    assert callbacks.collect() == 1
    assert callbacks.collect() == 0
    assert callbacks.deliver_due(wait=True) == 1
    [(path, payload)] = backend.got
    assert path == "/webhook/treinamento/"
    assert set(payload) == {"model_id", "status", "metrics"}
    assert (payload["model_id"], payload["status"]) == (run.machine_id, "completed")
    assert set(payload["metrics"]) == {
        "r2",
        "mae",
        "rmse",
        "n_train",
        "n_test",
        "n_features",
        "date",
    }
    assert the_delivery().delivered_at is not None
    assert callbacks.deliver_due(wait=True) == 0


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.CANCELED])
def test_other_ends_are_told_as_failed(backend: Backend, state: str) -> None:
    run = start(backend.url)
    end(run, state)
    callbacks.collect()
    callbacks.deliver_due(wait=True)
    assert backend.got[0][1] == {"model_id": run.machine_id, "status": "failed", "metrics": {}}


@pytest.mark.parametrize("status", [500, 404, 302])
def test_refusal_is_tried_again_later(backend: Backend, status: int) -> None:
    backend.status = status
    end(start(backend.url))
    callbacks.collect()
    assert callbacks.deliver_due(wait=True) == 1
    assert len(backend.got) == 1  # no redirect was followed
    delivery = the_delivery()
    assert (delivery.delivered_at, delivery.n_attempts) == (None, 1)
    assert delivery.last_error == f"answered {status}"
    assert callbacks.deliver_due(wait=True) == 0  # not yet
    backend.status = 204
    make_due()
    assert callbacks.deliver_due(wait=True) == 1
    assert the_delivery().delivered_at is not None


def test_eighth_try_is_the_last(backend: Backend) -> None:
    backend.status = 503
    end(start(backend.url))
    callbacks.collect()
    for _ in range(12):
        callbacks.deliver_due(wait=True)
        if the_delivery().next_attempt_at is not None:
            make_due()
    assert len(backend.got) == the_delivery().n_attempts == 8
    assert the_delivery().next_attempt_at is None


def test_host_that_does_not_answer_is_tried_again(app: Flask) -> None:
    allow(app, "127.0.0.1")
    end(start("http://127.0.0.1:1/"))
    callbacks.collect()
    callbacks.deliver_due(wait=True)
    assert "ConnectionRefused" in str(the_delivery().last_error)
    assert the_delivery().next_attempt_at is not None


def test_name_is_kept_where_the_address_was_looked_up(app: Flask, backend: Backend) -> None:
    allow(app, f"localhost:{backend.port}")
    end(start(backend.url.replace("127.0.0.1", "localhost")))
    callbacks.collect()
    callbacks.deliver_due(wait=True)
    assert backend.hosts == [f"localhost:{backend.port}"]


def test_host_that_answers_byte_by_byte_is_cut_off(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prodapp.outgoing.posting.TOTAL_SECONDS", 0.5)
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            while True:
                connection.sendall(b"H")
                time.sleep(0.05)

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    port = listener.getsockname()[1]
    allow(app, f"127.0.0.1:{port}")
    end(start(f"http://127.0.0.1:{port}/"))
    callbacks.collect()
    callbacks.deliver_due(wait=True)
    thread.join()
    listener.close()
    assert the_delivery().delivered_at is None
    assert the_delivery().last_error


def test_host_taken_off_the_list_gets_nothing(app: Flask, backend: Backend) -> None:
    end(start(backend.url))
    allow(app)
    callbacks.collect()
    callbacks.deliver_due(wait=True)
    assert backend.got == []
    assert "CALLBACK_ALLOWED_HOSTS" in str(the_delivery().last_error)


def test_two_dispatchers_do_not_deliver_twice(app: Flask, backend: Backend) -> None:
    for _ in range(3):
        run = start(backend.url)
        run.machine.name_key = run.machine.name = f"Press {run.id}"
        db.session.commit()
        end(run)
    barrier = threading.Barrier(4)

    def dispatch() -> None:
        with app.app_context():
            barrier.wait()
            callbacks.collect()
            callbacks.deliver_due(wait=True)

    threads = [threading.Thread(target=dispatch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    callbacks.deliver_due(wait=True)
    assert len(backend.got) == 3


def test_claim_of_a_dead_dispatcher_runs_out(backend: Backend) -> None:
    end(start(backend.url))
    callbacks.collect()
    delivery = the_delivery()
    assert callbacks._outbox._claim(delivery.id, 0)
    assert not callbacks._outbox._claim(delivery.id, 0)
    assert callbacks.deliver_due(wait=True) == 0
    make_due()
    assert callbacks.deliver_due(wait=True) == 1
    assert the_delivery().n_attempts == 2
