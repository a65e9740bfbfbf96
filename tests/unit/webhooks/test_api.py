"""Webhooks by REST, at the command line and on pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from standardwebhooks.webhooks import Webhook as Verifier

from prodapp.caller import Caller
from prodapp.webhooks import sending
from prodapp.webhooks.service import NewSecret
from tests.pages import post_form
from tests.receivers import Receiver
from tests.unit.cli.conftest import run, run_json  # noqa: F401 - fixtures
from tests.unit.webhooks.conftest import allow, messages

Headers = dict[str, str]
BASE = "/api/v1/webhooks"


@pytest.fixture
def analyst(bearer: Callable[..., Headers]) -> Headers:
    return bearer("analyst")


def body(receiver: Receiver, **more: Any) -> dict[str, Any]:
    return {"name": "Plant", "url": f"{receiver.url}/x", "events": ["run.failed"], **more}


def test_a_webhook_is_made_tested_replayed_and_deleted(
    client: FlaskClient, analyst: Headers, listed: Receiver
) -> None:
    made = client.post(BASE, json=body(listed), headers=analyst)
    assert made.status_code == 201
    where, secret = made.headers["Location"], made.json["secret"]
    shown = client.get(where, headers=analyst)
    assert shown.json == made.json["webhook"]
    assert secret not in shown.text
    sent = client.post(f"{where}/test", headers=analyst)
    assert (sent.status_code, sent.json["state"]) == (202, "waiting")
    assert sending.deliver_due(wait=True) == 1
    found = client.get(sent.headers["Location"], headers=analyst).json
    assert (found["state"], found["attempts"][0]["status"]) == ("delivered", 200)
    again = client.post(f"{sent.headers['Location']}/replay", headers=analyst)
    assert (again.status_code, again.json["state"]) == (202, "waiting")
    assert client.post(f"{sent.headers['Location']}/replay", headers=analyst).status_code == 409
    assert len(client.get(f"{where}/deliveries?state=waiting", headers=analyst).json) == 1
    assert client.get(f"{where}/deliveries?state=failed", headers=analyst).json == []
    assert client.delete(where, headers=analyst).status_code == 204
    assert client.get(where, headers=analyst).status_code == 404
    assert messages() == []


def test_a_change_is_made_to_what_was_read(
    client: FlaskClient, analyst: Headers, listed: Receiver
) -> None:
    where = client.post(BASE, json=body(listed), headers=analyst).headers["Location"]
    etag = client.get(where, headers=analyst).headers["ETag"]
    change = {"events": ["dataset.refused", "run.failed"], "is_active": False}
    changed = client.patch(where, json=change, headers=analyst | {"If-Match": etag})
    assert changed.json["events"] == ["run.failed", "dataset.refused"]
    assert changed.json["is_active"] is False
    assert client.patch(where, json={}, headers=analyst).json == changed.json
    stale = client.patch(where, json={"name": "x"}, headers=analyst | {"If-Match": etag})
    assert stale.status_code == 412
    assert client.post(f"{where}/test", headers=analyst).json["code"] == "webhook_off"


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"url": "http://169.254.169.254/latest"}, "/url"),
        ({"url": "http://2130706433/"}, "/url"),
        ({"url": "http://[::ffff:127.0.0.1]/"}, "/url"),
        ({"url": "file:///etc/passwd"}, "/url"),
        ({"events": []}, "/events"),
        ({"events": ["run.exploded"]}, "/events/0"),
        ({"events": ["webhook.test"]}, "/events/0"),
        ({"name": ""}, "/name"),
        ({"secret": "whsec_mine"}, "/secret"),
        ({"site_id": 2}, "/site_id"),
    ],
)
def test_what_is_wrong_is_named(
    client: FlaskClient, analyst: Headers, listed: Receiver, wrong: dict[str, Any], pointer: str
) -> None:
    answer = client.post(BASE, json=body(listed) | wrong, headers=analyst)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_private_addresses_are_refused_also_where_every_name_is_listed(
    app: Flask, client: FlaskClient, analyst: Headers, listed: Receiver
) -> None:
    where = client.post(BASE, json=body(listed), headers=analyst).headers["Location"]
    allow(app, "*")
    client.post(f"{where}/test", headers=analyst)
    sending.deliver_due(wait=True)
    assert listed.requests == []
    [found] = messages()
    assert found.attempts[0].error_code == "callback_refused"
    for host in ("127.0.0.1", "2130706433", "0x7f.1", "[::ffff:0:127.0.0.1]", "[fec0::1]"):
        refused = client.post(BASE, json=body(listed) | {"url": f"http://{host}/"}, headers=analyst)
        assert [error["pointer"] for error in refused.json["errors"]] == ["/url"], host


def test_a_site_has_only_so_many(
    client: FlaskClient, analyst: Headers, listed: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prodapp.webhooks.service.MAX_WEBHOOKS", 1)
    assert client.post(BASE, json=body(listed), headers=analyst).status_code == 201
    assert client.post(BASE, json=body(listed), headers=analyst).json["code"] == "too_many"


def test_commands_do_the_same(
    run_json: Callable[..., Any],  # noqa: F811
    run: Callable[..., Any],  # noqa: F811
    listed: Receiver,
) -> None:
    address = f"{listed.url}/cli"
    made = run_json("webhook", "create", "Plant", address, "--event", "run.failed")
    number = str(made["id"])
    assert run_json("webhook", "list")[0]["url"] == address
    run("webhook", "test", number)
    sending.deliver_due(wait=True)
    [(_, headers, sent)] = listed.requests
    Verifier(made["secret"]).verify(sent, headers)
    [row] = run_json("webhook", "deliveries", number)
    assert row["state"] == "delivered"
    run("webhook", "replay", str(row["id"]))
    assert len(run_json("webhook", "deliveries", number, "--state", "waiting")) == 1
    assert run_json("webhook", "rotate", number)["secret"] != made["secret"]
    run("webhook", "turn", number, "off")
    assert run_json("webhook", "list")[0]["is_active"] is False
    run("webhook", "delete", number)
    assert run_json("webhook", "list") == []
    run("webhook", "test", number, expect=3)


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_pages_make_show_and_explain(
    sign_in: Callable[..., FlaskClient],
    caller: Caller,
    listed: Receiver,
    made: NewSecret,
    language: str,
) -> None:
    client = sign_in("analyst")
    for path in ("/app/webhooks/", "/app/webhooks/new", "/app/webhooks/1", "/app/webhooks/1/edit"):
        answer = client.get(path, headers={"Accept-Language": language})
        assert answer.status_code == 200, path
        assert made.secret not in answer.text
    page = post_form(client, "/app/webhooks/", name="Two", url=listed.url, events=["run.failed"])
    assert "whsec_" in page.text
    refused = post_form(client, "/app/webhooks/", name="", url=listed.url, events=["run.failed"])
    assert (refused.status_code, "whsec_" in refused.text) == (422, False)
    post_form(client, "/app/webhooks/1/edit", name="One", url=listed.url, events=["run.failed"])
    assert "One" in client.get("/app/webhooks/").text
    listed.status, listed.reply = 410, b"<b>moved</b>"
    sent = post_form(client, "/app/webhooks/1/test")
    sending.deliver_due(wait=True)
    shown = client.get(sent.headers["Location"]).text
    assert "&lt;b&gt;moved&lt;/b&gt;" in shown
    assert "410" in client.get("/app/webhooks/1").text
    post_form(client, "/app/webhooks/1/activation", is_active="yes")
    post_form(client, sent.headers["Location"] + "/replay")
    assert "whsec_" in post_form(client, "/app/webhooks/1/secret").text
    assert post_form(client, "/app/webhooks/1/delete").status_code == 302
    assert client.get("/app/webhooks/1").status_code == 404
