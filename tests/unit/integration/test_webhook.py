"""What an external model service reports: by a key or signed, once, and only where a run waits."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from standardwebhooks.webhooks import Webhook as Signer
from werkzeug.test import TestResponse

from prodapp.auth.service import system_caller
from prodapp.extensions import command, db
from prodapp.integration import webhook
from prodapp.models import AuditEvent, ReceivedMessage, RunState, TrainingRun
from prodapp.models.types import db_now
from prodapp.outgoing.signatures import new_secret
from tests.factories import make_run

MakeApp = Callable[..., Flask]
Bearer = Callable[..., dict[str, str]]
PATH = "/webhook/treinamento/"
SECRET = new_secret()


@pytest.fixture
def app(make_app: MakeApp) -> Any:
    """Anonymous callers may do everything here but report."""
    application = make_app(INTEGRATION_ANONYMOUS_ROLE="admin", INTEGRATION_WEBHOOK_SECRET=SECRET)
    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def waiting(app: Flask) -> TrainingRun:
    """A run that waits for a model service."""
    run = make_run(system_caller())
    run.state = RunState.WAITING_EXTERNAL
    db.session.commit()
    return run


def report(run: TrainingRun, **more: Any) -> str:
    return json.dumps({"model_id": run.machine_id, "status": "failed", "metrics": {}, **more})


def post(
    client: FlaskClient,
    body: str,
    *,
    message_id: str = "msg_1",
    age: float = 0.0,
    secret: str = SECRET,
    sent: str | None = None,
    **headers: str,
) -> TestResponse:
    """Sign ``body`` as the reference library does, and send it (or ``sent`` in its place)."""
    made_at = datetime.now(UTC) - timedelta(seconds=age)
    signed = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(made_at.timestamp())),
        "webhook-signature": Signer(secret).sign(message_id, made_at, body),
    }
    data = body if sent is None else sent
    return client.post(PATH, data=data, headers=signed | headers, content_type="application/json")


def n_taken() -> int:
    return db.session.query(AuditEvent).filter_by(action="report.received").count()


def test_a_signed_report_is_taken_once(client: FlaskClient, waiting: TrainingRun) -> None:
    body = report(waiting, more="ação")
    assert post(client, body).status_code == 200
    replayed = post(client, body)
    assert (replayed.status_code, n_taken()) == (409, 1)
    assert "recebida" in replayed.json["detail"]
    assert post(client, body, message_id="msg_2").status_code == 200
    [one, _two] = db.session.query(AuditEvent).filter_by(action="report.received")
    assert (one.actor, one.subject) == ("signature", f"run:{waiting.id}")


@pytest.mark.parametrize(
    "how",
    [
        {"secret": new_secret()},
        {"age": 301},
        {"age": -301},
        {"sent": "{}"},
        {"message_id": "msg 1"},
        {"message_id": "x" * 101},
        {"webhook-id": "msg_2"},
        {"webhook-timestamp": str(int(time.time()) + 60)},
        {"webhook-timestamp": "1e9"},
        {"webhook-timestamp": "٣"},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v2,x v1a,y"},
        {"webhook-signature": "ü"},
    ],
    # Secrets and times are others in each process of tests; names of tests must not be.
    ids=" ".join,
)
def test_forged_changed_and_old_reports_are_refused(
    client: FlaskClient, waiting: TrainingRun, how: dict[str, Any]
) -> None:
    answer = post(client, report(waiting), **how)
    assert (answer.status_code, n_taken()) == (401, 0)
    assert isinstance(answer.json["detail"], str)


def test_one_of_several_signatures_is_enough(client: FlaskClient, waiting: TrainingRun) -> None:
    body, now = report(waiting), datetime.now(UTC)
    fits = Signer(SECRET).sign("msg_1", now, body)
    other = Signer(new_secret()).sign("msg_1", now, body)
    both = {"webhook-signature": f"{other} {fits}", "webhook-timestamp": str(int(now.timestamp()))}
    assert post(client, body, **both).status_code == 200


def test_who_neither_signs_nor_has_a_key_reports_nothing(
    client: FlaskClient, waiting: TrainingRun
) -> None:
    """Also where anonymous callers may do all else."""
    assert client.get("/machines/").status_code == 200
    answer = client.post(PATH, data=report(waiting), content_type="application/json")
    assert (answer.status_code, n_taken()) == (401, 0)


def test_a_signature_opens_no_other_route(client: FlaskClient, waiting: TrainingRun) -> None:
    body, now = json.dumps({"machine_name": "Prensa"}), datetime.now(UTC)
    signed = {
        "webhook-id": "a",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Signer(SECRET).sign("a", now, body),
    }
    for path in ("/api/v1/machines", "/app/machines/"):
        answer = client.post(path, data=body, headers=signed, content_type="application/json")
        assert answer.status_code in (302, 400, 401)


def test_without_a_secret_no_signature_counts(make_app: MakeApp) -> None:
    client = make_app().test_client()
    assert post(client, '{"model_id": 1, "status": "failed", "metrics": {}}').status_code == 401


def test_a_key_of_an_operator_reports_too(
    client: FlaskClient, waiting: TrainingRun, bearer: Bearer
) -> None:
    sent = {"data": report(waiting), "content_type": "application/json"}
    assert client.post(PATH, headers=bearer("viewer"), **sent).status_code == 403
    operator = bearer("operator")
    for path in (PATH, PATH.rstrip("/")):
        assert client.post(path, headers=operator, **sent).status_code == 200
    assert n_taken() == 2


def test_a_report_is_refused_while_no_run_waits_for_it(client: FlaskClient, app: Flask) -> None:
    run = make_run(system_caller())
    assert post(client, report(run)).status_code == 409
    db.session.refresh(run)
    assert (run.state, db.session.query(ReceivedMessage).count()) == (RunState.QUEUED, 0)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"model_id": 1, "status": "completed"}, 400),
        ({"model_id": 1, "status": "dancing", "metrics": {}}, 400),
        ({"model_id": "x", "status": "completed", "metrics": {}}, 400),
        ([], 400),
        ({"model_id": 999, "status": "completed", "metrics": {}}, 404),
        ({"model_id": 10**30, "status": "completed", "metrics": {}}, 404),
    ],
)
def test_a_wrong_report_is_refused(client: FlaskClient, body: Any, status: int) -> None:
    answer = post(client, json.dumps(body))
    assert answer.status_code == status
    assert isinstance(answer.json["detail"], str)


def test_ids_are_forgotten_when_their_messages_are_too_old_anyway(
    client: FlaskClient, waiting: TrainingRun
) -> None:
    post(client, report(waiting))
    assert webhook.forget_old() == 0
    with command() as session:
        session.execute(update(ReceivedMessage).values(created_at=db_now(-3601.0)))
    assert webhook.forget_old() == 1
