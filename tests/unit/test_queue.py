from __future__ import annotations

import json
import socket
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from prodapp import queue
from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.datasets import service as datasets
from prodapp.datasets.jobs import import_dataset
from prodapp.extensions import db
from prodapp.training import service as training
from tests.factories import make_dataset, make_run

JOB = "prodapp.datasets.jobs.import_dataset"


@pytest.fixture
def queued_app(make_app: Callable[..., Flask], empty_valkey_url: str) -> Iterator[Flask]:
    """An application with an empty queue of its own, its context pushed."""
    application = make_app(REDIS_URL=empty_valkey_url, RUN_TIMEOUT="77")
    with application.app_context():
        yield application


@pytest.mark.queue
@pytest.mark.usefixtures("queued_app")
def test_a_job_carries_an_id_and_nothing_else(empty_valkey_url: str) -> None:
    assert queue.is_answering()
    assert queue.n_waiting() == 0
    assert queue.enqueue(JOB, 7, job_id="dataset-7-1")
    assert queue.n_waiting() == 1
    with Redis.from_url(empty_valkey_url) as connection:
        stored = connection.hgetall("rq:job:dataset-7-1")
        connection.connection_pool.disconnect()
    assert json.loads(zlib.decompress(stored[b"data"])) == [JOB, None, [7], {}]
    assert stored[b"timeout"] == b"77"


@pytest.mark.queue
@pytest.mark.usefixtures("queued_app")
def test_a_job_that_waits_already_is_not_sent_twice() -> None:
    for _ in range(3):
        assert queue.enqueue(JOB, 7, job_id="dataset-7-1")
    assert queue.enqueue(JOB, 7, job_id="dataset-7-2")
    assert queue.n_waiting() == 2


@pytest.mark.queue
@pytest.mark.usefixtures("queued_app")
def test_a_job_can_be_sent_again_after_the_queue_lost_everything(empty_valkey_url: str) -> None:
    assert queue.enqueue(JOB, 7, job_id="dataset-7-1")
    with Redis.from_url(empty_valkey_url) as connection:
        connection.flushall()
    assert queue.n_waiting() == 0
    assert queue.enqueue(JOB, 7, job_id="dataset-7-1")
    assert queue.n_waiting() == 1


@pytest.mark.usefixtures("app")
def test_a_queue_that_is_away_is_reported_and_not_raised() -> None:
    assert not queue.is_answering()
    assert queue.n_waiting() is None
    assert queue.enqueue(JOB, 7, job_id="dataset-7-1") is False


def test_the_embedded_queue_listens_in_the_instance_folder(app: Flask) -> None:
    assert queue.queue_url().startswith("unix://")


def test_a_given_queue_is_used(make_app: Callable[..., Flask]) -> None:
    with make_app(REDIS_URL="redis://127.0.0.1:1/3").app_context():
        assert queue.queue_url() == "redis://127.0.0.1:1/3"
        assert not queue.is_answering()


def test_nobody_but_the_first_waits_for_a_queue_that_hangs(make_app: Callable[..., Flask]) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        with make_app(REDIS_URL=url).app_context():
            assert not queue.is_answering()
            silent.setblocking(False)
            n_connections = 0
            with suppress(BlockingIOError):
                while True:
                    silent.accept()[0].close()
                    n_connections += 1
            assert not queue.is_answering()
            assert queue.enqueue(JOB, 7, job_id="dataset-7-1") is False
            assert n_connections == 1
            with pytest.raises(BlockingIOError):  # nobody asked a second time
                silent.accept()


@pytest.mark.usefixtures("app")
def test_pages_where_work_waits_say_that_the_queue_is_away(
    caller: Caller, sign_in: Callable[..., FlaskClient], bearer: Callable[..., dict[str, str]]
) -> None:
    dataset = make_dataset(caller)
    run = make_run(caller, dataset)
    client = sign_in()
    for path in (
        f"/app/runs/{run.id}",
        f"/app/runs/{run.id}/progress",
        f"/app/datasets/{dataset.id}",
        f"/app/datasets/{dataset.id}/status",
        f"/app/machines/{run.machine_id}",
    ):
        page = client.get(path)
        assert page.status_code == 200
        assert "Work is paused at the moment" in page.text
    headers = bearer()
    for path in (f"/api/v1/runs/{run.id}", f"/api/v1/datasets/{dataset.id}"):
        assert client.get(path, headers=headers).json["waiting_for"] == "queue"


@pytest.mark.queue
@pytest.mark.usefixtures("queued_app")
def test_with_the_queue_there_the_api_says_what_else_work_waits_for() -> None:
    caller = auth.system_caller(name="tester")
    dataset = make_dataset(caller)
    run = make_run(caller, dataset)
    assert datasets.waiting_for(dataset) == "worker"
    assert training.waiting_for(run) == "data"
    import_dataset(dataset.id)
    db.session.refresh(dataset)
    assert datasets.waiting_for(dataset) is None
    assert training.waiting_for(run) == "worker"
    training.cancel_run(caller, run.id)
    assert training.waiting_for(run) is None
