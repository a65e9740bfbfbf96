"""``Idempotency-Key``: sent twice, done once."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from prodapp.auth import repeats
from prodapp.caller import Caller
from prodapp.exceptions import Unavailable
from prodapp.extensions import command, db
from prodapp.machines import service as machines
from prodapp.models import Dataset, Machine, RequestKey
from prodapp.models.types import db_now
from tests.factories import make_csv, make_machine

Headers = dict[str, str]
KEY = {"Idempotency-Key": "order-1"}
MACHINES = "/api/v1/machines"


@pytest.fixture
def analyst(any_app: Flask, bearer: Callable[..., Headers]) -> Headers:
    return bearer("analyst")


def n_rows(model: type[Any]) -> int:
    db.session.rollback()
    return len(db.session.scalars(select(model)).all())


def test_the_same_request_is_answered_again_and_done_once(any_app: Flask, analyst: Headers) -> None:
    client = any_app.test_client()
    first = client.post(MACHINES, json={"name": "Press 01"}, headers=analyst | KEY)
    again = client.post(MACHINES, json={"name": "Press 01"}, headers=analyst | KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.data == first.data
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert n_rows(Machine) == 1


def test_another_request_under_the_same_key_is_refused(any_app: Flask, analyst: Headers) -> None:
    client = any_app.test_client()
    client.post(MACHINES, json={"name": "Press 01"}, headers=analyst | KEY)
    other = client.post(MACHINES, json={"name": "Press 02"}, headers=analyst | KEY)
    assert (other.status_code, other.json["code"]) == (409, "idempotency_conflict")
    elsewhere = client.post("/api/v1/webhooks", json={"name": "Press 01"}, headers=analyst | KEY)
    assert elsewhere.json["code"] == "idempotency_conflict"
    assert n_rows(Machine) == 1


def test_a_key_is_its_users_own(
    client: FlaskClient, caller: Caller, bearer: Callable[..., Headers]
) -> None:
    for role, name in (("analyst", "Press 01"), ("operator", "Press 02")):
        made = client.post(MACHINES, json={"name": name}, headers=bearer(role) | KEY)
        assert made.status_code == 201


def test_a_refused_request_may_be_mended_under_its_key(any_app: Flask, analyst: Headers) -> None:
    client = any_app.test_client()
    assert client.post(MACHINES, json={"name": ""}, headers=analyst | KEY).status_code == 422
    assert client.post(MACHINES, json={"name": "Press"}, headers=analyst | KEY).status_code == 201
    too_long = analyst | {"Idempotency-Key": "k" * 201}
    assert client.post(MACHINES, json={"name": "Other"}, headers=too_long).status_code == 422


def test_files_are_told_apart_by_their_content(
    client: FlaskClient, caller: Caller, bearer: Callable[..., Headers]
) -> None:
    headers, address = bearer("operator") | KEY, f"{MACHINES}/{make_machine(caller).id}/datasets"

    def send(content: bytes) -> Any:
        return client.post(address, data={"file": (io.BytesIO(content), "a.csv")}, headers=headers)

    first, again, other = send(make_csv()), send(make_csv()), send(make_csv(n_rows=70))
    assert (first.status_code, again.status_code, other.status_code) == (202, 202, 409)
    assert again.json == first.json
    assert n_rows(Dataset) == 1


def test_what_comes_at_the_same_time_is_done_once(any_app: Flask, analyst: Headers) -> None:
    start, answers = threading.Barrier(4), []

    def create() -> None:
        client = any_app.test_client()
        start.wait()
        answers.append(client.post(MACHINES, json={"name": "Press"}, headers=analyst | KEY))

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {201, 409}
    codes = {answer.json["code"] for answer in answers if answer.status_code == 409}
    assert codes <= {"idempotency_in_progress"}
    assert n_rows(Machine) == 1


def test_what_died_before_it_changed_anything_is_done_by_the_next(
    client: FlaskClient, bearer: Callable[..., Headers], monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = bearer("analyst") | KEY
    _die_while(monkeypatch, client, headers, after=False)
    waiting = client.post(MACHINES, json={"name": "Press"}, headers=headers)
    assert waiting.json["code"] == "idempotency_in_progress"
    _let_time_pass()
    assert client.post(MACHINES, json={"name": "Press"}, headers=headers).status_code == 201


def test_what_died_after_it_changed_something_is_not_done_again(
    client: FlaskClient, bearer: Callable[..., Headers], monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = bearer("analyst") | KEY
    _die_while(monkeypatch, client, headers, after=True)
    _let_time_pass()
    refused = client.post(MACHINES, json={"name": "Press"}, headers=headers)
    assert (refused.status_code, refused.json["code"]) == (409, "idempotency_unknown")
    assert n_rows(Machine) == 1


def test_answers_are_sealed_and_forgotten_after_a_day(
    client: FlaskClient, bearer: Callable[..., Headers]
) -> None:
    admin = bearer("admin")
    user = client.get("/api/v1/users", headers=admin).json[0]
    body = {"user_id": user["id"], "name": "script", "role": "viewer"}
    made = client.post("/api/v1/keys", json=body, headers=admin | KEY)
    again = client.post("/api/v1/keys", json=body, headers=admin | KEY)
    assert again.json["key"] == made.json["key"]
    row = db.session.scalars(select(RequestKey)).one()
    assert made.json["key"] not in str(row.body)
    assert repeats.forget_old() == 0
    with command() as session:
        session.execute(update(RequestKey).values(created_at=row.created_at - timedelta(hours=25)))
    assert repeats.forget_old() == 1


class _Killed(BaseException):
    """What no handler catches, as a process that ends."""


def _die_while(
    monkeypatch: pytest.MonkeyPatch, client: FlaskClient, headers: Headers, *, after: bool
) -> None:
    """Send a request whose process dies before or after the machine was made."""
    create = machines.create_machine

    def die(*args: Any, **named: Any) -> Any:
        if after:
            create(*args, **named)
        raise _Killed

    with monkeypatch.context() as patch:
        patch.setattr(machines, "create_machine", die)
        with pytest.raises(_Killed):
            client.post(MACHINES, json={"name": "Press"}, headers=headers)


def _let_time_pass() -> None:
    with command() as session:
        past = db_now(-repeats.CLAIM_SECONDS - 1)
        session.execute(update(RequestKey).values(claimed_at=past))


def test_a_failure_of_ours_leaves_the_key_free(
    client: FlaskClient, bearer: Callable[..., Headers], monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = bearer("analyst") | KEY

    def be_away(*_args: Any, **_named: Any) -> None:
        raise Unavailable("The database does not answer at the moment.")

    with monkeypatch.context() as patch:
        patch.setattr(machines, "create_machine", be_away)
        assert client.post(MACHINES, json={"name": "P"}, headers=headers).status_code == 503
    assert client.post(MACHINES, json={"name": "P"}, headers=headers).status_code == 201
