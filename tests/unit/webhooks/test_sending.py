"""Messages as a receiver gets them, verified by the reference library of Standard Webhooks."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import text
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from prodapp.caller import Caller
from prodapp.extensions import command, db
from prodapp.models import AuditEvent, Webhook, WebhookAttempt, WebhookDelivery
from prodapp.outgoing import posting
from prodapp.webhooks import deliveries, sending, service
from prodapp.webhooks.service import NewSecret
from tests.receivers import Receiver
from tests.unit.webhooks.conftest import allow, make, make_due, messages


def send(caller: Caller, made: NewSecret) -> WebhookDelivery:
    """The message of a test, after its first try."""
    found = deliveries.send_test(caller, made.webhook.id)
    assert sending.deliver_due(wait=True) == 1
    db.session.refresh(found)
    return found


def last_try() -> WebhookAttempt:
    db.session.rollback()
    return db.session.query(WebhookAttempt).order_by(WebhookAttempt.id.desc()).first()


def test_a_receiver_verifies_what_it_gets(
    caller: Caller, listed: Receiver, made: NewSecret
) -> None:
    found = send(caller, made)
    [(path, headers, body)] = listed.requests
    assert path == "/hooks?a=1"
    assert headers["Content-Type"] == "application/json"
    said = Verifier(made.secret).verify(body, headers)
    assert (said["type"], said["data"]["webhook_id"]) == ("webhook.test", made.webhook.id)
    assert datetime.fromisoformat(said["timestamp"]).tzinfo is not None
    assert headers["webhook-id"] == found.message_id
    assert (found.outcome, found.next_attempt_at) == ("delivered", None)
    assert sending.deliver_due(wait=True) == 0


def test_forged_and_old_messages_are_told_from_real_ones(
    caller: Caller, listed: Receiver, made: NewSecret
) -> None:
    send(caller, made)
    [(_, headers, body)] = listed.requests
    verifier = Verifier(made.secret)
    old = str(int((datetime.now(UTC) - timedelta(minutes=6)).timestamp()))
    other = json.dumps(json.loads(body) | {"type": "run.succeeded"}).encode()
    for forged, about in (
        (other, headers),
        (body, headers | {"webhook-id": "msg_other"}),
        (body, headers | {"webhook-timestamp": old}),
    ):
        with pytest.raises(WebhookVerificationError):
            verifier.verify(forged, about)
    with pytest.raises(WebhookVerificationError):
        Verifier("whsec_" + "A" * 43 + "=").verify(body, headers)


def test_a_new_secret_and_the_one_before_both_verify_for_a_day(
    caller: Caller, listed: Receiver, made: NewSecret
) -> None:
    again = service.rotate_secret(caller, made.webhook.id)
    send(caller, again)
    [(_, headers, body)] = listed.requests
    for secret in (made.secret, again.secret):
        Verifier(secret).verify(body, headers)
    with command() as session:
        session.get_one(Webhook, made.webhook.id).secret_before_until = datetime.now(UTC)
    send(caller, again)
    _, headers, body = listed.requests[1]
    Verifier(again.secret).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(made.secret).verify(body, headers)


@pytest.mark.parametrize("status", [302, 404, 429, 500])
def test_a_refusal_is_tried_again_under_the_same_id(
    caller: Caller, listed: Receiver, made: NewSecret, status: int
) -> None:
    listed.status, listed.reply = status, b"no \x00room\x1b[31m" + "é".encode() * 900
    found = send(caller, made)
    assert (found.outcome, found.n_attempts) == (None, 1)
    assert found.next_attempt_at is not None
    tried = last_try()
    assert tried.status == status
    assert tried.excerpt.startswith("no \ufffdroom\ufffd[31mé")
    assert len(tried.excerpt) == 500
    assert sending.deliver_due(wait=True) == 0  # not yet
    listed.status = 204
    make_due()
    sending.deliver_due(wait=True)
    db.session.refresh(found)
    assert (found.outcome, found.n_attempts) == ("delivered", 2)
    assert len({headers["webhook-id"] for _, headers, _ in listed.requests}) == 1


def test_pauses_grow_and_differ() -> None:
    pauses = [sending.pause_after(n) for n in range(1, len(sending.BACKOFF_SECONDS) + 1)]
    for pause, planned in zip(pauses, sending.BACKOFF_SECONDS, strict=True):
        assert pause is not None
        assert 0.8 * planned <= pause <= 1.2 * planned
    assert sending.pause_after(len(sending.BACKOFF_SECONDS) + 1) is None
    assert len({sending.pause_after(3) for _ in range(20)}) > 1
    assert sum(sending.BACKOFF_SECONDS) * 0.8 > 86_400  # a receiver may be down for a day


def test_a_webhook_that_takes_nothing_is_given_up_on_and_what_waits_stays(
    caller: Caller, listed: Receiver, made: NewSecret, caplog: pytest.LogCaptureFixture
) -> None:
    listed.status = 503
    first = send(caller, made)
    other = deliveries.send_test(caller, made.webhook.id)
    with command() as session:
        session.get_one(WebhookDelivery, first.id).n_tries = len(sending.BACKOFF_SECONDS)
        session.get_one(WebhookDelivery, other.id).next_attempt_at = None
    make_due()
    with command() as session:
        later = datetime.now(UTC) + timedelta(hours=1)
        session.get_one(WebhookDelivery, other.id).next_attempt_at = later
    assert sending.deliver_due(wait=True) == 1
    for row in (first, other, made.webhook):
        db.session.refresh(row)
    assert (made.webhook.is_active, made.webhook.disabled_code) == (False, "kept_failing")
    assert (first.outcome, other.outcome) == ("failed", "stopped")
    assert "is disabled: kept_failing" in caplog.text
    assert db.session.query(AuditEvent).filter_by(action="webhook.disabled").count() == 1
    listed.status = 200
    service.change_webhook(caller, made.webhook.id, is_active=True)
    deliveries.replay(caller, other.id)
    sending.deliver_due(wait=True)
    assert [row.outcome for row in messages()] == ["failed", "delivered"]


def test_a_receiver_that_is_gone_is_not_asked_again(
    caller: Caller, listed: Receiver, made: NewSecret
) -> None:
    listed.status = 410
    assert send(caller, made).outcome == "failed"
    db.session.refresh(made.webhook)
    assert (made.webhook.is_active, made.webhook.disabled_code) == (False, "gone")


def test_a_replay_has_the_same_id_and_another_time(
    caller: Caller, listed: Receiver, made: NewSecret, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = send(caller, made)
    monkeypatch.setattr(sending.time, "time", lambda: 2_000_000_000.0)
    deliveries.replay(caller, found.id)
    sending.deliver_due(wait=True)
    (_, first, body), (_, second, again) = listed.requests
    assert body == again
    assert first["webhook-id"] == second["webhook-id"] == found.message_id
    assert second["webhook-timestamp"] == "2000000000" != first["webhook-timestamp"]
    db.session.refresh(found)
    assert [row.number for row in found.attempts] == [2, 1]


def test_a_host_taken_off_the_list_gets_nothing(
    app: Flask, caller: Caller, listed: Receiver, made: NewSecret
) -> None:
    allow(app)
    send(caller, made)
    assert listed.requests == []
    assert last_try().error_code == "callback_refused"


def test_a_host_that_says_nothing_is_not_waited_for_for_long(
    app: Flask, caller: Caller, made: NewSecret, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "TOTAL_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        allow(app, host)
        for scheme in ("http", "https"):
            service.change_webhook(caller, made.webhook.id, url=f"{scheme}://{host}/")
            send(caller, made)
            assert last_try().error_code == "timeout", scheme


@pytest.mark.parametrize(
    ("reply", "code"), [(b"", "no_answer"), (b"\x15\x03 nonsense\r\n\r\n", "no_answer")]
)
def test_nonsense_is_no_answer(
    app: Flask, caller: Caller, made: NewSecret, reply: bytes, code: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(reply)

        thread = threading.Thread(target=answer)
        thread.start()
        host = f"127.0.0.1:{listener.getsockname()[1]}"
        allow(app, host)
        service.change_webhook(caller, made.webhook.id, url=f"http://{host}/")
        send(caller, made)
        thread.join()
    assert last_try().error_code == code


def test_failures_have_names() -> None:
    assert sending._code_of(socket.gaierror(), 0.0) == "host_unknown"
    assert sending._code_of(ssl.SSLError(), 0.0) == "tls"
    assert sending._code_of(ConnectionRefusedError(), 0.0) == "no_connection"


def test_secrets_are_sealed_and_unreadable_with_another_key(
    caller: Caller, listed: Receiver, made: NewSecret
) -> None:
    stored = db.session.execute(text("SELECT secret FROM webhooks")).scalar_one()
    assert made.secret not in stored
    assert made.secret.removeprefix("whsec_") not in stored
    with command() as session:
        session.get_one(Webhook, made.webhook.id).secret = stored[:-6] + "AAAA=="
    send(caller, made)
    assert last_try().error_code == "secret_unreadable"
    assert listed.requests == []


def test_no_secret_is_logged(
    caller: Caller, listed: Receiver, made: NewSecret, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        send(caller, service.rotate_secret(caller, made.webhook.id))
    assert "message msg_" in caplog.text
    assert "whsec_" not in caplog.text
    assert "/hooks" not in caplog.text  # addresses may hold secrets of the receiver's


def test_messages_of_a_webhook_that_was_turned_off_meanwhile_are_not_sent(
    caller: Caller, listed: Receiver, made: NewSecret
) -> None:
    found = deliveries.send_test(caller, made.webhook.id)
    service.change_webhook(caller, made.webhook.id, is_active=False)
    sending.deliver_due(wait=True)
    db.session.refresh(found)
    assert (found.outcome, listed.requests) == ("stopped", [])


def test_old_messages_are_forgotten_with_their_tries(
    caller: Caller, listed: Receiver, made: NewSecret
) -> None:
    old, new = send(caller, made), send(caller, made)
    with command() as session:
        session.get_one(WebhookDelivery, old.id).created_at -= timedelta(days=31)
    assert deliveries.forget_old() is False
    assert [row.id for row in messages()] == [new.id]
    assert db.session.query(WebhookAttempt).count() == 1


def test_what_is_wanted_by_a_machine_alone_is_refused_for_others(
    caller: Caller, listed: Receiver
) -> None:
    from prodapp.exceptions import NotFound

    with pytest.raises(NotFound):
        make(caller, listed, machine_id=99)
