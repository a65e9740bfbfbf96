from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from prodapp.auth import service as auth
from prodapp.auth.permissions import public
from prodapp.caller import Caller
from prodapp.extensions import command
from prodapp.models import User
from tests.pages import csrf_token, post_form

Read = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def raw_log(app: Flask) -> Iterator[Callable[[], str]]:
    """A function that gives everything that the application's log handler wrote."""
    lines: list[str] = []
    handler = next(h for h in logging.getLogger().handlers if type(h) is logging.StreamHandler)

    class Stream:
        def write(self, text: str) -> None:
            lines.append(text)

        def flush(self) -> None:
            pass

    previous = handler.setStream(Stream())  # type: ignore[type-var]
    yield lambda: "".join(lines)
    handler.setStream(previous)


@pytest.fixture
def read_log(raw_log: Callable[[], str]) -> Read:
    return lambda: [json.loads(line) for line in raw_log().splitlines() if line]


def requests_in(log: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in log if line["event"] == "request"]


def test_each_request_is_one_line_with_its_id(client: FlaskClient, read_log: Read) -> None:
    answer = client.get("/app/sign-in")
    (line,) = requests_in(read_log())
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert line["method"] == "GET"
    assert line["route"] == "/app/sign-in"
    assert line["status"] == 200
    assert line["user_id"] is None
    assert line["milliseconds"] >= 0
    assert line["level"] == "info"


def test_a_callers_own_id_is_kept(client: FlaskClient, read_log: Read) -> None:
    answer = client.get("/app/sign-in", headers={"X-Request-ID": "trace-1.a_B"})
    assert answer.headers["X-Request-ID"] == "trace-1.a_B"
    assert requests_in(read_log())[0]["request_id"] == "trace-1.a_B"


@pytest.mark.parametrize("given", ["short", "x" * 65, 'a"quote-and-more', "with spaces in it", ""])
def test_an_id_that_is_not_well_formed_is_replaced(client: FlaskClient, given: str) -> None:
    answer = client.get("/app/sign-in", headers={"X-Request-ID": given})
    assert answer.headers["X-Request-ID"] != given
    assert len(answer.headers["X-Request-ID"]) == 32


def test_requests_do_not_share_an_id(client: FlaskClient) -> None:
    ids = {client.get("/app/sign-in").headers["X-Request-ID"] for _ in range(3)}
    assert len(ids) == 3


def test_health_and_static_files_do_not_fill_the_log(client: FlaskClient, read_log: Read) -> None:
    client.get("/healthz")
    client.get("/static/app.css").close()
    assert requests_in(read_log()) == []


def test_the_log_names_who_asked(
    sign_in: Callable[..., FlaskClient], read_log: Read, caller: Caller
) -> None:
    user = auth.create_user(caller, username="watched", role="viewer")
    client = sign_in("viewer")
    client.get("/app/machines/")
    line = requests_in(read_log())[-1]
    assert line["route"] == "/app/machines/"
    assert line["user_id"] not in (None, user.id)


def test_an_unexpected_error_is_logged_with_its_trace(
    app: Flask, client: FlaskClient, read_log: Read
) -> None:
    @public
    def boom() -> NoReturn:
        raise RuntimeError("the cause")

    app.add_url_rule("/app/boom", "boom", boom)
    answer = client.get("/app/boom")
    (line,) = [line for line in read_log() if line["event"] == "unexpected error"]
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert "RuntimeError: the cause" in line["exception"]
    assert line["level"] == "error"


def test_no_secret_reaches_the_log(
    app: Flask, client: FlaskClient, caller: Caller, raw_log: Callable[[], str]
) -> None:
    password = "correct horse battery staple"
    user = auth.create_user(caller, username="maria", role="admin", password=password)
    link = auth.create_sign_in_link(user)
    key = auth.create_key(caller, username="maria", name="x").secret
    client.get(f"/app/sign-in/{link}")
    client.get(f"/app/sign-in/{link}x")
    token = csrf_token(client, "/app/machines/new")
    post_form(client, "/app/sign-in", username="maria", password=password)
    post_form(client, "/app/sign-in", username="maria", password=password + "!")
    client.get("/api/v1/machines", headers={"Authorization": f"Bearer {key}"})
    client.get("/machines/", headers={"X-API-Key": key})
    client.get("/api/v1/machines?api_key=" + key)
    pair = client.post("/api/v1/auth/token", json={"username": "maria", "password": password}).json
    client.get("/api/v1/machines", headers={"Authorization": f"Bearer {pair['access_token']}"})
    log = raw_log()
    assert log.count('"event": "request"') > 8
    secrets = (password, link, key, token, pair["access_token"], pair["refresh_token"])
    for secret in (*secrets, app.config["SECRET_KEY"]):
        assert secret not in log


def test_errors_of_the_database_do_not_log_what_was_to_be_stored(
    app: Flask, client: FlaskClient, raw_log: Callable[[], str]
) -> None:
    name = "hunter" + "2"  # the trace shows lines of the source

    @public
    def boom() -> NoReturn:
        with command() as session:
            session.execute(insert(User), [{"username": name, "role": "viewer"}])
        raise AssertionError

    app.add_url_rule("/app/boom", "boom", boom)
    assert client.get("/app/boom").status_code == 500
    assert "IntegrityError" in raw_log()
    assert name not in raw_log()


def test_production_writes_json_and_honours_the_level(
    make_app: Callable[..., Flask], capsys: pytest.CaptureFixture[str]
) -> None:
    make_app(LOG_LEVEL="WARNING")
    logging.getLogger("prodapp.test").info("quiet")
    logging.getLogger("prodapp.test").warning("loud %s", "enough")
    lines = capsys.readouterr().err.splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["loud enough"]
