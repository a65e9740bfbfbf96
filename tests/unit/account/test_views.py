from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from prodapp.account.devices import device_name
from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.models import User
from tests.pages import csrf_token

OLD, NEW = "correct horse battery", "seven blue turbines hum"
ACCOUNT = "/app/account/"


@pytest.fixture
def maria(caller: Caller) -> User:
    return auth.create_user(caller, username="maria", role="operator", password=OLD)


def browser(app: Flask, user: User) -> FlaskClient:
    client = app.test_client()
    client.get(f"/app/sign-in/{auth.create_sign_in_link(user)}")
    return client


def send(page: FlaskClient, path: str, **form: object):
    return page.post(ACCOUNT + path, data={"csrf_token": csrf_token(page, ACCOUNT), **form})


def test_a_password_is_changed_and_the_other_browser_is_out(app: Flask, maria: User) -> None:
    mine, other = browser(app, maria), browser(app, maria)
    wrong = send(mine, "password", current="no", new=NEW, again=NEW)
    assert (wrong.status_code, "not your present password" in wrong.text) == (422, True)
    assert send(mine, "password", current=OLD, new=NEW, again=NEW).location == ACCOUNT
    assert mine.get(ACCOUNT).status_code == 200
    assert other.get(ACCOUNT).status_code == 302


def test_sessions_are_listed_and_ended(app: Flask, maria: User) -> None:
    mine, other = browser(app, maria), browser(app, maria)
    page = mine.get(ACCOUNT).text
    assert page.count("This browser") == 1
    (path,) = re.findall(r"/app/account/(sessions/\d+/end)", page)
    send(mine, path)
    assert other.get(ACCOUNT).status_code == 302
    assert send(mine, path).status_code == 404
    third = browser(app, maria)
    send(mine, "sessions/end")
    assert third.get(ACCOUNT).status_code == 302
    assert mine.get(ACCOUNT).status_code == 200


def test_an_own_key_is_made_and_revoked_and_no_one_elses(
    app: Flask, maria: User, caller: Caller
) -> None:
    page = browser(app, maria)
    assert send(page, "keys", name="x", role="admin", days="30").status_code == 422
    made = send(page, "keys", name="line 3", role="viewer", days="")
    secret = re.search(r'value="(pa_[^"]+)"', made.text)[1]
    key = auth.key_of_secret(secret)
    assert (key.role, key.expires_at) == ("viewer", None)
    assert "line 3" in page.get(ACCOUNT).text
    auth.create_user(caller, username="other", role="admin")
    foreign = auth.create_key(caller, username="other", name="theirs")
    assert send(page, f"keys/{foreign.id}/revoke").status_code == 404
    assert auth.key_of_secret(foreign.secret) is not None
    send(page, f"keys/{key.id}/revoke")
    assert auth.key_of_secret(secret) is None


def test_a_language_follows_its_user_to_every_browser(app: Flask, maria: User) -> None:
    here, there = browser(app, maria), browser(app, maria)
    token = csrf_token(here, ACCOUNT)
    here.post("/app/language", data={"csrf_token": token, "locale": "pt_BR", "next": ACCOUNT})
    assert "Sua conta" in there.get(ACCOUNT).text
    there.set_cookie("locale", "en")  # of whoever used this browser before
    assert "Sua conta" in there.get(ACCOUNT).text
    secret = auth.create_key(auth.system_caller(), username="maria", name="x").secret
    key = {"Authorization": f"Bearer {secret}"}
    problem = app.test_client().get("/api/v1/machines/99", headers=key).json
    assert problem["detail"] == "There is no machine 99."  # programs ask with each request


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/1 Safari/1 Edg/1",
            "Edge, Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17 like Mac OS X) Version/17 Safari/1",
            "Safari, iPhone",
        ),
        ("curl/8", "curl/8"),
        ("x" * 300, "x" * 60),
        (None, "–"),
        ("", "–"),
    ],
)
def test_a_browser_is_named_as_people_know_it(agent: str | None, name: str) -> None:
    assert device_name(agent) == name
