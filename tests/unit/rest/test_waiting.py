"""``?wait=``: answers that wait for the end of work, and what waiting costs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from prodapp.caller import Caller
from prodapp.extensions import command, db
from prodapp.models import RunState, TrainingRun
from prodapp.rest import waiting
from tests.factories import make_csv, make_ready_dataset, make_run

Headers = dict[str, str]


@pytest.fixture
def run(caller: Caller) -> TrainingRun:
    """A run that nobody works on."""
    return make_run(caller, make_ready_dataset(caller, content=make_csv(n_rows=60)))


def end(run_id: int) -> None:
    with command() as session:
        session.execute(
            update(TrainingRun)
            .where(TrainingRun.id == run_id)
            .values(state=RunState.CANCELED)
            .execution_options(synchronize_session=False)
        )


def test_an_answer_waits_for_the_end_and_comes_when_it_is_there(
    app: Flask, client: FlaskClient, run: TrainingRun, bearer: Callable[..., Headers]
) -> None:
    headers, address = bearer("viewer"), f"/api/v1/runs/{run.id}"

    def end_soon() -> None:
        with app.app_context():
            end(run.id)
            db.session.remove()

    timer = threading.Timer(0.3, end_soon)
    timer.start()
    answer = client.get(f"{address}?wait=20", headers=headers)
    timer.join()
    assert answer.json["state"] == "canceled"


def test_an_answer_comes_at_the_latest_when_the_time_is_over(
    client: FlaskClient, run: TrainingRun, bearer: Callable[..., Headers]
) -> None:
    headers = bearer("viewer")
    answer = client.get(f"/api/v1/runs/{run.id}?wait=0.1", headers=headers)
    assert (answer.status_code, answer.json["state"]) == (200, "queued")
    assert client.get(f"/api/v1/runs/{run.id}?wait=31", headers=headers).status_code == 422
    assert client.get(f"/api/v1/datasets/{run.dataset_id}?wait=20", headers=headers).json[
        "state"
    ] == ("ready")


def test_one_too_many_who_waits_is_answered_at_once(
    app: Flask, client: FlaskClient, run: TrainingRun, bearer: Callable[..., Headers]
) -> None:
    headers, turns = bearer("viewer"), app.extensions[waiting.EXTENSION]
    while turns.acquire(blocking=False):
        pass
    began = time.monotonic()
    answer = client.get(f"/api/v1/runs/{run.id}?wait=30", headers=headers)
    assert answer.json["state"] == "queued"
    assert time.monotonic() - began < 25  # it did not wait


def test_no_connection_is_held_between_two_looks(app: Flask, run: TrainingRun) -> None:
    held: list[int] = []

    def look() -> TrainingRun:
        held.append(db.engine.pool.checkedout())  # type: ignore[attr-defined]
        return db.session.get_one(TrainingRun, run.id)

    db.session.rollback()
    waiting.ended(look, lambda _run: len(held) > 2, seconds=5)
    assert held == [0, 0, 0]
