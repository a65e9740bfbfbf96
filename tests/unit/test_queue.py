from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from redis import Redis

from prodapp import queue

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
