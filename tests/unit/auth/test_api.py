"""``/api/v1/auth``."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from prodapp.auth import service
from prodapp.caller import Caller

URL = "/api/v1/auth"
PASSWORD = "three quiet turbines hum"


@pytest.fixture
def maria(caller: Caller) -> dict[str, str]:
    """What Maria signs in with."""
    service.create_user(caller, username="Maria", role="operator", password=PASSWORD)
    return {"username": "maria", "password": PASSWORD}


def test_password_gives_a_token_that_opens_the_api(
    client: FlaskClient, maria: dict[str, str]
) -> None:
    answer = client.post(f"{URL}/token", json=maria)
    assert answer.status_code == 200
    assert set(answer.json) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 600)
    assert answer.headers["Cache-Control"] == "no-store"
    bearer = {"Authorization": f"Bearer {answer.json['access_token']}"}
    me = client.get(f"{URL}/me", headers=bearer).json
    assert me == {"username": "Maria", "user_id": 1, "role": "operator", "kind": "token"}
    assert client.post("/api/v1/machines", json={"name": "A"}, headers=bearer).status_code == 201


def test_api_key_opens_the_api_in_either_header(
    client: FlaskClient, bearer: Callable[..., dict[str, str]]
) -> None:
    headers = bearer("viewer")
    secret = headers["Authorization"].removeprefix("Bearer ")
    for sent in (headers, {"X-API-Key": secret}):
        assert client.get(f"{URL}/me", headers=sent).json["kind"] == "key"


@pytest.mark.parametrize(
    "sent",
    [{"username": "maria", "password": "wrong"}, {"username": "nobody", "password": PASSWORD}],
)
def test_wrong_credentials_say_no_more_than_that(
    client: FlaskClient, maria: dict[str, str], sent: dict[str, str]
) -> None:
    assert maria["username"] == "maria"
    answer = client.post(f"{URL}/token", json=sent)
    assert (answer.status_code, answer.json["code"]) == (401, "bad_credentials")
    assert answer.content_type == "application/problem+json"
    assert "errors" not in answer.json


def test_refresh_token_works_once_and_its_reuse_ends_the_family(
    client: FlaskClient, maria: dict[str, str]
) -> None:
    first = client.post(f"{URL}/token", json=maria).json["refresh_token"]
    second = client.post(f"{URL}/refresh", json={"refresh_token": first}).json["refresh_token"]
    assert second != first
    assert client.post(f"{URL}/refresh", json={"refresh_token": first}).status_code == 401
    assert client.post(f"{URL}/refresh", json={"refresh_token": second}).status_code == 401


def test_revoked_refresh_token_is_dead_and_unknown_ones_are_not_told_apart(
    client: FlaskClient, maria: dict[str, str]
) -> None:
    token = client.post(f"{URL}/token", json=maria).json["refresh_token"]
    for sent in (token, token, "never-known"):
        answer = client.post(f"{URL}/revoke", json={"refresh_token": sent})
        assert (answer.status_code, answer.data) == (204, b"")
    assert client.post(f"{URL}/refresh", json={"refresh_token": token}).status_code == 401


def test_tries_on_one_account_are_limited(client: FlaskClient, maria: dict[str, str]) -> None:
    sent = {**maria, "password": "wrong"}
    answers = [client.post(f"{URL}/token", json=sent) for _ in range(12)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    assert answers[-1].content_type == "application/problem+json"
    assert int(answers[-1].headers["Retry-After"]) > 0
    elsewhere = client.post(f"{URL}/token", json=maria, environ_base={"REMOTE_ADDR": "10.0.0.9"})
    assert elsewhere.status_code == 200  # a stranger's tries do not lock Maria out


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b"{", b"[1]", b"\xff", b'{"username": "\\ud800"}']
)
def test_body_that_makes_no_sense_is_refused(client: FlaskClient, body: bytes) -> None:
    answer = client.post(f"{URL}/token", data=body, content_type="application/json")
    assert answer.status_code in (400, 422)


def test_tries_from_one_address_are_limited(client: FlaskClient) -> None:
    statuses = [
        client.post(f"{URL}/token", json={"username": f"u{number}", "password": "x"}).status_code
        for number in range(32)
    ]
    assert statuses == [401] * 30 + [429] * 2


@pytest.mark.parametrize(
    "header",
    ["Bearer nonsense", "Bearer a.b.c", "Bearer pa_12345678_wrong", "Bearer", "Basic bWFyaWE6eA=="],
)
def test_bad_credentials_in_the_header_are_refused(client: FlaskClient, header: str) -> None:
    answer = client.get(f"{URL}/me", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_session_needs_the_csrf_token_to_change_anything(
    sign_in: Callable[..., FlaskClient],
) -> None:
    client = sign_in("operator")
    assert client.get(f"{URL}/me").json["kind"] == "session"
    assert client.post("/api/v1/machines", json={"name": "A"}).status_code == 400
